package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/aws/upkeep"
)

// refreshFlags are what a refresh can be told.
type refreshFlags struct {
	base, code     string
	layers         []string
	accept, events []string
}

func newRefresh(a *app) *cobra.Command {
	var f refreshFlags
	var arm armFlags
	cmd := &cobra.Command{
		Use:   "refresh FUNCTION --write --confirm FUNCTION",
		Short: "Build a migrated function's image anew on today's base image, or with other code or layers",
		Long: `See whether the base image of a migrated function has a new digest, or whether the
code or the layers given here differ from what its image was made from. If so,
build, lint, prove and push a new image, rehearse it under a temporary name, and
give it to the function, whose name answers throughout. Code and layers that are
not given come from the backup. Each step is in a journal, as in a migration:
optlift resume goes on, optlift rollback gives the function its former image back.

Where nothing has changed it says so and exits 0. Without --write it says what
would be done. Published versions, and the aliases on them, keep their image.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			if err := oneOf("output", arm.format, "text", "json"); err != nil {
				return err
			}
			return runRefresh(c.Context(), a, names[0], &f, &arm)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.base, "base", "", "base image instead of the one before: a reference or oci:DIR")
	flags.StringVar(&f.code, "code", "", "zip with the function's code, instead of what it is made from now")
	flags.StringArrayVar(&f.layers, "layer", nil, "layer, a zip or a layer version's ARN, instead of all that it is made from now; may be given several times, in order")
	flags.StringArrayVar(&f.accept, "accept", nil, "id of a blocker or warning to accept; may be given several times")
	flags.StringArrayVar(&f.events, "event", nil, "file with an event for the rehearsal; may be given several times")
	arm.add(cmd)
	return cmd
}

// refreshReport is the first JSON document that refresh prints.
type refreshReport struct {
	Schema int `json:"schema"`
	*upkeep.Changes
	Plan *switchover.Plan `json:"plan,omitempty"`
}

func runRefresh(ctx context.Context, a *app, function string, f *refreshFlags, arm *armFlags) error {
	region, err := a.regionOf(ctx, function)
	if err != nil {
		return err
	}
	keeper, err := a.keeper(ctx)
	if err != nil {
		return err
	}
	want, done, err := f.wanted(ctx, a)
	if err != nil {
		return err
	}
	defer done()
	changes, err := keeper.Changes(ctx, region, function, want)
	if err != nil {
		return err
	}
	report := newStepPrinter(a.io, arm.format)
	if len(changes.Changes) == 0 {
		if arm.format == "json" {
			return a.io.printJSON(refreshReport{Schema: 1, Changes: changes})
		}
		_, err := fmt.Fprintf(a.io.out, "%s: nothing has changed: the base %s still has the digest that the image was built on, code and layers are the same\n",
			printable(changes.Function), printable(changes.Base))
		return err
	}
	s, err := a.switcher(ctx, region)
	if err != nil {
		return err
	}
	snap, err := s.Capture(ctx, function)
	if err != nil {
		return err
	}
	changes.Choices.Accept, changes.Choices.Events = f.accept, f.events
	plan := switchover.PlanFor(snap, changes.Choices)
	if arm.format == "json" {
		report.json(refreshReport{Schema: 1, Changes: changes, Plan: plan})
	} else {
		for _, c := range changes.Changes {
			fmt.Fprintf(a.io.out, "%s: %s is now %s\n", c.What, printable(c.From), printable(c.To))
		}
		fmt.Fprintf(a.io.out, "\n%s", plan.Text())
	}
	if n := len(plan.Blockers); n > 0 {
		return fmt.Errorf("%d blockers stand against the refresh of %s, the first: %s; nothing was changed", n, plan.Function, plan.Blockers[0].Message)
	}
	if err := arm.check(a, plan.Function); err != nil {
		return err
	}
	result, err := s.Apply(ctx, snap, plan, changes.Choices, report.event)
	return report.result(result, err)
}

// wanted fetches the code and the layers that the user named; done lets go of them.
func (f *refreshFlags) wanted(ctx context.Context, a *app) (want upkeep.Wanted, done func(), err error) {
	want.Base = f.base
	done = func() {}
	if f.code == "" && len(f.layers) == 0 {
		return want, done, nil
	}
	opener, err := a.opener()
	if err != nil {
		return want, done, err
	}
	var sets []*target.Set
	done = func() {
		for _, s := range sets {
			_ = s.Close() // read only
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	if f.code != "" {
		set, err := opener.FetchLocal(ctx, f.code, nil)
		if err != nil {
			return want, done, err
		}
		sets = append(sets, set)
		code, err := archiveOf(set.Code)
		if err != nil {
			return want, done, err
		}
		want.Code = &code
	}
	if len(f.layers) > 0 {
		progress := newProgress(a.io)
		defer progress.done()
		set, err := opener.Fetch(ctx, progress.line, f.layers...)
		if err != nil {
			return want, done, err
		}
		sets = append(sets, set)
		if set.Function != nil {
			return want, done, usagef("--layer takes a zip or the ARN of a layer version, not a function")
		}
		for i := range set.Layers {
			layer, err := archiveOf(&set.Layers[i])
			if err != nil {
				return want, done, err
			}
			want.Layers = append(want.Layers, layer)
		}
	}
	return want, done, nil
}

// archiveOf names a fetched archive and its file, which a run that is resumed may
// look for from another directory.
func archiveOf(a *target.Archive) (switchover.Archive, error) {
	file, err := filepath.Abs(a.File)
	return switchover.Archive{Name: a.Name, SHA256: a.SHA256, From: file}, err
}
