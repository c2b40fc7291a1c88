package account

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

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
	events := make(chan Event, callsAtOnce)
	r := newRun(a)
	go func() {
		defer close(events)
		var regions sync.WaitGroup
		for _, region := range a.session.Regions {
			regions.Go(func() { r.region(ctx, region, events) })
		}
		regions.Wait()
		r.work.Wait()
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
	facts := newRun(a).measure(ctx, f, out)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return facts, nil
}

// run is one audit: what is asked once is shared among its functions.
type run struct {
	*Auditor
	work sync.WaitGroup

	mu     sync.Mutex
	slots  map[string]chan struct{} // for layers, by region: each has its own rate
	layers map[string]*pending[*LayerVersion]
	opts   map[string]*pending[*opt]
}

func newRun(a *Auditor) *run {
	return &run{
		Auditor: a, slots: map[string]chan struct{}{},
		layers: map[string]*pending[*LayerVersion]{}, opts: map[string]*pending[*opt]{},
	}
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

// region lists one region and starts measuring what it finds.
func (r *run) region(ctx context.Context, region string, events chan<- Event) {
	client := r.session.Lambda(region)
	pages := lambda.NewListFunctionsPaginator(client, &lambda.ListFunctionsInput{}, func(o *lambda.ListFunctionsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	seen := map[string]bool{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if ctx.Err() == nil {
				events <- Event{Region: &RegionError{Region: region, Message: session.Explain(fmt.Errorf("list functions: %w", err))}}
			}
			break
		}
		for i := range page.Functions {
			f := FromConfiguration(&page.Functions[i])
			// A function that is created while pages are turned may come twice.
			if seen[f.ARN] {
				continue
			}
			seen[f.ARN] = true
			f.Region = region
			events <- Event{Listed: &f}
			for _, l := range f.Layers {
				r.layer(ctx, client, l)
			}
			r.work.Go(func() {
				facts := r.measure(ctx, &f, nil)
				if ctx.Err() == nil {
					events <- Event{Facts: facts.light()}
				}
			})
		}
		events <- Event{Listing: &Listing{Region: region, Found: len(seen)}}
	}
	events <- Event{Listing: &Listing{Region: region, Found: len(seen), Done: true}}
}

// light leaves out the archives' file lists.
func (f *Facts) light() *Facts {
	f.Code.Dir = nil
	for i, l := range f.LayerFacts {
		c := *l
		c.Dir = nil
		f.LayerFacts[i] = &c
	}
	return f
}

// measure reads a function's archives and judges them. out is the answer of
// GetFunction where it is at hand.
func (r *run) measure(ctx context.Context, f *Function, out *lambda.GetFunctionOutput) *Facts {
	client := r.session.Lambda(f.Region)
	facts := &Facts{Function: *f, TagsState: Unknown, Code: Archive{State: Unknown}}
	waits := make([]*pending[*LayerVersion], len(f.Layers))
	for i, l := range f.Layers {
		waits[i] = r.layer(ctx, client, l)
	}
	var err error
	if out == nil {
		out, err = r.getFunction(ctx, client, f.ARN)
	}
	switch {
	case err != nil:
		facts.TagsState = stateOf(err)
		if f.PackageType != "Image" {
			facts.Code = Archive{State: stateOf(err), Message: session.Explain(err)}
		}
	default:
		facts.ManagedBy, facts.TagsState = managedBy(out)
		if f.PackageType != "Image" {
			facts.Code = r.archive(ctx, "code of "+f.Name, f.CodeSHA256, CodeLocator(client, f.ARN, out))
		}
	}
	for _, w := range waits {
		facts.LayerFacts = append(facts.LayerFacts, w.wait())
	}
	r.conclude(facts)
	return facts
}

// conclude works out what the archives mean together.
func (r *run) conclude(f *Facts) {
	f.sum()
	s := &subject{Facts: f, now: r.now()}
	if f.PackageType != "Image" {
		s.opt = r.opt(f)
		f.Extensions = s.extensions()
	}
	f.Findings = judge(s)
	f.Complete = true
}

func (r *run) getFunction(ctx context.Context, client *lambda.Client, arn string) (*lambda.GetFunctionOutput, error) {
	if err := acquire(ctx, r.calls); err != nil {
		return nil, err
	}
	defer release(r.calls)
	out, err := client.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &arn})
	if err != nil {
		return nil, fmt.Errorf("read function: %w", err)
	}
	return out, nil
}

// sum adds up code and layers.
func (f *Facts) sum() {
	f.Known = f.Code.State == OK
	f.Total = f.Code.Unzipped
	for _, l := range f.LayerFacts {
		f.Known = f.Known && l.State == OK
		f.Total += l.Unzipped
	}
}

// layer reads a layer version, once per run.
func (r *run) layer(ctx context.Context, client *lambda.Client, ref LayerRef) *pending[*LayerVersion] {
	return once(r, r.layers, ref.ARN, func() *LayerVersion { return r.readLayer(ctx, client, ref) })
}

func (r *run) readLayer(ctx context.Context, client *lambda.Client, ref LayerRef) *LayerVersion {
	l := &LayerVersion{ARN: ref.ARN, Size: ref.Size}
	fail := func(err error) *LayerVersion {
		l.Archive = Archive{State: stateOf(err), Message: session.Explain(err)}
		return l
	}
	slots := r.layerSlots(RegionOfARN(ref.ARN))
	if err := acquire(ctx, slots); err != nil {
		return fail(err)
	}
	out, err := layerVersion(ctx, client, ref.ARN)
	release(slots)
	if err != nil {
		return fail(err)
	}
	l.CodeSHA256 = aws.ToString(out.Content.CodeSha256)
	for _, v := range out.CompatibleRuntimes {
		l.Runtimes = append(l.Runtimes, string(v))
	}
	for _, v := range out.CompatibleArchitectures {
		l.Architectures = append(l.Architectures, string(v))
	}
	l.Archive = r.archive(ctx, ref.ARN, l.CodeSHA256, LayerLocator(client, ref.ARN, out))
	return l
}

func (r *run) layerSlots(region string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots[region] == nil {
		r.slots[region] = make(chan struct{}, layersAtOnce)
	}
	return r.slots[region]
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
