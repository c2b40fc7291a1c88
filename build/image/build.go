package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"golang.org/x/sync/errgroup"
)

// Request is everything an image is made from.
type Request struct {
	Runtime      string // Lambda's identifier, "nodejs22.x"
	Handler      string // may be "" for an OS-only runtime
	Architecture string // "x86_64" or "arm64"; "" is x86_64, as in Lambda's API
	Base         string // reference or "oci:DIR"; "" picks by Runtime below BaseRegistry
	BaseRegistry string // "" is DefaultBaseRegistry
	Layers       []layer.Source
	Code         layer.Source
	Labels       map[string]string
	Store        *layer.Store
	// Executables are absolute paths, such as the exec wrapper's, that Lambda
	// starts and that become executable where their archive carries no modes.
	Executables []string
	// Created is the image's time and that of its files; zero is
	// SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/),
	// and the Unix epoch where that is not set.
	Created time.Time
	// Remote configures access to the base's registry.
	Remote []remote.Option
	// Progress, which may be nil, is called from several goroutines.
	Progress func(Progress)
}

// Stage is a part of a build.
type Stage string

// The stages of a build, in order. Converting and the reading of the base
// overlap; lint and proof read the finished image once, together.
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
	// Size and Uncompressed are the bytes of all the image's layers, the base's
	// included, as they travel and as they unpack.
	Size, Uncompressed int64
}

// RejectedError is a build whose image would not do: the lint found what Lambda
// refuses, or the proof found a difference. The image is in it, to be looked at.
type RejectedError struct{ Built *Built }

func (e *RejectedError) Error() string {
	if broken := Errors(e.Built.Findings); len(broken) > 0 {
		return fmt.Sprintf("the image breaks %s of Lambda's rules for images; the first: %s: %s. %s",
			count(len(broken), "", "s"), broken[0].where(), broken[0].Message, broken[0].Remedy)
	}
	d := e.Built.Proof.Differences
	return fmt.Sprintf("the image does not hold what the archives hold: %s, the first at %s: want %s, got %s",
		count(len(d), " difference", "s"), d[0].Path, orNothing(d[0].Want), orNothing(d[0].Got))
}

func count(n int, word, plural string) string {
	if n == 1 {
		return "1" + word
	}
	if word == "" {
		plural = ""
	}
	return strconv.Itoa(n) + word + plural
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// Build resolves the base, converts every archive, composes, lints and proves.
// An error of the lint or a difference in the proof is a *RejectedError that
// carries the Built; warnings and notes of the lint are in Findings.
//
// The base's layers are read lazily: ctx must outlive the use of Built.Image.
func Build(ctx context.Context, req Request) (*Built, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	if err := req.clashes(); err != nil {
		return nil, err
	}
	if err := req.readLinks(); err != nil {
		return nil, err
	}
	reference, err := req.baseReference()
	if err != nil {
		return nil, err
	}
	req.report(Progress{Stage: StageBase, Item: reference})
	base, err := ResolveBase(ctx, reference, req.Architecture, req.Remote...)
	if err != nil {
		return nil, err
	}
	req.report(Progress{Stage: StageBase, Item: reference, Finished: true})
	scanner := &scanner{contents: true}
	links, err := req.bootstrap(ctx, scanner, base)
	if err != nil {
		return nil, err
	}
	built := &Built{Base: base}
	if built.Layers, err = req.convert(ctx, links); err != nil {
		return nil, err
	}
	if built.Image, err = req.compose(base, built.Layers); err != nil {
		return nil, err
	}
	if err := req.check(ctx, scanner, built); err != nil {
		return nil, err
	}
	if len(Errors(built.Findings)) > 0 || !built.Proof.Equal {
		return nil, &RejectedError{built}
	}
	return built, nil
}

// complete fills in what may be left out and refuses what can't be built.
func (r *Request) complete() error {
	if r.Architecture == "" {
		r.Architecture = "x86_64"
	}
	if _, err := PlatformFor(r.Architecture); err != nil {
		return err
	}
	if r.Store == nil {
		return errors.New("build an image: no store for its layers was given")
	}
	if r.Code.Dir == nil {
		return errors.New("build an image: there is no code: a function's zip is needed")
	}
	r.Code.Root = layer.Task
	r.Layers = append([]layer.Source(nil), r.Layers...)
	for i := range r.Layers {
		if r.Layers[i].Dir == nil {
			return fmt.Errorf("build an image: layer %d (%s) has no archive", i+1, r.Layers[i].Name)
		}
		r.Layers[i].Root = layer.Opt
	}
	if r.Handler == "" {
		if !osOnly(r.Runtime) {
			return errors.New("build an image: no handler is named: AWS's base images need exactly one, such as index.handler")
		}
		// A runtime of one's own need not care, but the entrypoint wants a word:
		// this is the one AWS's documentation uses.
		r.Handler = "bootstrap"
	}
	if r.Created.IsZero() {
		var err error
		if r.Created, err = sourceDate(); err != nil {
			return err
		}
	}
	r.Created = r.Created.UTC().Truncate(time.Second)
	if r.Progress == nil {
		r.Progress = func(Progress) {}
	}
	return nil
}

// sourceDate is the time that SOURCE_DATE_EPOCH gives, or the Unix epoch.
func sourceDate() (time.Time, error) {
	v, set := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !set || v == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	seconds, err := strconv.ParseInt(v, 10, 64)
	if err != nil || seconds < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q: it takes a number of seconds since 1970", v)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (r *Request) report(p Progress) { r.Progress(p) }

// sources are the archives in the image's order.
func (r *Request) sources() []layer.Source {
	return append(append([]layer.Source(nil), r.Layers...), r.Code)
}

// clashes refuses layers that disagree on whether a path is a directory.
func (r *Request) clashes() error {
	merge := make([]optfs.Layer, len(r.Layers))
	for i, l := range r.Layers {
		merge[i] = optfs.Layer{Source: l.Name, Dir: l.Dir}
	}
	clashes := optfs.Merge(merge...).Clashes
	if len(clashes) == 0 {
		return nil
	}
	c := clashes[0]
	return fmt.Errorf("build an image: /opt/%s is a %s in %s (layer %d) and a %s in %s (layer %d): what Lambda makes of that is not documented, so take it out of one of them",
		c.Path, kindName(c.Kinds[0]), r.Layers[c.Layers[0]-1].Name, c.Layers[0], kindName(c.Kinds[1]), r.Layers[c.Layers[1]-1].Name, c.Layers[1])
}

// readLinks reads every archive's links before the archives are used concurrently.
func (r *Request) readLinks() error {
	for _, s := range r.sources() {
		if err := s.Dir.ReadLinks(); err != nil {
			return fmt.Errorf("read the links of %s: %w", s.Name, err)
		}
	}
	return nil
}

func (r *Request) baseReference() (string, error) {
	if r.Base != "" {
		return r.Base, nil
	}
	tag, err := BaseFor(r.Runtime)
	if err != nil {
		return "", err
	}
	registry := r.BaseRegistry
	if registry == "" {
		registry = DefaultBaseRegistry
	}
	return strings.TrimSuffix(registry, "/") + "/" + tag, nil
}

// convert turns every archive into an image layer, several at a time, and an
// archive that is there twice once. Links go into the code's.
func (r *Request) convert(ctx context.Context, links []layer.Link) ([]*layer.Layer, error) {
	sources := r.sources()
	done := make([]*layer.Layer, len(sources))
	first := make(map[string]int, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel())
	for i, src := range sources {
		opts := layer.Options{Time: r.Created, Executables: r.Executables}
		if i == len(sources)-1 {
			opts.Links = links
		} else {
			if _, again := first[identity(src)]; again {
				continue
			}
			first[identity(src)] = i
		}
		group.Go(func() error {
			p := Progress{Stage: StageConvert, Item: src.Name, Total: src.Dir.Size}
			r.report(p)
			l, err := r.Store.Convert(ctx, src, opts, func(n int64) {
				p.Done = n
				r.report(p)
			})
			if err != nil {
				return fmt.Errorf("make an image layer of %s: %w", src.Name, err)
			}
			done[i] = l
			r.report(Progress{Stage: StageConvert, Item: src.Name, Done: src.Dir.Size, Total: src.Dir.Size, Finished: true})
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, src := range sources {
		if done[i] == nil {
			same := *done[first[identity(src)]]
			same.Source = src
			done[i] = &same
		}
	}
	return done, nil
}

// identity is equal for sources that are the same archive for sure.
func identity(src layer.Source) string {
	if src.SHA256 != "" {
		return src.SHA256
	}
	return fmt.Sprintf("%p", src.Dir)
}

func (r *Request) compose(base *Base, layers []*layer.Layer) (v1.Image, error) {
	r.report(Progress{Stage: StageCompose})
	labels, err := r.standardLabels(base)
	if err != nil {
		return nil, err
	}
	adds := make([]addition, len(layers))
	for i, src := range r.sources() {
		adds[i] = addition{layers[i].WithMediaType(familyOf(base.MediaType).layer), createdBy(src)}
	}
	img, err := compose(base, adds, settings{handler: r.Handler, created: r.Created, labels: labels})
	if err != nil {
		return nil, err
	}
	r.report(Progress{Stage: StageCompose, Finished: true})
	return img, nil
}

// check reads the finished image once, for the lint and the proof.
func (r *Request) check(ctx context.Context, scanner *scanner, b *Built) error {
	var err error
	if b.Size, err = compressedSize(b.Image); err != nil {
		return err
	}
	scanner.progress = counted(StageLint, b.Size, r.Progress)
	s, err := scanner.scan(ctx, b.Image)
	if err != nil {
		return fmt.Errorf("check the finished image: %w", err)
	}
	for _, l := range s.layers {
		b.Uncompressed += l.unpacked
	}
	b.Findings = lint(s, lambdaLimits)
	r.report(Progress{Stage: StageLint, Done: b.Size, Total: b.Size, Finished: true})
	total := int64(0)
	for _, src := range r.sources() {
		total += src.Dir.Unzipped
	}
	b.Proof, err = prove(ctx, s, r.Layers, &r.Code, len(s.layers)-len(b.Layers), counted(StageProve, total, r.Progress))
	if err != nil {
		return err
	}
	r.report(Progress{Stage: StageProve, Done: total, Total: total, Finished: true})
	return nil
}

// counted sums up bytes for a stage's progress; Done never goes backwards.
func counted(stage Stage, total int64, report func(Progress)) func(int64) {
	var mu sync.Mutex
	var done int64
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done = min(done+n, total)
		report(Progress{Stage: stage, Done: done, Total: total})
	}
}

func parallel() int { return runtime.GOMAXPROCS(0) }

func kindName(k zipdir.Kind) string {
	switch k {
	case zipdir.Dir:
		return "directory"
	case zipdir.Symlink:
		return "link"
	default:
		return "file"
	}
}
