package migrate

import (
	"context"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/switchover"
)

// gate holds a run before the step from which callers notice, until the user has
// said so.
type gate struct {
	mu     sync.Mutex
	before *switchover.Step // nil while nothing waits
	open   chan struct{}
	opened bool
}

// wait is called by the run.
func (g *gate) wait(ctx context.Context, before switchover.Step) error {
	g.mu.Lock()
	if !g.opened {
		g.before = &before
	}
	g.mu.Unlock()
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiting is the step that waits, nil for none.
func (g *gate) waiting() *switchover.Step {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.before
}

// pass lets the run go on.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.opened {
		g.opened, g.before = true, nil
		close(g.open)
	}
}

// gap is the span in which a replaced function's name does not answer, as far as
// it has come; the run's result has the measured one.
type gap struct{ from, to time.Time }

func (g *gap) take(e switchover.Event) {
	switch {
	case e.Step.Call == "DeleteFunction" && isReplacement(e.Step.ID, "delete-function") && e.State == switchover.Running && g.from.IsZero():
		g.from = e.At
	case e.Step.Call == "CreateFunction" && isReplacement(e.Step.ID, "create-function") && !g.from.IsZero() &&
		(e.State == switchover.Done || e.State == switchover.Skipped):
		g.to = e.At
	}
}

// isReplacement compares a step's id; those of the way back have a prefix.
func isReplacement(id, want string) bool { return id == want || id == "undo:"+want }

// open reports whether the name does not answer now.
func (g *gap) open() bool { return !g.from.IsZero() && g.to.IsZero() }
