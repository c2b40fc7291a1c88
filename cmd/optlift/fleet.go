package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
)

// fleetFlags choose many functions instead of one.
type fleetFlags struct {
	where string
	wave  int
}

func (f *fleetFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.where, "where", "", "all functions that pass this filter, as of audit --filter, instead of one FUNCTION")
	c.Flags().IntVar(&f.wave, "wave", 1, "with --where: how many functions are switched at once; the next ones follow when all of these succeeded")
}

// one returns the one function that was named, or "" for many. saved tells that a
// plan was given, which names its functions itself.
func (f *fleetFlags) one(c *cobra.Command, names []string, saved bool) (string, error) {
	many := c.Flags().Changed("where")
	switch {
	case many && len(names) > 0:
		return "", usagef("give a FUNCTION or --where FILTER, not both")
	case many && strings.TrimSpace(f.where) == "":
		return "", usagef("--where needs a filter: an empty one would take every function")
	case f.wave < 1:
		return "", usagef("--wave takes a number of functions, at least 1")
	case many || saved && len(names) == 0:
		return "", nil
	case len(names) == 0:
		return "", usagef("name a FUNCTION, or choose many with --where FILTER: see %s --help", c.CommandPath())
	case c.Flags().Changed("wave"):
		return "", usagef("--wave is for --where FILTER")
	}
	return names[0], nil
}

func (a *app) fleet(ctx context.Context) (*fleet.Fleet, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	state, err := a.state()
	if err != nil {
		return nil, err
	}
	return fleet.New(fleet.Config{Session: s, Store: store, BaseRegistry: a.baseRegistry, BaseCache: a.cache("bases"), StateDir: state}), nil
}

// planFleet finds the functions that pass the filter and plans each one's switch.
// Regions that could not be listed whole come back beside the plan.
func (a *app) planFleet(ctx context.Context, f *fleetFlags, choices switchover.Choices) (*fleet.Plan, []account.RegionError, error) {
	selection, err := a.selection(f.where, "")
	if err != nil {
		return nil, nil, err
	}
	for which := range choices.LayerImages {
		if !strings.HasPrefix(which, "arn:") {
			return nil, nil, usagef("--layer-from %s=… takes the layer's ARN where many functions are chosen: each counts its own layers", which)
		}
	}
	audit, err := liveAudit(ctx, a, account.Freshness{})
	if err != nil {
		return nil, nil, err
	}
	var functions []fleet.Function
	for _, fn := range selection.Of(audit).Functions {
		functions = append(functions, fleet.Function{Name: fn.Name, Region: fn.Region})
	}
	fl, err := a.fleet(ctx)
	if err != nil {
		return nil, nil, err
	}
	progress := newProgress(a.io)
	defer progress.done()
	plan, err := fl.Plan(ctx, functions, fleet.Options{Choices: choices, Wave: f.wave, Where: f.where}, func(done, total int) {
		progress.line(fmt.Sprintf("%d of %s planned", done, plural(total, "function")), 0, 0)
	})
	return plan, audit.Errors, err
}

// unlisted tells of regions whose functions may be missing.
func unlisted(io *streams, failed []account.RegionError) error {
	for _, e := range failed {
		fmt.Fprintf(io.err, "optlift: region %s could not be listed whole: %s\n", printable(e.Region), printable(e.Message))
	}
	if len(failed) > 0 {
		return partlyError{message: "not every region could be listed", silent: true}
	}
	return nil
}

// fleetPlanReport is the JSON form of a fleet's plan.
type fleetPlanReport struct {
	*fleet.Plan
	Waves        [][]fleet.Function `json:"waves"`
	Lost         []fleet.Tally      `json:"lost"`
	Unaccepted   []fleet.Tally      `json:"unaccepted"`
	Confirmation string             `json:"confirm"`
}

func printFleetPlan(io *streams, plan *fleet.Plan, format string) error {
	if format != "json" {
		return plan.WriteText(io.out)
	}
	r := fleetPlanReport{Plan: plan, Waves: [][]fleet.Function{}, Lost: plan.Lost(), Unaccepted: plan.Unaccepted(), Confirmation: plan.Confirmation()}
	for _, wave := range plan.Waves() {
		var names []fleet.Function
		for _, m := range wave {
			names = append(names, m.Function)
		}
		r.Waves = append(r.Waves, names)
	}
	return io.printJSON(r)
}

// runPlanFleet is plan --where.
func runPlanFleet(ctx context.Context, a *app, f *fleetFlags, choices switchover.Choices, format, save string) error {
	plan, failed, err := a.planFleet(ctx, f, choices)
	if err != nil {
		return err
	}
	if save != "" {
		if err := plan.Save(save); err != nil {
			return err
		}
	}
	if err := printFleetPlan(a.io, plan, format); err != nil {
		return err
	}
	if _, blocked, _ := plan.Counts(); blocked > 0 {
		err = partlyError{message: fmt.Sprintf("%s blocked", plural(blocked, "function")), silent: true}
	}
	return errors.Join(unlisted(a.io, failed), err)
}

// runMigrateFleet is migrate --where, and migrate --plan of a fleet's plan.
func runMigrateFleet(ctx context.Context, a *app, f *fleetFlags, choices switchover.Choices, arm *armFlags, file string) error {
	if err := oneOf("output", arm.format, "text", "json"); err != nil {
		return err
	}
	var plan *fleet.Plan
	var failed []account.RegionError
	var err error
	switch {
	case file != "" && f.where != "":
		return usagef("a saved plan names its functions: leave out --where")
	case file != "":
		plan, err = fleet.LoadPlan(file)
	default:
		plan, failed, err = a.planFleet(ctx, f, choices)
	}
	if err != nil {
		return err
	}
	fl, err := a.fleet(ctx)
	if err != nil {
		return err
	}
	if arm.format == "text" {
		if err := plan.WriteText(a.io.out); err != nil {
			return err
		}
	}
	ready, blocked, _ := plan.Counts()
	if ready > 0 && len(plan.Unaccepted()) == 0 { // Run says what is wrong otherwise
		if err := arm.confirmed(a, plural(ready, "function")+" of account "+plan.Account, "the number of functions and the account", plan.Confirmation()); err != nil {
			return err
		}
	}
	p := newFleetPrinter(a.io, arm.format)
	defer a.interrupts.during(fleetStanding)()
	rep, err := fl.Run(ctx, plan, p.event)
	if err := p.report(rep, err); err != nil {
		return err
	}
	if blocked > 0 {
		return errors.Join(unlisted(a.io, failed), partlyError{message: fmt.Sprintf("%s blocked and left alone", plural(blocked, "function")), silent: true})
	}
	return unlisted(a.io, failed)
}

// runFleetAgain is resume and rollback of a fleet.
func runFleetAgain(ctx context.Context, a *app, arm *armFlags, id string, again func(*fleet.Fleet, func(fleet.Event)) (*fleet.Report, error)) error {
	dir, err := a.state()
	if err != nil {
		return err
	}
	entry, err := fleet.Read(dir, id)
	if err != nil {
		return err
	}
	if err := arm.confirmed(a, "fleet "+id, "the number of functions and the account", entry.Confirmation()); err != nil {
		return err
	}
	fl, err := a.fleet(ctx)
	if err != nil {
		return err
	}
	p := newFleetPrinter(a.io, arm.format)
	defer a.interrupts.during(fleetStanding)()
	rep, err := again(fl, p.event)
	return p.report(rep, err)
}

// fleetStanding is where a fleet stands: its journal knows it by function.
func fleetStanding() standing {
	return standing{step: "every running step", where: "the fleet's migrations: whether their last calls took effect is not known",
		next: []string{"optlift journal"}}
}

// fleetPrinter prints the events of a fleet as lines or as JSON objects.
type fleetPrinter struct{ *stepPrinter }

func newFleetPrinter(io *streams, format string) fleetPrinter {
	return fleetPrinter{newStepPrinter(io, format)}
}

func (p fleetPrinter) event(e fleet.Event) {
	switch {
	case e.Step != nil && e.Step.Image != nil:
		p.progress.image(*e.Step.Image)
	case p.format == "json":
		p.json(e)
	case e.Step != nil && e.Step.State == switchover.Running:
		p.progress.line(e.Name+" "+e.Step.Step.ID, 0, 0)
	case e.Step != nil:
		p.line(string(e.Step.State), e.Name+" "+e.Step.Step.ID, e.Step.Message)
	case e.Name != "":
		p.line(e.State, fmt.Sprintf("%s (wave %d)", e.Name, e.Wave), e.Message)
	case e.State == switchover.StateRunning:
		p.line(e.State, "fleet "+e.Fleet, "")
	}
}

func (p fleetPrinter) line(state, what, message string) {
	p.progress.done()
	if message != "" {
		what += ": " + message
	}
	fmt.Fprintf(p.io.out, "%-11s %s\n", state, printable(what))
}

// report prints how a run ended and turns it into the command's error.
func (p fleetPrinter) report(r *fleet.Report, err error) error {
	p.progress.done()
	if r == nil {
		return err
	}
	if p.format == "json" {
		p.json(r)
		return err
	}
	fmt.Fprintln(p.io.out)
	return errors.Join(err, r.WriteText(p.io.out))
}
