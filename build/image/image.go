package image

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/optlift/optlift/build/layer"
)

// DefaultBaseRegistry holds AWS's own base images
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html).
const DefaultBaseRegistry = "public.ecr.aws/lambda"

// Base is a base image pinned to one platform's digest.
type Base struct {
	Reference string // as asked for, with its tag
	Digest    v1.Hash
	Image     v1.Image
	Platform  v1.Platform
	MediaType types.MediaType
}

// BaseFor returns the repository and tag ("nodejs:22") that AWS publishes for a
// runtime identifier. An identifier without one is an error that says so.
func BaseFor(runtime string) (string, error) { panic("not written yet") }

// ResolveBase resolves a registry reference or "oci:DIR" to the image of one
// Lambda architecture ("x86_64" or "arm64") and checks the image's own
// configuration against it.
func ResolveBase(ctx context.Context, reference, architecture string, opts ...remote.Option) (*Base, error) {
	panic("not written yet")
}

// Request is everything an image is made from.
type Request struct {
	Runtime      string // Lambda's identifier, "nodejs22.x"
	Handler      string
	Architecture string // "x86_64" or "arm64"
	Base         string // reference or "oci:DIR"; "" picks by Runtime below BaseRegistry
	BaseRegistry string // "" is DefaultBaseRegistry
	Layers       []layer.Source
	Code         layer.Source
	Labels       map[string]string
	Store        *layer.Store
	// Remote configures access to the base's registry.
	Remote []remote.Option
	// Progress, which may be nil, is called from several goroutines.
	Progress func(Progress)
}

// Stage is a part of a build.
type Stage string

// The stages of a build, in order.
const (
	StageBase    Stage = "base"
	StageConvert Stage = "convert"
	StageCompose Stage = "compose"
	StageLint    Stage = "lint"
	StageProve   Stage = "prove"
	StageWrite   Stage = "write"
)

// Progress tells how far a stage is. Done and Total are bytes; Total is 0 where
// it is not known. Item names the archive, where the stage works on one.
type Progress struct {
	Stage       Stage
	Item        string
	Done, Total int64
	Finished    bool
}

// Built is a finished image and what is known of it.
type Built struct {
	Image    v1.Image
	Base     *Base
	Layers   []*layer.Layer // in the image's order, code last
	Findings []Finding
	Proof    *Proof
}

// Build resolves the base, converts every archive, composes, lints and proves.
// A lint finding or a difference in the proof is an error that carries the Built.
func Build(ctx context.Context, req Request) (*Built, error) { panic("not written yet") }

// Finding is one broken rule of Lambda's image reader.
type Finding struct {
	Rule    string `json:"rule"`
	Path    string `json:"path,omitempty"`
	Layer   string `json:"layer,omitempty"` // digest of the image layer
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

// Lint reads the whole image once and reports every broken rule, worst first.
func Lint(ctx context.Context, img v1.Image) ([]Finding, error) { panic("not written yet") }

// Proof is the comparison of an image's /opt and /var/task with the zips.
type Proof struct {
	Equal       bool          `json:"equal"`
	Compared    int           `json:"compared"` // paths
	Differences []Difference  `json:"differences"`
	Repairs     []ProofRepair `json:"repairs"`
}

// Difference is a path that is not as the zips say. Want and Got describe type,
// mode, link target or SHA-256; "" stands for "not there".
type Difference struct {
	Path string `json:"path"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// ProofRepair is a deliberate difference.
type ProofRepair struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Prove compares path, type, mode, link target and SHA-256 under /opt and
// /var/task with the merged archives. base is what lies below them: its own
// files under those roots are expected. Memory is bounded.
func Prove(ctx context.Context, img v1.Image, layers []layer.Source, code *layer.Source) (*Proof, error) {
	panic("not written yet")
}

// Output is where an image goes: "oci:DIR", "docker:FILE.tar" or "push[:REPO[:TAG]]".
type Output struct {
	Kind   string // "oci", "docker", "push"
	Target string
}

// ParseOutput reads the -o flag.
func ParseOutput(s string) (Output, error) { panic("not written yet") }

// WriteOCI writes img as an OCI layout, atomically: dir appears whole or not at all.
func WriteOCI(ctx context.Context, img v1.Image, dir, tag string) error { panic("not written yet") }

// WriteTarball writes img for `docker load` and `podman load`, atomically.
func WriteTarball(ctx context.Context, img v1.Image, file, tag string) error {
	panic("not written yet")
}

// Open reads an image from "oci:DIR", "docker:FILE.tar" or a registry reference.
func Open(ctx context.Context, ref string, opts ...remote.Option) (v1.Image, error) {
	panic("not written yet")
}
