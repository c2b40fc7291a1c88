package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/upkeep"
)

func newStatus(a *app) *cobra.Command {
	var format string
	var verify bool
	cmd := &cobra.Command{
		Use:   "status [FUNCTION]",
		Short: "Look after migrated functions: base image, image in ECR, lifecycle policy, way back",
		Long: `Look at the functions that were migrated, by their tag or by this machine's
journals: whether their base image has a newer digest, whether ECR still has their
image and a lifecycle policy would expire it, and whether the backup for the way
back is still there. What could not be seen is told as denied, failed or unknown,
never as none. Nothing is changed.

Exits 3 when a region or a function could not be looked at.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			if err := oneOf("output", format, "table", "json"); err != nil {
				return err
			}
			return runStatus(c.Context(), a, append(names, "")[0], format, verify)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table or json")
	cmd.Flags().BoolVar(&verify, "verify", false, "read the backups' archives and hold them against their SHA-256")
	return cmd
}

func (a *app) keeper(ctx context.Context) (*upkeep.Keeper, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	state, err := a.state()
	if err != nil {
		return nil, err
	}
	return upkeep.New(upkeep.Config{Session: s, BaseRegistry: a.baseRegistry, StateDir: state}), nil
}

func runStatus(ctx context.Context, a *app, function, format string, verify bool) error {
	keeper, err := a.keeper(ctx)
	if err != nil {
		return err
	}
	r, err := keeper.Status(ctx, function, verify)
	if err != nil {
		return err
	}
	if format == "json" {
		err = a.io.printJSON(r)
	} else {
		err = printStatus(a.io, r)
	}
	if err == nil && len(r.Errors) > 0 {
		err = partlyError{message: "not everything could be looked at", silent: true}
	}
	return err
}

func printStatus(io *streams, r *upkeep.Report) error {
	if len(r.Functions) == 0 && len(r.Errors) == 0 {
		_, err := fmt.Fprintf(io.out, "no migrated function: account %s\n", r.Account)
		return err
	}
	w := tabwriter.NewWriter(io.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FUNCTION\tREGION\tBASE\tBUILT\tIN ECR\tLIFECYCLE\tBACKUP\tWAY BACK UNTIL\tJOURNAL")
	for _, f := range r.Functions {
		built, until := "-", "-"
		if f.Made != nil {
			built = fmt.Sprintf("%dd ago", f.Base.Age/86400)
		}
		if f.Backup.Until != nil {
			until = f.Backup.Until.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Function, f.Region, f.Base.State, built, f.Registry.State, f.Expiry.State,
			f.Backup.State, until, orDefault(f.Journal, "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range r.Functions {
		for _, note := range []struct {
			what string
			upkeep.Look
		}{{"base", f.Base.Look}, {"image", f.Registry}, {"lifecycle", f.Expiry.Look}, {"backup", f.Backup.Look}} {
			if note.Message != "" && note.State != "safe" {
				fmt.Fprintf(io.out, "  %s: %s %s: %s\n", f.Function, note.what, note.State, note.Message)
			}
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintf(io.err, "optlift: %s could not be looked at: %s\n", printable(orDefault(e.Function, "region "+e.Region)), printable(e.Message))
	}
	return nil
}
