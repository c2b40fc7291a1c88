package events

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(q *Queue, d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
	q.Wake()
}

// An event is tried when the clock says so, and not before.
func TestQueueFollowsTheClock(t *testing.T) {
	var mu sync.Mutex
	var tried []time.Time
	c := &clock{now: start}
	q := New(c.time, func(context.Context, Event) Outcome {
		mu.Lock()
		defer mu.Unlock()
		tried = append(tried, c.time())
		return Outcome{Settings: Settings{Retries: 2, Age: DefaultAge}, FunctionError: "Unhandled", Version: "1"}
	}, func(context.Context, Event, *Delivery) { t.Error("delivered without a destination") })
	t.Cleanup(q.Close)
	q.Add(Event{ID: "e"})
	for i, step := range []struct {
		move time.Duration
		want int
	}{{0, 1}, {59 * time.Second, 1}, {time.Second, 2}, {119 * time.Second, 2}, {time.Second, 3}, {time.Hour, 3}} {
		c.advance(q, step.move)
		list, err := q.List(t.Context())
		if err != nil || len(list) != 1 || list[0].Invocations != step.want {
			t.Fatalf("step %d: %+v %v, want %d attempts", i, list, err, step.want)
		}
	}
	if list, _ := q.List(t.Context()); list[0].Condition != RetriesExhausted || !list[0].Due.IsZero() {
		t.Errorf("%+v", list[0])
	}
}

// An attempt that is cut off has not been: the event is tried again by the queue
// that it is loaded into.
func TestCloseKeepsEvents(t *testing.T) {
	c := &clock{now: start}
	begun := make(chan struct{})
	q := New(c.time, func(ctx context.Context, _ Event) Outcome {
		close(begun)
		<-ctx.Done()
		return Outcome{Version: "1"}
	}, nil)
	q.Add(Event{ID: "e"})
	<-begun
	q.Close()
	saved := q.Saved()
	if len(saved) != 1 || saved[0].Condition != "" || saved[0].Invocations != 0 {
		t.Fatalf("%+v", saved)
	}
	again := New(c.time, func(_ context.Context, e Event) Outcome { return Outcome{Version: "1"} }, nil)
	t.Cleanup(again.Close)
	again.Load(saved)
	if list, err := again.List(t.Context()); err != nil || len(list) != 1 || list[0].Condition != Success {
		t.Errorf("%+v %v", list, err)
	}
}

// However many events come, only so many run at once, and only so many that have
// ended are remembered.
func TestManyEvents(t *testing.T) {
	const many = 3 * mostEnded
	var mu sync.Mutex
	now, peak, ran := 0, 0, 0
	c := &clock{now: start}
	q := New(c.time, func(context.Context, Event) Outcome {
		mu.Lock()
		now++
		ran++
		peak = max(peak, now)
		mu.Unlock()
		defer func() {
			mu.Lock()
			now--
			mu.Unlock()
		}()
		return Outcome{Version: "1"}
	}, nil)
	t.Cleanup(q.Close)
	for i := range many {
		q.Add(Event{ID: fmt.Sprint(i)})
	}
	list, err := q.List(t.Context())
	if err != nil || ran != many || peak > mostAtOnce || len(list) > mostEnded || len(list) < mostEnded/2 {
		t.Errorf("%d ran, %d at once, %d remembered, %v", ran, peak, len(list), err)
	}
}

// What an event sets off follows it in the list, also when it ends first.
func TestCausesComeFirst(t *testing.T) {
	c := &clock{now: start}
	var q *Queue
	q = New(c.time, func(_ context.Context, e Event) Outcome {
		o := Outcome{Version: "1", Settings: Settings{Age: DefaultAge}}
		if e.ID == "cause" {
			o.Settings.OnSuccess = "arn:aws:lambda:eu-central-1:123456789012:function:next"
		}
		return o
	}, func(ctx context.Context, _ Event, _ *Delivery) {
		q.Add(Event{ID: "effect"})
		for {
			q.mu.Lock()
			ended, moved := len(q.waiting) == 0, q.moved
			q.mu.Unlock()
			if ended {
				return
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(q.Close)
	q.Add(Event{ID: "cause"})
	list, err := q.List(t.Context())
	if err != nil || len(list) != 2 || list[0].ID != "cause" || list[1].ID != "effect" {
		t.Errorf("%+v %v", list, err)
	}
}
