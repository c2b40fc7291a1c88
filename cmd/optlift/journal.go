package main

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
)

const millisecond = time.Millisecond

func newJournal(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "List the migrations made from this machine",
		Args:  args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("output", format, "table", "json"); err != nil {
				return err
			}
			dir, err := a.state()
			if err != nil {
				return err
			}
			entries, err := switchover.Journals(dir)
			if err != nil {
				return err
			}
			fleets, err := fleet.List(dir)
			if err != nil {
				return err
			}
			rows := journalRows(entries, fleets)
			if format == "json" {
				return a.io.printJSON(rows)
			}
			if len(rows) == 0 {
				fmt.Fprintln(a.io.out, "no migration has been made from this machine")
				return nil
			}
			w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tFUNCTION\tREGION\tHOW\tSTARTED\tSTATE")
			for _, e := range rows {
				if e.Functions != nil {
					e.Function = plural(len(e.Functions), "function")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, printable(e.Function), orDefault(e.Region, "-"), orDefault(string(e.Strategy), "fleet"), e.Started.Local().Format(time.DateTime), e.State)
			}
			return w.Flush()
		},
	}
	cmd.PersistentFlags().StringVarP(&format, "output", "o", "table", "table or json")
	show := &cobra.Command{
		Use:   "show ID",
		Short: "Show the steps of one migration",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, ids []string) error {
			if err := oneOf("output", format, "table", "json"); err != nil {
				return err
			}
			dir, err := a.state()
			if err != nil {
				return err
			}
			if fleet.IsID(ids[0]) {
				return showFleet(a.io, dir, ids[0], format)
			}
			entry, err := switchover.ReadJournal(dir, ids[0])
			if err != nil {
				return err
			}
			if format == "json" {
				return a.io.printJSON(entry)
			}
			fmt.Fprintf(a.io.out, "%s  %s in %s, %s: %s\n", entry.ID, printable(entry.Function), entry.Region,
				entry.Started.Local().Format(time.DateTime), entry.State)
			w := tabwriter.NewWriter(a.io.out, 0, 0, 2, ' ', 0)
			for _, e := range entry.Steps {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.At.Local().Format(time.TimeOnly), e.State, e.Step.ID, printable(e.Message))
			}
			return w.Flush()
		},
	}
	cmd.AddCommand(show, newPrune(a))
	return cmd
}

// journalRow is one migration or one fleet, which has functions and no region.
type journalRow struct {
	switchover.Entry
	Where     string          `json:"where,omitempty"`
	Functions []fleet.Outcome `json:"functions,omitempty"`
}

// journalRows lists migrations and fleets together, newest first.
func journalRows(entries []switchover.Entry, fleets []fleet.Entry) []journalRow {
	rows := []journalRow{}
	for _, e := range entries {
		rows = append(rows, journalRow{Entry: e})
	}
	for _, f := range fleets {
		rows = append(rows, journalRow{Entry: switchover.Entry{ID: f.ID, Account: f.Account, Started: f.Started, State: f.State}, Where: f.Where, Functions: f.Functions})
	}
	slices.SortStableFunc(rows, func(a, b journalRow) int { return b.Started.Compare(a.Started) })
	return rows
}

func showFleet(io *streams, dir, id, format string) error {
	e, err := fleet.Read(dir, id)
	if err != nil {
		return err
	}
	if format == "json" {
		return io.printJSON(e)
	}
	fmt.Fprintf(io.out, "%s  %s, %s: %s\n", e.ID, plural(len(e.Functions), "function"), e.Started.Local().Format(time.DateTime), e.State)
	return fleet.WriteOutcomes(io.out, e.Functions)
}

func newResume(a *app) *cobra.Command {
	return newReplay(a, "resume", "Go on with a migration, or a fleet of them, where it stopped", (*fleet.Fleet).Resume,
		func(ctx context.Context, s *switchover.Switcher, id string, emit func(switchover.Event)) (*switchover.Result, error) {
			return s.Resume(ctx, id, emit)
		})
}

func newRollback(a *app) *cobra.Command {
	return newReplay(a, "rollback", "Put the Zip function of a migration, or those of a fleet, back, finished or not", (*fleet.Fleet).Rollback,
		func(ctx context.Context, s *switchover.Switcher, id string, emit func(switchover.Event)) (*switchover.Result, error) {
			return s.Rollback(ctx, id, emit)
		})
}

// newReplay makes the commands that take up a journal again; they are armed as
// migrate is.
func newReplay(a *app, name, short string, all func(*fleet.Fleet, context.Context, string, func(fleet.Event)) (*fleet.Report, error), replay func(context.Context, *switchover.Switcher, string, func(switchover.Event)) (*switchover.Result, error)) *cobra.Command {
	var arm armFlags
	var bucket string
	cmd := &cobra.Command{
		Use:   name + " ID --write --confirm FUNCTION",
		Short: short,
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, ids []string) error {
			if err := checkBucket(bucket); err != nil {
				return err
			}
			if fleet.IsID(ids[0]) {
				return runFleetAgain(c.Context(), a, &arm, ids[0], func(f *fleet.Fleet, emit func(fleet.Event)) (*fleet.Report, error) {
					return all(f, c.Context(), ids[0], emit)
				})
			}
			dir, err := a.state()
			if err != nil {
				return err
			}
			entry, err := switchover.ReadJournal(dir, ids[0])
			if err != nil {
				return err
			}
			if err := arm.check(a, entry.Function); err != nil {
				return err
			}
			s, err := a.switcher(c.Context(), entry.Region)
			if err != nil {
				return err
			}
			if bucket != "" {
				s = s.WithBucket(bucket)
			}
			report := newStepPrinter(a.io, arm.format)
			report.tracker = newTracker(entry.Function, slices.Compact([]string{name, "rollback"})...)
			defer a.interrupts.during(report.tracker.standing)()
			result, err := replay(c.Context(), s, entry.ID, report.event)
			return report.result(result, err)
		},
	}
	arm.add(cmd)
	cmd.Flags().StringVar(&bucket, "bucket", "", bucketUsage)
	return cmd
}
