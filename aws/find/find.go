package find

import (
	"context"
	"errors"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/zipdir"
)

// atOnce bounds the lists that are in memory and the reads that are in flight: what
// limits a search is the rate at which Lambda answers, not this.
const atOnce = 4

// MaxHits is how many paths are told of one layer version; Total counts them all.
const MaxHits = 200

// Layer is a layer version to look into.
type Layer struct {
	ARN string
	// SHA256 is its archive's as Lambda gives it, base64; "" where that is not known,
	// so that nothing on disk can answer for it.
	SHA256 string
}

// Result is what is known of one layer version after it was looked into.
type Result struct {
	ARN     string
	State   account.State
	Message string // why State is not OK
	OnDisk  bool   // answered without a question
	Total   int    // paths that match
	Hits    []Hit  // the first MaxHits of them, by path
}

// Finder looks into layer versions.
type Finder struct {
	// Cache is where lists may lie.
	Cache *archive.Cache
	// Open opens a layer version by its ARN, Explain says in one line why it can't.
	Open    func(ctx context.Context, targets ...string) (*target.Set, error)
	Explain func(error) string
}

// Find looks into layer versions and emits a result for each, those that are on disk
// first. emit is never called concurrently. The error is ctx's, or nil.
func (f *Finder) Find(ctx context.Context, p *Pattern, layers []Layer, emit func(Result)) error {
	var mu sync.Mutex // guards emit and left
	var left []Layer
	each(ctx, layers, func(l Layer) {
		hits, ok := f.onDisk(ctx, p, l)
		mu.Lock()
		defer mu.Unlock()
		if ok {
			emit(result(l.ARN, hits, true))
		} else {
			left = append(left, l)
		}
	})
	each(ctx, left, func(l Layer) {
		r := f.read(ctx, p, l)
		if ctx.Err() != nil {
			return // what was cut short says nothing of the layer
		}
		mu.Lock()
		defer mu.Unlock()
		emit(r)
	})
	return ctx.Err()
}

// each does work for some layers at once, and for no more of them once ctx has ended.
func each(ctx context.Context, layers []Layer, work func(Layer)) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, l := range layers {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			work(l)
			return nil
		})
	}
	_ = g.Wait() // the work has no errors
}

func result(arn string, hits []Hit, onDisk bool) Result {
	return Result{ARN: arn, State: account.OK, OnDisk: onDisk, Total: len(hits), Hits: hits[:min(len(hits), MaxHits)]}
}

// errNotOnDisk stands for every question that only AWS could answer.
var errNotOnDisk = errors.New("not on disk")

func (f *Finder) onDisk(ctx context.Context, p *Pattern, l Layer) ([]Hit, bool) {
	if l.SHA256 == "" {
		return nil, false
	}
	ask := func(context.Context) (archive.Location, error) { return archive.Location{}, errNotOnDisk }
	a, err := f.Cache.Open(ctx, nil, l.ARN, l.SHA256, ask)
	if err != nil {
		return nil, false
	}
	defer a.Close()
	dir, err := zipdir.Read(l.ARN, a, a.Size())
	if err != nil {
		var broken *zipdir.Error
		if errors.As(err, &broken) {
			a.Discard() // it may be the copy that is damaged
		}
		return nil, false
	}
	return p.In(dir), true
}

func (f *Finder) read(ctx context.Context, p *Pattern, l Layer) Result {
	fail := func(err error) Result {
		message := f.Explain(err)
		for _, what := range []string{"locate ", "read layer version "} { // of what, the result says
			message = strings.TrimPrefix(message, what+l.ARN+": ")
		}
		return Result{ARN: l.ARN, State: account.StateOf(err), Message: message}
	}
	set, err := f.Open(ctx, l.ARN)
	if err != nil {
		return fail(err)
	}
	// What was read is kept for the next search when the set is closed.
	defer set.Close()
	return result(l.ARN, p.In(set.Layers[0].Dir), false)
}
