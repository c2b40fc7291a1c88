package job

import (
	"context"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
)

// ID tells jobs apart.
type ID int64

// Done is the last message of a job.
type Done struct {
	ID    ID
	Value any // what the work returned
	Err   error
}

// Job is one piece of work under way or finished.
type Job struct {
	ID   ID
	Name string
	// Guarded work changes an account: it is never cut short without asking.
	Guarded bool

	cancel    context.CancelFunc
	cancelled atomic.Bool
	done      chan struct{}
	result    Done
}

// Cancel asks the work to end. It returns at once.
func (j *Job) Cancel() {
	j.cancelled.Store(true)
	j.cancel()
}

// Cancelled reports whether Cancel was called.
func (j *Job) Cancelled() bool { return j.cancelled.Load() }

// Wait returns when the work has ended.
func (j *Job) Wait() { <-j.done }

// Result is the job's last message; ok is false while it is under way.
func (j *Job) Result() (d Done, ok bool) {
	select {
	case <-j.done:
		return j.result, true
	default:
		return Done{}, false
	}
}

// Group runs jobs. Its methods are safe for concurrent use.
type Group struct {
	ctx     context.Context
	mu      sync.Mutex
	last    ID
	running map[ID]*Job
	wg      sync.WaitGroup
}

// NewGroup returns a group whose jobs end with ctx.
func NewGroup(ctx context.Context) *Group {
	return &Group{ctx: ctx, running: map[ID]*Job{}}
}

// Start runs work in its own goroutine. The command answers with the job's Done
// once it is finished; the work does not depend on the command being run.
func (g *Group) Start(name string, guarded bool, work func(ctx context.Context) (any, error)) (*Job, tea.Cmd) {
	ctx, cancel := context.WithCancel(g.ctx)
	g.mu.Lock()
	g.last++
	j := &Job{ID: g.last, Name: name, Guarded: guarded, cancel: cancel, done: make(chan struct{})}
	g.running[j.ID] = j
	g.wg.Add(1)
	g.mu.Unlock()
	go func() {
		defer g.wg.Done()
		defer cancel()
		value, err := work(ctx)
		g.mu.Lock()
		delete(g.running, j.ID)
		g.mu.Unlock()
		j.result = Done{ID: j.ID, Value: value, Err: err}
		close(j.done)
	}()
	return j, func() tea.Msg {
		<-j.done
		return j.result
	}
}

// Active is the number of jobs under way.
func (g *Group) Active() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.running)
}

// Guarded returns a job under way that changes an account, or nil.
func (g *Group) Guarded() *Job {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, j := range g.running {
		if j.Guarded {
			return j
		}
	}
	return nil
}

// Cancel asks every job to end.
func (g *Group) Cancel() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, j := range g.running {
		j.Cancel()
	}
}

// Wait returns when no job is under way.
func (g *Group) Wait() { g.wg.Wait() }

// Stream carries events from work to the screens. Put never blocks. The zero
// value is ready for use; it is safe for concurrent use.
type Stream[E any] struct {
	// Merge, when set, may fold an event into the last one that has not been
	// taken yet, and reports whether it did: progress need not pile up.
	Merge func(last *E, e E) bool

	mu     sync.Mutex
	events []E
	closed bool
}

// Close lets nothing more in: what is said after the work has ended is not true of it.
func (s *Stream[E]) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// Put adds an event.
func (s *Stream[E]) Put(e E) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if n := len(s.events); n > 0 && s.Merge != nil && s.Merge(&s.events[n-1], e) {
		return
	}
	s.events = append(s.events, e)
}

// Take returns what has been put since the last call.
func (s *Stream[E]) Take() []E {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}
