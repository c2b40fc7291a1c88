package image

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"golang.org/x/sync/errgroup"
)

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
		return fmt.Sprintf("the image breaks %s of Lambda's for images; the first: %s: %s. %s",
			count(len(broken), "rule"), broken[0].where(), broken[0].Message, broken[0].Remedy)
	}
	d := e.Built.Proof.Differences
	return fmt.Sprintf("the image does not hold what the archives hold: %s, the first at %s: want %s, got %s",
		count(len(d), "difference"), d[0].Path, orNothing(d[0].Want), orNothing(d[0].Got))
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
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
	if cache := req.cache(); cache != nil {
		base.Image = cache.image(base.Image)
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

// cache is where the base's layers are kept, nil if nowhere: a base on disk needs
// no copy.
func (r *Request) cache() *baseCache {
	if r.BaseCache == "" || strings.HasPrefix(r.Base, "oci:") || strings.HasPrefix(r.Base, "docker:") {
		return nil
	}
	return &baseCache{r.BaseCache, baseCacheBytes}
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

// check reads the finished image once, for the lint and the proof, and the
// archives again beside it.
func (r *Request) check(ctx context.Context, scanner *scanner, b *Built) error {
	var err error
	if b.Size, err = compressedSize(b.Image); err != nil {
		return err
	}
	want, err := expect(r.Layers, &r.Code)
	if err != nil {
		return err
	}
	total := want.bytes()
	scanner.progress = counted(StageLint, b.Size, r.Progress)
	s, err := scanBeside(ctx, scanner, b.Image, want, counted(StageProve, total, r.Progress))
	if err != nil {
		return fmt.Errorf("check the finished image: %w", err)
	}
	if cache := r.cache(); cache != nil {
		cache.forget(s.layers)
	}
	for _, l := range s.layers {
		b.Uncompressed += l.unpacked
	}
	b.Findings = lint(s, lambdaLimits)
	r.report(Progress{Stage: StageLint, Done: b.Size, Total: b.Size, Finished: true})
	if b.Proof, err = prove(s, want, len(s.layers)-len(b.Layers)); err != nil {
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
