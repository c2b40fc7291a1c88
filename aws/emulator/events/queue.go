package events

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// mostEnded is how many ended events are remembered; the oldest go first.
	mostEnded = 1000
	// mostAtOnce is how many attempts are under way at a time.
	mostAtOnce = 16
	// look is how long the queue trusts its clock to go on as time does: tests
	// move it.
	look = time.Second
)

// Queue holds the events of an account. It is safe for concurrent use.
type Queue struct {
	now     func() time.Time
	attempt func(context.Context, Event) Outcome
	deliver func(context.Context, Event, *Delivery)

	mu      sync.Mutex
	waiting []*Event // in the order they came
	ended   []*Event // in the order they ended
	running map[*Event]bool
	moved   chan struct{} // closed and made again with every change
	started bool
	wake    chan struct{}
	life    context.Context
	stop    context.CancelFunc
	over    sync.WaitGroup
}

// New makes an empty queue by a clock. attempt runs the function once, by its
// context's end; deliver sends what is meant for this account's own parts, and
// sets the delivery's Error. Both may be called from several goroutines.
func New(now func() time.Time, attempt func(context.Context, Event) Outcome, deliver func(context.Context, Event, *Delivery)) *Queue {
	q := &Queue{now: now, attempt: attempt, deliver: deliver, running: map[*Event]bool{}, moved: make(chan struct{}), wake: make(chan struct{}, 1)}
	q.life, q.stop = context.WithCancel(context.Background())
	return q
}

// Add queues an event, for now.
func (q *Queue) Add(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(e.Payload) == 0 {
		e.Payload = []byte("{}")
	}
	e.Queued = q.now()
	e.Due = e.Queued
	q.waiting = append(q.waiting, &e)
	q.start()
	q.Wake()
}

// start begins to work, when there is work for the first time. The caller holds q.mu.
func (q *Queue) start() {
	if q.started || q.life.Err() != nil {
		return
	}
	q.started = true
	q.over.Go(q.work)
}

// Wake looks at the clock, which has been moved.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// work begins what is due, and sleeps until something may be.
func (q *Queue) work() {
	timer := time.NewTimer(look)
	defer timer.Stop()
	for q.life.Err() == nil {
		if next, more := q.begin(); more {
			timer.Reset(min(next, look))
		} else {
			timer.Stop()
		}
		select {
		case <-q.life.Done():
		case <-q.wake:
		case <-timer.C:
		}
	}
}

// begin starts the attempts that are due. It returns how long until the next one
// is, and whether there is one to wait for.
func (q *Queue) begin() (next time.Duration, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	for _, e := range q.waiting {
		switch wait := e.Due.Sub(now); {
		case q.running[e]:
		case wait <= 0 && len(q.running) < mostAtOnce:
			q.running[e] = true
			q.over.Go(func() { q.try(e) })
		case wait > 0 && (!more || wait < next):
			next, more = wait, true
		}
	}
	return next, more
}

// try makes one attempt. One that is cut off by the queue's end has never been.
func (q *Queue) try(e *Event) {
	q.mu.Lock()
	seen := *e
	q.mu.Unlock()
	o := q.attempt(q.life, seen)
	if q.life.Err() == nil {
		seen.after(o, q.now())
		q.settle(e, seen)
		for i := range seen.Deliveries {
			if d := &seen.Deliveries[i]; d.Error == "" {
				q.deliver(q.life, seen, d)
			}
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, e)
	*e = seen
	close(q.moved)
	q.moved = make(chan struct{})
	q.Wake()
}

// settle puts an event among the ended if its attempt was the last, before anything
// is delivered: what a delivery sets off must not end before its cause.
func (q *Queue) settle(e *Event, seen Event) {
	if seen.Condition == "" {
		return
	}
	seen.Deliveries = slices.Clone(seen.Deliveries) // the caller goes on filling its own
	q.mu.Lock()
	defer q.mu.Unlock()
	*e = seen
	q.waiting = slices.DeleteFunc(q.waiting, func(w *Event) bool { return w == e })
	q.ended = append(q.ended, e)
	if len(q.ended) > mostEnded {
		q.ended = slices.Clone(q.ended[len(q.ended)-mostEnded/2:])
	}
}

// List waits until no attempt is due or under way, and returns the events that
// have ended, in that order, then those that wait for their next attempt. What it
// returns must not be changed.
func (q *Queue) List(ctx context.Context) ([]Event, error) {
	for {
		q.mu.Lock()
		now, busy := q.now(), len(q.running) > 0
		for _, e := range q.waiting {
			busy = busy || !e.Due.After(now)
		}
		moved := q.moved
		if !busy || q.life.Err() != nil {
			defer q.mu.Unlock()
			return q.all(), nil
		}
		q.mu.Unlock()
		q.Wake()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-moved:
		case <-q.life.Done():
		}
	}
}

// all lists the events. The caller holds q.mu.
func (q *Queue) all() []Event {
	out := make([]Event, 0, len(q.ended)+len(q.waiting))
	for _, e := range slices.Concat(q.ended, q.waiting) {
		out = append(out, *e)
	}
	return out
}

// Close cuts attempts off and waits for them; their events stay in the queue.
func (q *Queue) Close() {
	q.mu.Lock() // nothing starts to work any more
	q.stop()
	q.mu.Unlock()
	q.over.Wait()
}

// Saved is what Load takes, after Close.
func (q *Queue) Saved() []Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all()
}

// Load puts saved events into an empty queue and goes on with them.
func (q *Queue) Load(saved []Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range saved {
		if e.Condition != "" {
			q.ended = append(q.ended, &e)
		} else {
			q.waiting = append(q.waiting, &e)
		}
	}
	if len(q.waiting) > 0 {
		q.start()
	}
}
