package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
)

// Run switches the ready functions of a plan, wave by wave. It refuses a plan with
// warnings that nobody accepted. The fleet's journal exists before anything is
// changed; its id is in the first event.
//
// Cancelling ctx stops every running switch at its safe place and begins nothing
// new. The report says where each function stands; it comes with an error when
// not all of them were switched, ctx's where that was the reason.
func (f *Fleet) Run(ctx context.Context, p *Plan, emit func(Event)) (*Report, error) {
	if err := f.may(p.Account); err != nil {
		return nil, err
	}
	if open := p.Unaccepted(); len(open) > 0 {
		ids := make([]string, len(open))
		for i, t := range open {
			ids[i] = "--accept " + t.ID
		}
		return nil, fmt.Errorf("%d warnings were not accepted: nothing was changed; read them in the plan, then add %s", len(open), strings.Join(ids, " "))
	}
	if len(p.Ready()) == 0 {
		return nil, errors.New("no function is ready to be switched: nothing was changed; the plan says what stands against each")
	}
	id := newID(time.Now())
	release, err := switchover.Lock(f.config.StateDir, id)
	if err != nil {
		return nil, err
	}
	defer release()
	j, err := createJournal(f.config.StateDir, id, p)
	if err != nil {
		return nil, err
	}
	return f.work(ctx, j, id, forward, emit)
}

// Resume goes on with a fleet where it stopped: with its switch, or with its
// rollback once that was begun.
func (f *Fleet) Resume(ctx context.Context, id string, emit func(Event)) (*Report, error) {
	return f.reopen(ctx, id, "", emit)
}

// Rollback puts the Zip functions of a fleet back, finished or not: the last ones
// first, and on after a failure, which the report names.
func (f *Fleet) Rollback(ctx context.Context, id string, emit func(Event)) (*Report, error) {
	return f.reopen(ctx, id, backward, emit)
}

func (f *Fleet) may(account string) error {
	switch {
	case !f.config.Session.Armed():
		return fmt.Errorf("nothing was changed: %w", session.ErrReadOnly)
	case account != f.config.Session.Account:
		return fmt.Errorf("this belongs to account %s and the session is in %s: nothing was changed", session.Clean(account), f.config.Session.Account)
	}
	return nil
}

func (f *Fleet) reopen(ctx context.Context, id, mode string, emit func(Event)) (*Report, error) {
	e, err := Read(f.config.StateDir, id)
	if err != nil {
		return nil, err
	}
	if err := f.may(e.Account); err != nil {
		return nil, err
	}
	release, err := switchover.Lock(f.config.StateDir, id)
	if err != nil {
		return nil, err
	}
	defer release()
	if e, err = Read(f.config.StateDir, id); err != nil { // again: it may have grown before the lock was ours
		return nil, err
	}
	if mode == "" {
		if mode = cmp.Or(e.mode, forward); mode == forward && slices.ContainsFunc(e.Functions, func(o Outcome) bool { return o.State == switchover.StateRolledBack }) {
			return nil, fmt.Errorf("functions of fleet %s were rolled back since: begin a new one with optlift migrate --where", id)
		}
	}
	if e.State == switchover.StateRolledBack && mode == backward {
		return nil, fmt.Errorf("fleet %s is rolled back already", id)
	}
	j, err := openJournal(f.config.StateDir, id)
	if err != nil {
		return nil, err
	}
	return f.work(ctx, j, id, mode, emit)
}

// run is one process's work on one fleet.
type run struct {
	fleet     *Fleet
	id, mode  string
	plan      *Plan
	j         *journal
	switchers *switchers

	mu       sync.Mutex
	emit     func(Event)
	outcomes []Outcome
	// broken is what went wrong with the journal: nothing new begins then.
	broken error
}

// work takes a fleet through a mode and ends it.
func (f *Fleet) work(ctx context.Context, j *journal, id, mode string, emit func(Event)) (_ *Report, err error) {
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.write(record{Kind: "run", Mode: mode}); err != nil {
		return nil, err
	}
	e, err := Read(f.config.StateDir, id)
	if err != nil {
		return nil, err
	}
	if emit == nil {
		emit = func(Event) {}
	}
	r := &run{fleet: f, id: id, mode: mode, plan: e.plan, j: j, switchers: f.switchers(id), emit: emit, outcomes: e.Functions}
	r.tell(Event{State: switchover.StateRunning, Message: "fleet " + id})
	waves := e.plan.Waves()
	act, goes := r.switchOne, switchover.StateDone
	if mode == backward {
		slices.Reverse(waves)
		act, goes = r.putBack, switchover.StateRolledBack
	}
	for _, wave := range waves {
		if ctx.Err() != nil || r.broken != nil {
			break
		}
		var running sync.WaitGroup
		for _, m := range wave {
			running.Go(func() { act(ctx, m) })
		}
		running.Wait()
		if mode == forward && slices.ContainsFunc(wave, func(m Member) bool { return r.outcome(m.Function).State != goes }) {
			break // the stop rule
		}
	}
	return r.end(ctx)
}

func (r *run) outcome(f Function) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcomes[slices.IndexFunc(r.outcomes, func(o Outcome) bool { return o.Function == f })]
}

// set keeps and tells where a function stands.
func (r *run) set(o Outcome) {
	r.mu.Lock()
	r.outcomes[slices.IndexFunc(r.outcomes, func(x Outcome) bool { return x.Function == o.Function })] = o
	r.mu.Unlock()
	if o.State != switchover.StateRunning {
		if err := r.j.write(record{Kind: "function", Outcome: &o}); err != nil {
			r.mu.Lock()
			r.broken = errors.Join(r.broken, err)
			r.mu.Unlock()
		}
	}
	r.tell(Event{Function: o.Function, Wave: o.Wave, State: o.State, Message: o.Message})
}

func (r *run) tell(e Event) {
	e.Fleet, e.At = r.id, time.Now().UTC()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.emit(e)
}

// switchOne begins a function's switch, or goes on with it.
func (r *run) switchOne(ctx context.Context, m Member) {
	o := r.outcome(m.Function)
	if o.State == switchover.StateDone {
		return
	}
	s := r.switchers.of(m.Region)
	r.drive(o, func(emit func(switchover.Event)) (*switchover.Result, error) {
		if o.Journal != "" {
			return s.Resume(ctx, o.Journal, emit)
		}
		snap, err := s.Capture(ctx, m.Name)
		if err != nil {
			return nil, err
		}
		return s.Apply(ctx, snap, m.Plan, m.Plan.Choices, emit)
	})
}

// putBack rolls a function's switch back, if it was begun.
func (r *run) putBack(ctx context.Context, m Member) {
	o := r.outcome(m.Function)
	if o.Journal == "" || o.State == switchover.StateRolledBack {
		return
	}
	r.drive(o, func(emit func(switchover.Event)) (*switchover.Result, error) {
		return r.switchers.of(m.Region).Rollback(ctx, o.Journal, emit)
	})
}

// drive takes one function through act and keeps how it ended.
func (r *run) drive(o Outcome, act func(func(switchover.Event)) (*switchover.Result, error)) {
	o.State, o.Message = switchover.StateRunning, ""
	r.set(o)
	res, err := act(func(e switchover.Event) {
		if e.Call == nil { // the step's end says what came of its calls
			r.tell(Event{Function: o.Function, Wave: o.Wave, Step: &e})
		}
	})
	switch {
	case res != nil:
		o.State, o.Journal, o.Message = res.State, res.Journal, res.Message
		o.Image, o.Gap = cmp.Or(res.Image, o.Image), cmp.Or(res.Gap, o.Gap)
	case errors.Is(err, context.Canceled):
		o.State, o.Message = switchover.StateStopped, "stopped before anything was changed"
	default:
		o.State, o.Message = switchover.StateFailed, session.Clean(session.Explain(err))
	}
	r.set(o)
}

// end writes the last line and the report.
func (r *run) end(ctx context.Context) (*Report, error) {
	rep := &Report{Schema: 1, Fleet: r.id, Account: r.plan.Account, Where: r.plan.Where, Functions: r.outcomes}
	goes := switchover.StateDone
	if r.mode == backward {
		goes = switchover.StateRolledBack
	}
	left := 0
	for _, o := range r.outcomes {
		// What was never begun needs no way back.
		if o.State != goes && o.State != Blocked && (r.mode == forward || o.Journal != "") {
			left++
		}
	}
	var err error
	switch failed := rep.Count(switchover.StateFailed); {
	case left == 0:
		rep.State = goes
	case ctx.Err() != nil:
		rep.State, err = switchover.StateStopped, ctx.Err()
	default:
		rep.State = switchover.StateFailed
		err = fmt.Errorf("%s of fleet %s failed: the report says what happened to each", plural(failed, "function"), r.id)
	}
	rep.Message = rep.summary(r.mode)
	if rep.State != goes {
		tail := " " + r.id + " --write --confirm " + r.plan.Confirmation()
		if r.mode == forward {
			rep.Next = append(rep.Next, "optlift resume"+tail)
		}
		rep.Next = append(rep.Next, "optlift rollback"+tail)
	}
	err = errors.Join(err, r.broken, r.j.write(record{Kind: "end", State: rep.State}))
	r.tell(Event{State: rep.State, Message: rep.Message})
	return rep, err
}

// summary counts the functions by state.
func (r *Report) summary(mode string) string {
	var parts []string
	for _, s := range []struct{ state, text string }{
		{switchover.StateDone, "%s switched"}, {switchover.StateRolledBack, "%s rolled back"}, {switchover.StateFailed, "%s failed"},
		{switchover.StateStopped, "%s stopped at a safe place"}, {Waiting, "%s not begun"}, {Blocked, "%s blocked and left alone"},
	} {
		if n := r.Count(s.state); n > 0 {
			parts = append(parts, fmt.Sprintf(s.text, plural(n, "function")))
		}
	}
	if mode == backward && r.Count(switchover.StateDone) > 0 {
		parts = append(parts, "what is switched could not be rolled back yet")
	}
	return strings.Join(parts, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
