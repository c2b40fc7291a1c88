package image

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/optlift/optlift/build/layer"
)

// Stage is a part of a build.
type Stage string

// The stages of a build, in order. Base, archives and new layers are read for
// lint and proof while the archives are converted; each byte is read once.
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
// Archives may still be arriving (see layer.Source.Verify). Nothing is built of
// one that does not verify.
//
// The base's layers are read lazily: ctx must outlive the use of Built.Image.
func Build(ctx context.Context, req Request) (*Built, error) {
	if err := req.complete(); err != nil {
		return nil, err
	}
	if err := req.clashes(); err != nil {
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
	scanner := &scanner{hashes: true}
	links, err := req.bootstrap(ctx, scanner, base)
	if err != nil {
		return nil, err
	}
	built := &Built{Base: base}
	want, err := req.pass(ctx, scanner, built, links)
	if err != nil {
		return nil, err
	}
	if built.Image, err = req.compose(base, built.Layers); err != nil {
		return nil, err
	}
	if err := req.check(ctx, scanner, built, want); err != nil {
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
	return &baseCache{dir: r.BaseCache, max: BaseCacheBytes}
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
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return nil, fmt.Errorf("compose the image: %w", err)
	}
	r.Early(config)
	r.report(Progress{Stage: StageCompose, Finished: true})
	return img, nil
}

// check lints and proves the finished image. What of it the pass has not read is
// read now.
func (r *Request) check(ctx context.Context, scanner *scanner, b *Built, want expected) error {
	var err error
	if b.Size, err = compressedSize(b.Image); err != nil {
		return err
	}
	total := want.bytes()
	scanner.progress = counted(StageLint, b.Size, r.Progress)
	s, err := scanner.scan(ctx, b.Image)
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
	proved := Progress{Stage: StageProve, Done: total, Total: total}
	r.report(proved)
	if b.Proof, err = proveTwins(ctx, scanner, b.Image, s, want, len(s.layers)-len(b.Layers)); err != nil {
		return err
	}
	// There may have been nothing left that would have noticed.
	if err := ctx.Err(); err != nil {
		return err
	}
	proved.Finished = true
	r.report(proved)
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
