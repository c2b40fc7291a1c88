package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
)

func newAudit(a *app) *cobra.Command {
	var format, failOver string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List every function with its layers, extensions, true unzipped size and findings",
		Long: `List every function of the account's regions, what its code and layers weigh
unzipped against Lambda's limit, which extensions it carries and what is wrong
with it. Sizes are read from the archives' own directories, a few KiB each; one
that could not be read is unknown, with the reason, and never guessed.

Exits 3 when a region could not be listed or, with --fail-over, when a function
is at or over the threshold or its size is unknown.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := oneOf("output", format, "table", "json", "csv", "markdown"); err != nil {
				return err
			}
			threshold := -1.0
			if failOver != "" {
				n, err := strconv.ParseFloat(strings.TrimSuffix(failOver, "%"), 64)
				if err != nil || n < 0 {
					return usagef("--fail-over takes a percentage of the limit such as 90%%, not %q", failOver)
				}
				threshold = n
			}
			return runAudit(c.Context(), a, format, threshold)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json, csv or markdown")
	cmd.Flags().StringVar(&failOver, "fail-over", "", "exit 3 when a function is at or over this share of the limit (90%)")
	return cmd
}

func runAudit(ctx context.Context, a *app, format string, threshold float64) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	auditor, err := a.auditor(ctx)
	if err != nil {
		return err
	}
	progress := newProgress(a.io)
	var facts []*account.Facts
	var failed []account.RegionError
	found := 0
	err = auditor.Audit(ctx, func(e account.Event) {
		switch {
		case e.Listed != nil:
			found++
		case e.Facts != nil:
			facts = append(facts, e.Facts)
		case e.Region != nil:
			failed = append(failed, *e.Region)
		}
		progress.line(fmt.Sprintf("%d functions, %d measured", found, len(facts)), 0, 0)
	})
	progress.done()
	if err != nil {
		return err
	}
	report := account.NewReport(s.Account, s.Regions, facts, failed)
	if err := printAudit(a.io, report, format); err != nil {
		return err
	}
	return auditVerdict(a.io, report, threshold)
}

func printAudit(s *streams, r *account.Report, format string) error {
	switch format {
	case "json":
		return s.printJSON(r)
	case "csv":
		return r.WriteCSV(s.out)
	case "markdown":
		return r.WriteMarkdown(s.out)
	}
	if !s.outTTY {
		// For programs: one row a line, cells apart by tabs.
		for _, row := range append([][]string{account.Header()}, r.Rows()...) {
			fmt.Fprintln(s.out, strings.Join(row, "\t"))
		}
		return nil
	}
	if len(r.Functions) == 0 && len(r.Errors) == 0 {
		_, err := fmt.Fprintf(s.out, "account %s has no functions in %s\n", r.Account, strings.Join(r.Regions, ", "))
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{account.Header()}, r.Rows()...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// auditVerdict says on standard error what the exit code stands for.
func auditVerdict(s *streams, r *account.Report, threshold float64) error {
	var verdict error
	for _, e := range r.Errors {
		fmt.Fprintf(s.err, "optlift: region %s could not be listed whole: %s\n", e.Region, printable(e.Message))
		verdict = partlyError{message: "not every region could be listed", silent: true}
	}
	if threshold >= 0 {
		over, unknown := r.Over(threshold)
		for _, f := range over {
			fmt.Fprintf(s.err, "optlift: %s is at %.1f%% of the limit\n", printable(f.Name), *f.Percent)
		}
		for _, f := range unknown {
			fmt.Fprintf(s.err, "optlift: %s: unzipped size unknown\n", printable(f.Name))
		}
		if len(over)+len(unknown) > 0 {
			verdict = partlyError{message: "functions over the threshold", silent: true}
		}
	}
	return verdict
}
