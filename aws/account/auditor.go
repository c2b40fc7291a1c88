package account

import (
	"context"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/lru"
)

const (
	// archivesAtOnce and callsAtOnce bound what is in flight; the rates of
	// aws/session are what limits an audit, not these.
	archivesAtOnce = 32
	callsAtOnce    = 64
	// layersAtOnce is enough to use up the rate that layers share with the
	// listing at a round trip of 200 ms, and leaves the next page a short queue:
	// functions are read at a rate of their own as soon as they are listed.
	layersAtOnce = 3
	// CacheBytes caps the directories kept on disk.
	CacheBytes = 256 << 20
)

// Auditor reads a session's account. It is safe for concurrent use.
type Auditor struct {
	// Freshness is set before the first audit; the zero value asks AWS for
	// everything and keeps no answer.
	Freshness Freshness

	session  *session.Session
	cache    *archive.Cache
	archives chan struct{}
	calls    chan struct{}
	now      func() time.Time
}

// NewAuditor returns an auditor that keeps archives' directories in cacheDir
// ("" keeps none between runs).
func NewAuditor(s *session.Session, cacheDir string) *Auditor {
	return &Auditor{
		session: s, cache: archive.OpenCache(cacheDir),
		archives: make(chan struct{}, archivesAtOnce), calls: make(chan struct{}, callsAtOnce),
		now: time.Now,
	}
}

// Audit lists and measures every function of every region of the session. It
// calls emit from one goroutine, in order, never concurrently. One function's
// failure never hides the others; the error is ctx's, or nil.
func (a *Auditor) Audit(ctx context.Context, emit func(Event)) error {
	return a.audit(ctx, newRun(a), emit)
}

// Layers is Audit without a look at the functions' code and tags: the Facts hold
// what a listing tells and the layer versions, and are never complete. It asks as
// often as there are pages and layer versions, whatever the number of functions.
func (a *Auditor) Layers(ctx context.Context, emit func(Event)) error {
	r := newRun(a)
	r.layersOnly = true
	return a.audit(ctx, r, emit)
}

func (a *Auditor) audit(ctx context.Context, r *run, emit func(Event)) error {
	events := make(chan Event, callsAtOnce)
	go func() {
		defer close(events)
		r.everywhere(ctx, events)
		if a.Freshness.Behind && !r.layersOnly {
			r.again(ctx, events)
		}
	}()
	for e := range events {
		emit(e)
	}
	// A cache that can't be trimmed is the next run's concern.
	_, _ = a.cache.Prune(lru.Limit{Bytes: CacheBytes})
	return ctx.Err()
}

// Measure reads one function by name or ARN, with its archives and their file
// lists. That an archive could not be read is in the Facts; the error is about
// the function itself.
func (a *Auditor) Measure(ctx context.Context, nameOrARN string) (*Facts, error) {
	f, out, err := Lookup(ctx, a.session, nameOrARN)
	if err != nil {
		return nil, err
	}
	facts := newRun(a).measure(ctx, f, out, false)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return facts, nil
}

// run is one audit: what is asked once is shared among its functions.
type run struct {
	*Auditor
	work sync.WaitGroup
	// layersOnly leaves the functions' code and tags unasked.
	layersOnly bool

	mu     sync.Mutex
	places map[string]*place // by region
	layers map[string]*pending[*LayerVersion]
	opts   map[string]*pending[*opt]
	old    []*Function // told, at least in part, from an earlier run's answers

	peek func(ctx context.Context, l *LayerVersion, name string) head
}

func newRun(a *Auditor) *run {
	r := &run{
		Auditor: a, places: map[string]*place{},
		layers: map[string]*pending[*LayerVersion]{}, opts: map[string]*pending[*opt]{},
	}
	r.peek = r.peekInto
	return r
}

// everywhere audits every region.
func (r *run) everywhere(ctx context.Context, events chan<- Event) {
	var regions sync.WaitGroup
	for _, region := range r.session.Regions {
		regions.Go(func() { r.region(ctx, r.place(region), events) })
	}
	regions.Wait()
	r.work.Wait()
	r.save()
}

// pending is a value that somebody is working on.
type pending[T any] struct {
	done  chan struct{}
	value T
}

// once starts make for the first asker of key and returns what everybody waits for.
func once[T any](r *run, m map[string]*pending[T], key string, make_ func() T) *pending[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := m[key]
	if p == nil {
		p = &pending[T]{done: make(chan struct{})}
		m[key] = p
		go func() {
			defer close(p.done)
			p.value = make_()
		}()
	}
	return p
}

func (p *pending[T]) wait() T {
	<-p.done
	return p.value
}

func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func release(slots chan struct{}) { <-slots }
