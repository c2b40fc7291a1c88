package ui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/image"
)

const fakeFleet = "fleet-20260314-092653-4f1c2e"

// standsAgainst is what blocks the fake's functions.
var standsAgainst = map[string]switchover.Notice{
	"legacy-export": {ID: "layer-unreadable", Message: "Layer legacy-tools:1 is deleted: the Zip function could not be created again with it, so there would be no way back."},
	"billing-sync":  {ID: "stack-managed", Message: "The stack billing manages this function and would undo the switch: change its template instead."},
}

func (b *fakeBackend) PlanFleet(ctx context.Context, functions []fleet.Function, o fleet.Options, progress func(done, total int)) (*fleet.Plan, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.planErr != nil {
		return nil, b.planErr
	}
	o.Choices.Repository = fleet.DefaultRepository
	p := &fleet.Plan{Schema: fleet.PlanSchema, Account: fakeAccount, Wave: o.Wave, Choices: o.Choices, Members: []fleet.Member{}}
	for i, f := range functions {
		one := *b.plan
		one.Function, one.ARN, one.Strategy, one.Choices = f.Name, arn("function", f.Name), o.Choices.Strategy, o.Choices
		one.Warnings = slices.Clone(one.Warnings)
		if f.Name == "orders-api" {
			one.Warnings = append(one.Warnings, switchover.Notice{ID: "async-events", Message: "Events that wait while the function is away are tried again for up to 6 hours."})
		}
		if n, ok := standsAgainst[f.Name]; ok {
			n.Message += b.remark
			one.Blockers = []switchover.Notice{n}
		}
		p.Members = append(p.Members, fleet.Member{Function: f, Plan: &one})
		progress(i+1, len(functions))
	}
	return p, nil
}

// RunFleet takes the waves' functions through the first two steps of the plan,
// one event at a time; b.breaks is the one that fails.
func (b *fakeBackend) RunFleet(ctx context.Context, p *fleet.Plan, emit func(fleet.Event)) (*fleet.Report, error) {
	if !b.Armed() {
		return nil, errors.New("read-only")
	}
	if open := p.Unaccepted(); len(open) > 0 {
		return nil, errors.New("not accepted: " + open[0].ID)
	}
	b.note("fleet " + p.Confirmation())
	e := fleet.Entry{ID: fakeFleet, Account: fakeAccount, Started: epoch}
	for _, m := range p.Members {
		o := fleet.Outcome{Function: m.Function, State: fleet.Waiting}
		if !m.Ready() {
			o.State, o.Message = fleet.Blocked, m.Blockers()[0].ID+": "+m.Blockers()[0].Message
		}
		e.Functions = append(e.Functions, o)
	}
	for w, wave := range p.Waves() {
		for _, m := range wave {
			e.Functions[slices.IndexFunc(e.Functions, func(o fleet.Outcome) bool { return o.Function == m.Function })].Wave = w + 1
		}
	}
	return b.walkFleet(ctx, e, false, emit)
}

// walkFleet goes through the functions, the last ones first on the way back.
func (b *fakeBackend) walkFleet(ctx context.Context, e fleet.Entry, back bool, emit func(fleet.Event)) (*fleet.Report, error) {
	emit(fleet.Event{Fleet: e.ID, State: switchover.StateRunning})
	order := make([]int, len(e.Functions))
	for i := range order {
		order[i] = i
	}
	goes := switchover.StateDone
	if back {
		slices.Reverse(order)
		goes = switchover.StateRolledBack
	}
	state, message := goes, "each is where it was to be"
	var err error
	for _, i := range order {
		o := &e.Functions[i]
		if o.State == goes || o.Wave == 0 || back && o.Journal == "" {
			continue
		}
		if ctx.Err() != nil {
			state, message, err = switchover.StateStopped, "stopped at a safe place", ctx.Err()
			break
		}
		tell := func(ev fleet.Event) {
			ev.Fleet, ev.Function, ev.Wave, ev.At = e.ID, o.Function, o.Wave, epoch
			emit(ev)
		}
		o.State, o.Journal = switchover.StateRunning, "20260314-092653-"+o.Name
		tell(fleet.Event{State: o.State})
		for _, s := range b.plan.Steps[:3] {
			tell(fleet.Event{Step: &switchover.Event{Step: s, State: switchover.Running}})
			if s.ID == "push-image" {
				tell(fleet.Event{Step: &switchover.Event{Step: s, State: switchover.Running, Image: &image.Progress{Stage: image.StageWrite, Item: "deps", Done: 12 * mib, Total: 40 * mib}}})
			}
			if b.step != nil {
				<-b.step // a running step is not cut short
			}
			tell(fleet.Event{Step: &switchover.Event{Step: s, State: switchover.Done}})
		}
		if o.Name == b.breaks && !back {
			o.State, o.Message = switchover.StateFailed, "push-image: PutImage orders-api: AccessDeniedException: ask for ecr:PutImage; nothing was deleted"+b.remark
			tell(fleet.Event{State: o.State, Message: o.Message})
			state, message, err = switchover.StateFailed, "1 function failed", fmt.Errorf("1 function of fleet %s failed: the report says what happened to each", e.ID)
			break
		}
		o.State, o.Message, o.Gap = goes, "", 3200*time.Millisecond
		tell(fleet.Event{State: o.State})
	}
	e.State = state
	b.mu.Lock()
	b.fleets = []fleet.Entry{e}
	b.mu.Unlock()
	r := &fleet.Report{Fleet: e.ID, Account: e.Account, State: state, Functions: slices.Clone(e.Functions), Message: message}
	if err != nil {
		r.Next = []string{"optlift resume " + e.ID + " --write --confirm " + e.Confirmation(), "optlift rollback " + e.ID + " --write --confirm " + e.Confirmation()}
	}
	return r, err
}

func (b *fakeBackend) ResumeFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error) {
	e, err := b.Fleet(id)
	if err != nil {
		return nil, err
	}
	b.note("resume " + id)
	b.breaks = ""
	return b.walkFleet(ctx, *e, false, emit)
}

func (b *fakeBackend) RollbackFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error) {
	e, err := b.Fleet(id)
	if err != nil {
		return nil, err
	}
	b.note("rollback " + id)
	return b.walkFleet(ctx, *e, true, emit)
}

func (b *fakeBackend) FleetJournals() ([]fleet.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.fleets), nil
}

func (b *fakeBackend) Fleet(id string) (*fleet.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.fleets {
		if e.ID == id {
			e.Functions = slices.Clone(e.Functions)
			return &e, nil
		}
	}
	return nil, fmt.Errorf("no fleet %s", id)
}
