package layerimage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
)

// Request is what an image of layers is made from.
type Request struct {
	Layers []layer.Source // in merge order, the last one wins
	// Architecture is "x86_64" or "arm64"; "" lets the programs in the layers
	// decide. The image carries it as its platform, because builders pick by it.
	Architecture string
	// Executables are as in image.Request.
	Executables []string
	Labels      map[string]string
	Store       *layer.Store
	// Created is as in image.Request.
	Created time.Time
	// Early and Progress, which may be nil, are as in image.Request.
	Early    func(v1.Layer)
	Progress func(image.Progress)
}

// Built is a finished image and what is known of it.
type Built struct {
	Image        v1.Image
	Architecture string         // in Lambda's words
	Layers       []*layer.Layer // in the image's order
	// Foreign are programs for other processors than Architecture's, beside those
	// that fit: some layers carry libraries for several.
	Foreign  []machine.Program
	Findings []image.Finding
	Proof    *image.Proof
	// Size and Uncompressed are bytes of all layers, as they travel and as tar.
	Size, Uncompressed int64
}

// Build converts the layers, checks their programs against the architecture,
// composes the image, lints it as far as the rules are about files, and proves
// that its /opt is the merge of the layers. It reads for lint and proof while it
// converts. Nothing that may name the caller gets
// into it: an archive is known by its hash.
//
// The image is in OCI's media types, which every builder in use can copy from.
// Same layers in the same order, same digest.
func Build(ctx context.Context, req Request) (*Built, error) {
	if len(req.Layers) == 0 {
		return nil, errors.New("build a layer image: there are no layers")
	}
	if req.Store == nil {
		return nil, errors.New("build a layer image: no store for its layers was given")
	}
	var err error
	if req.Created.IsZero() {
		if req.Created, err = image.SourceDate(); err != nil {
			return nil, err
		}
	}
	req.Created = req.Created.UTC().Truncate(time.Second)
	b := &Built{}
	converted, err := b.convert(ctx, req)
	if err != nil {
		return nil, err
	}
	if b.Image, err = b.compose(req); err != nil {
		return nil, fmt.Errorf("compose the layer image: %w", err)
	}
	if err := b.check(ctx, converted); err != nil {
		return nil, err
	}
	return b, nil
}

// settle finds the architecture out.
func (b *Built) settle(programs [][]machine.Program, wanted string) error {
	all := slices.Concat(programs...)
	var err error
	if b.Architecture, err = machine.Settle(all, wanted); err != nil {
		return fmt.Errorf("build a layer image: %w", err)
	}
	b.Foreign = machine.Foreign(all, b.Architecture)
	return nil
}

func (b *Built) convert(ctx context.Context, req Request) (*image.Converted, error) {
	c, err := image.Convert(ctx, image.Request{
		Layers: req.Layers, Store: req.Store, Executables: req.Executables, Created: req.Created,
		Early: req.Early, Progress: req.Progress,
	})
	if err != nil {
		return nil, err
	}
	b.Layers = c.Layers
	for _, l := range b.Layers {
		b.Size += l.Result.Size
		b.Uncompressed += l.Result.Uncompressed
	}
	return c, b.settle(c.Programs, req.Architecture)
}

func (b *Built) compose(req Request) (v1.Image, error) {
	platform, err := image.PlatformFor(b.Architecture)
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: req.Created}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Created: created,
		Config: v1.Config{Labels: maps.Clone(req.Labels)},
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	var adds []mutate.Addendum
	for _, l := range b.Layers {
		adds = append(adds, mutate.Addendum{
			Layer:   l.WithMediaType(types.OCILayer),
			History: v1.History{Created: created, CreatedBy: createdBy(l.Source)},
		})
	}
	if img, err = mutate.Append(img, adds...); err != nil {
		return nil, err
	}
	if len(req.Labels) > 0 {
		img = mutate.Annotations(img, req.Labels).(v1.Image)
	}
	if _, err = img.Digest(); err != nil {
		return nil, err
	}
	if req.Early != nil {
		config, err := partial.ConfigLayer(img)
		if err != nil {
			return nil, err
		}
		req.Early(config)
	}
	return img, nil
}

// createdBy tells where a layer comes from in words that are the same on every
// machine.
func createdBy(src layer.Source) string {
	what := "archive sha256:" + src.SHA256
	if src.SHA256 == "" {
		what = "archive " + src.Name[strings.LastIndexAny(src.Name, `/\`)+1:]
	}
	return "optlift: " + what + " unpacked to /opt"
}

// check lints and proves. What an image must start does not matter here: nobody
// runs it.
func (b *Built) check(ctx context.Context, converted *image.Converted) error {
	findings, proof, err := converted.LintAndProve(ctx, b.Image)
	if err != nil {
		return err
	}
	b.Proof, b.Findings = proof, []image.Finding{}
	for _, f := range findings {
		if f.Rule != "entrypoint" && f.Rule != "cmd" {
			b.Findings = append(b.Findings, f)
		}
	}
	if broken := image.Errors(b.Findings); len(broken) > 0 {
		return fmt.Errorf("the layer image would break a function: %s %s: %s. %s", broken[0].Rule, broken[0].Path, broken[0].Message, broken[0].Remedy)
	}
	if !b.Proof.Equal {
		return fmt.Errorf("the layer image does not hold what the archives hold: %d differences, the first at %s", len(b.Proof.Differences), b.Proof.Differences[0].Path)
	}
	return nil
}

// Report describes the image as `optlift build --json` does; its base is empty.
func (b *Built) Report(output string) image.Report {
	whole := image.Built{
		Image: b.Image, Layers: b.Layers, Findings: b.Findings, Proof: b.Proof, Size: b.Size, Uncompressed: b.Uncompressed,
		Base: &image.Base{Reference: "scratch", MediaType: types.OCIManifestSchema1},
	}
	whole.Base.Platform, _ = image.PlatformFor(b.Architecture)
	r := whole.Report(output)
	r.Base.Digest = ""
	return r
}
