package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// choiceFlags are what plan and migrate let the user decide.
type choiceFlags struct {
	strategy string
	repo     string
	base     string
	accept   []string
	events   []string
	ignore   []string
	bucket   string
	images   layerImages
}

const bucketUsage = "NAME[/PREFIX] of an S3 bucket of the function's region, for the way back of zips over 50 MB"

// checkBucket refuses what names no bucket.
func checkBucket(bucket string) error {
	if bucket == "" {
		return nil
	}
	if _, _, err := switchover.ParseBucket(bucket); err != nil {
		return usagef("--bucket: %w", err)
	}
	return nil
}

func (f *choiceFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.strategy, "strategy", string(switchover.Replace),
		"replace (same name: delete and create again) or beside (a new function, mappings moved over)")
	flags.StringVar(&f.bucket, "bucket", "", bucketUsage)
	f.addImage(c)
}

// addImage adds the flags about the image and its rehearsal.
func (f *choiceFlags) addImage(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.repo, "repository", "", "ECR repository for the image (default: the function's name in lower case; for many: optlift)")
	flags.StringVar(&f.base, "base", "", "base image instead of the runtime's own: a reference or oci:DIR")
	flags.StringArrayVar(&f.accept, "accept", nil, "id of a blocker or warning to accept; may be given several times")
	flags.StringArrayVar(&f.events, "event", nil, "file with an event for the rehearsal; may be given several times")
	flags.StringArrayVar(&f.ignore, "ignore", nil, "path in the answers that may differ in the rehearsal, such as '$.requestId' or '$.items[*].at', or in the shape of the log: '$log.text.ERROR', '$log'; may be given several times")
	f.images.addNamed(flags)
}

func (f *choiceFlags) choices() (switchover.Choices, error) {
	if err := oneOf("strategy", f.strategy, string(switchover.Replace), string(switchover.Beside)); err != nil {
		return switchover.Choices{}, err
	}
	if err := checkBucket(f.bucket); err != nil {
		return switchover.Choices{}, err
	}
	pairs, err := f.images.pairs()
	if err != nil {
		return switchover.Choices{}, err
	}
	var images map[string]string
	if len(pairs) > 0 {
		images = map[string]string{}
	}
	for _, p := range pairs {
		images[p[0]] = p[1]
	}
	return switchover.Choices{
		Strategy: switchover.Strategy(f.strategy), Repository: f.repo, Base: f.base,
		Accept: f.accept, Events: f.events, Ignore: f.ignore, Bucket: f.bucket, LayerImages: images,
	}, nil
}

func newPlan(a *app) *cobra.Command {
	var flags choiceFlags
	var many fleetFlags
	var owner ownerFlags
	var format, save string
	cmd := &cobra.Command{
		Use:   "plan FUNCTION",
		Short: "Show what switching a function to an image would do, step by step",
		Long: `Read everything a function is and has attached, and print the steps of its
switch from Zip to Image: what is created, deleted, changed and kept, what is
lost, and what takes each step back. Nothing is changed. Exits 3 when something
stands against the switch.

With --where FILTER, plan the switch of every function that passes the filter: who
is blocked by what, what is lost, which warnings need a word, in which waves.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			choices, err := flags.choices()
			if err != nil {
				return err
			}
			if err := oneOf("output", format, "text", "json"); err != nil {
				return err
			}
			function, err := many.one(c, names, false)
			if err == nil {
				err = owner.choose(function, &choices)
			}
			if err != nil {
				return err
			}
			if function == "" {
				return runPlanFleet(c.Context(), a, &many, choices, format, save)
			}
			_, _, plan, err := a.plan(c.Context(), function, choices)
			if err != nil {
				return err
			}
			if save != "" {
				if err := plan.Save(save); err != nil {
					return err
				}
			}
			return printPlan(a.io, plan, format)
		},
	}
	flags.add(cmd)
	owner.addTerraform(cmd.Flags())
	many.add(cmd)
	cmd.Flags().StringVarP(&format, "output", "o", "text", "text or json")
	cmd.Flags().StringVar(&save, "save", "", "file to keep the plan in, for migrate --plan")
	return cmd
}

// plan captures a function in its own region and plans its switch.
func (a *app) plan(ctx context.Context, function string, c switchover.Choices) (*switchover.Switcher, *switchover.Snapshot, *switchover.Plan, error) {
	region, err := a.regionOf(ctx, function)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := a.switcher(ctx, region)
	if err != nil {
		return nil, nil, nil, err
	}
	snap, err := s.Capture(ctx, function)
	if err != nil {
		return nil, nil, nil, err
	}
	config, err := snap.ConfigOf("")
	if err != nil {
		return nil, nil, nil, err
	}
	c.LayerImages = byARN(c.LayerImages, snapshot.LayerARNs(config))
	plan, err := s.Plan(ctx, snap, c)
	return s, snap, plan, err
}

func printPlan(io *streams, plan *switchover.Plan, format string) error {
	if format == "json" {
		if err := io.printJSON(plan); err != nil {
			return err
		}
	} else if _, err := fmt.Fprint(io.out, plan.Text()); err != nil {
		return err
	}
	if n := len(plan.Blockers); n > 0 {
		return partlyError{message: fmt.Sprintf("%d blockers stand against the switch of %s", n, plan.Function), silent: true}
	}
	return nil
}
