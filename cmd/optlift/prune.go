package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
)

func newPrune(a *app) *cobra.Command {
	var older, format string
	var confirm bool
	cmd := &cobra.Command{
		Use:   "prune [ID...] --older-than AGE | --confirm",
		Short: "Delete the journals and backups of finished migrations",
		Long: `Delete the journals and backups of migrations that are finished: all, those named,
or those begun before an age such as 90d or 12h. With the backup of a migration its
way back is gone. One that is not finished is never deleted, nor one of a fleet
that is not. Without --older-than or --confirm it lists what would be deleted, and
what would be lost. Nothing is changed in an account: images, and zips in a bucket,
stay and are named.`,
		RunE: func(c *cobra.Command, ids []string) error {
			if err := oneOf("output", format, "table", "json"); err != nil {
				return err
			}
			var age time.Duration
			if older != "" {
				var err error
				if age, err = parseAge(older); err != nil {
					return err
				}
			}
			dir, err := a.state()
			if err != nil {
				return err
			}
			return prune(a.io, dir, ids, time.Now().Add(-age), older != "" || confirm, format)
		},
	}
	cmd.Flags().StringVar(&older, "older-than", "", "only what was begun longer ago, such as 90d or 12h")
	cmd.Flags().BoolVar(&confirm, "confirm", false, "delete whatever is listed")
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	return cmd
}

func prune(io *streams, dir string, ids []string, before time.Time, really bool, format string) error {
	found, err := switchover.Prunables(dir, before)
	if err != nil {
		return err
	}
	needed, err := neededByFleets(dir)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(p switchover.Prunable) bool { return needed[p.ID] })
	if len(ids) > 0 {
		for _, id := range ids {
			if !slices.ContainsFunc(found, func(p switchover.Prunable) bool { return p.ID == id }) {
				return fmt.Errorf("migration %s can't be pruned: it is unknown, not old enough, not finished, or part of a fleet that is not: see optlift journal", printable(id))
			}
		}
		found = slices.DeleteFunc(found, func(p switchover.Prunable) bool { return !slices.Contains(ids, p.ID) })
	}
	var errs []error
	for i := range found {
		if really {
			errs = append(errs, switchover.Prune(dir, found[i].ID))
		}
	}
	if format == "json" {
		errs = append(errs, io.printJSON(found))
	} else {
		printPrunables(io, found, really)
	}
	if !really && len(found) > 0 {
		errs = append(errs, usagef("nothing was deleted: add --confirm, or --older-than AGE"))
	}
	return errors.Join(errs...)
}

func printPrunables(io *streams, found []switchover.Prunable, really bool) {
	verb := "would be deleted"
	if really {
		verb = "deleted"
	}
	var sum int64
	for _, p := range found {
		sum += p.Bytes
		fmt.Fprintf(io.out, "%s  %s, %s, %s: %s\n    lost: %s\n", p.ID, printable(p.Function), p.Started.Local().Format(time.DateTime), humanize.IBytes(uint64(p.Bytes)), verb, printable(p.Lost))
		for _, o := range p.Objects {
			fmt.Fprintf(io.out, "    stays: %s\n", printable(o))
		}
	}
	fmt.Fprintf(io.out, "%s, %s: %s\n", plural(len(found), "finished migration"), humanize.IBytes(uint64(sum)), verb)
}

// neededByFleets are the migrations of fleets that are not finished.
func neededByFleets(dir string) (map[string]bool, error) {
	needed := map[string]bool{}
	fleets, err := fleet.List(dir)
	for _, f := range fleets {
		if f.State == switchover.StateDone || f.State == switchover.StateRolledBack {
			continue
		}
		for _, o := range f.Functions {
			needed[o.Journal] = true
		}
	}
	return needed, err
}
