package main

import (
	"context"

	"github.com/optlift/optlift/aws/fleet"
)

// PlanFleet plans the switch of functions that were marked on screen.
func (w *workspace) PlanFleet(ctx context.Context, functions []fleet.Function, o fleet.Options, progress func(done, total int)) (*fleet.Plan, error) {
	f, err := w.app.fleet(ctx)
	if err != nil {
		return nil, err
	}
	return f.Plan(ctx, functions, o, progress)
}

// RunFleet switches the functions of a plan.
func (w *workspace) RunFleet(ctx context.Context, p *fleet.Plan, emit func(fleet.Event)) (*fleet.Report, error) {
	f, err := w.app.fleet(ctx)
	if err != nil {
		return nil, err
	}
	return f.Run(ctx, p, emit)
}

// ResumeFleet goes on with a fleet.
func (w *workspace) ResumeFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error) {
	f, err := w.app.fleet(ctx)
	if err != nil {
		return nil, err
	}
	return f.Resume(ctx, id, emit)
}

// RollbackFleet takes a fleet back.
func (w *workspace) RollbackFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error) {
	f, err := w.app.fleet(ctx)
	if err != nil {
		return nil, err
	}
	return f.Rollback(ctx, id, emit)
}

// FleetJournals lists the fleets switched from this machine, newest first.
func (w *workspace) FleetJournals() ([]fleet.Entry, error) {
	dir, err := w.app.state()
	if err != nil {
		return nil, err
	}
	return fleet.List(dir)
}

// Fleet reads one fleet from the journal.
func (w *workspace) Fleet(id string) (*fleet.Entry, error) {
	dir, err := w.app.state()
	if err != nil {
		return nil, err
	}
	return fleet.Read(dir, id)
}

// PlanFleet refuses: a fleet is of one account.
func (s *accounts) PlanFleet(context.Context, []fleet.Function, fleet.Options, func(done, total int)) (*fleet.Plan, error) {
	return nil, errOneProfile
}

// RunFleet refuses, as PlanFleet does.
func (s *accounts) RunFleet(context.Context, *fleet.Plan, func(fleet.Event)) (*fleet.Report, error) {
	return nil, errOneProfile
}

// ResumeFleet refuses, as PlanFleet does.
func (s *accounts) ResumeFleet(context.Context, string, func(fleet.Event)) (*fleet.Report, error) {
	return nil, errOneProfile
}

// RollbackFleet refuses, as PlanFleet does.
func (s *accounts) RollbackFleet(context.Context, string, func(fleet.Event)) (*fleet.Report, error) {
	return nil, errOneProfile
}

// FleetJournals lists the fleets switched from this machine, newest first.
func (s *accounts) FleetJournals() ([]fleet.Entry, error) {
	return (&workspace{app: s.app}).FleetJournals()
}

// Fleet reads one fleet from the journal.
func (s *accounts) Fleet(id string) (*fleet.Entry, error) {
	return (&workspace{app: s.app}).Fleet(id)
}
