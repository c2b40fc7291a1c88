package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// auditFlags are what audit is asked for.
type auditFlags struct {
	format   string
	from     string
	filter   string
	sort     string
	columns  []string
	failOver string
	failOn   []string
	layers   bool
	versions bool
	schema   bool
	fresh    bool
	maxAge   time.Duration
}

// auditAge is how old an answer of AWS may be that an audit tells again where
// nothing else is said.
const auditAge = time.Hour

func newAudit(a *app) *cobra.Command {
	var flags auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List every function with its layers, extensions, true unzipped size and findings",
		Long: `List every function of the account's regions, what its code and layers weigh
unzipped against Lambda's limit, which extensions it carries and what is wrong
with it. Sizes are read from the archives' own directories, a few KiB each; one
that could not be read is unknown, with the reason, and never guessed.

--filter, --sort and --columns take the words of the terminal UI, such as
--filter 'runtime:node percent>80 !finding:layer-deleted' --sort -percent,name.
What is filtered out counts for no threshold either. --from shows a report that
was saved with -o json, without asking the account.

The functions are listed anew every time, and what an archive holds can't change.
With --profile a,b it looks at several accounts at once; a profile that can't be
opened shows its error beside the rows of the others. --layers shows the layer
versions instead of the functions; -o json holds both.

In large accounts, whether layers and code can still be read, and the tags, may be
told as AWS answered within --max-age; the report says of what, and when that was
(checked). --fresh asks for everything again, at some seconds for each thousand
functions and a second for each 15 layer versions.

Exits 3 when a profile could not be opened or a region not be listed; with --fail-over, when a function is
at or over the share of the limit or its size is unknown; with --fail-on, when
there is a finding of that id, or of that severity or a worse one.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return runAudit(c.Context(), a, &flags) },
	}
	f := cmd.Flags()
	f.StringVarP(&flags.format, "output", "o", "table", "table, json, csv, markdown or sarif")
	f.StringVar(&flags.from, "from", "", "show a report saved with -o json; - reads standard input")
	f.StringVar(&flags.filter, "filter", "", "only functions that pass this filter; @NAME is one of the configuration file")
	f.StringVar(&flags.sort, "sort", "", "order by these columns, separated by commas; - in front turns one round")
	f.StringSliceVar(&flags.columns, "columns", nil, "columns of table, csv and markdown, separated by commas")
	f.BoolVar(&flags.layers, "layers", false, "show the layer versions: who uses them, their state, newer versions, the same content elsewhere")
	f.BoolVar(&flags.versions, "versions", false, "ask for the published versions and aliases of the functions shown, too")
	f.BoolVar(&flags.schema, "schema", false, "print the JSON Schema of -o json and end")
	f.BoolVar(&flags.fresh, "fresh", false, "ask AWS for everything, whatever an earlier audit was told")
	f.DurationVar(&flags.maxAge, "max-age", auditAge, "how old an earlier audit's answers may be to be told again")
	f.StringVar(&flags.failOver, "fail-over", "", "exit 3 when a function is at or over this share of the limit (90%)")
	f.StringSliceVar(&flags.failOn, "fail-on", nil, "exit 3 on findings of these ids, or of this severity (error, warning, note) or a worse one")
	return cmd
}

// auditChecks are the flags, read.
type auditChecks struct {
	selection report.Selection
	columns   []report.Column // nil where the format has none
	threshold float64         // percent; negative is none
	failOn    []string
}

func (f *auditFlags) parse(a *app) (*auditChecks, error) {
	if err := oneOf("output", f.format, "table", "json", "csv", "markdown", "sarif"); err != nil {
		return nil, err
	}
	switch {
	case f.layers && f.format == "sarif":
		return nil, usagef("--layers has no SARIF: it holds findings, which are the functions'")
	case f.layers && (len(f.columns) > 0 || f.sort != ""):
		return nil, usagef("--columns and --sort are for functions: --layers has columns and an order of its own")
	case f.versions && f.from != "":
		return nil, usagef("--versions asks the account, and --from does not: leave one of them out")
	}
	c := &auditChecks{threshold: -1, failOn: f.failOn}
	if f.maxAge < 0 {
		return nil, usagef("--max-age takes an age such as 1h or 30m, not %s", f.maxAge)
	}
	if f.failOver != "" {
		n, err := strconv.ParseFloat(strings.TrimSuffix(f.failOver, "%"), 64)
		if err != nil || !(n >= 0) {
			return nil, usagef("--fail-over takes a percentage of the limit such as 90%%, not %q", f.failOver)
		}
		c.threshold = n
	}
	for _, word := range f.failOn {
		if !slices.Contains(severities, word) && !slices.ContainsFunc(account.Rules(), func(r account.Rule) bool { return r.ID == word }) {
			return nil, usagef("--fail-on takes error, warning, note or the id of a finding, not %q", word)
		}
	}
	var err error
	if c.selection, err = a.selection(f.filter, f.sort); err != nil {
		return nil, err
	}
	ids := f.columns
	switch {
	case f.format == "json" || f.format == "sarif":
		if len(ids) > 0 {
			return nil, usagef("--columns is for table, csv and markdown: %s has its own form", f.format)
		}
		return c, nil
	case len(ids) == 0:
		ids = report.DefaultTable()
		if f.format == "csv" {
			ids = report.DefaultCSV()
		}
		if len(a.profiles) > 1 {
			ids = append(ids, "account", "profile")
		}
		if f.versions {
			ids = append(ids, "versions", "aliases")
		}
	}
	if c.columns, err = report.Pick(ids); err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// severities, worst first.
var severities = []string{account.Error, account.Warning, account.Note}

func runAudit(ctx context.Context, a *app, flags *auditFlags) error {
	if flags.schema {
		_, err := a.io.out.Write(report.Schema())
		return err
	}
	checks, err := flags.parse(a)
	if err != nil {
		return err
	}
	var r *account.Report
	if flags.from != "" {
		r, err = savedAudit(a, flags.from)
	} else {
		r, err = liveAudit(ctx, a, account.Freshness{MaxAge: flags.age()})
	}
	if err != nil {
		return err
	}
	r = checks.selection.Of(r)
	if flags.versions {
		if err := a.readHistories(ctx, r); err != nil {
			return err
		}
	}
	printed := printAudit
	if flags.layers {
		printed = printLayers
	}
	if err := printed(a.io, r, flags.format, checks.columns); err != nil {
		return err
	}
	// The other formats hold the times themselves.
	if note := report.StaleNote(r); note != "" && (flags.format == "table" || flags.format == "sarif") {
		fmt.Fprintf(a.io.err, "optlift: %s; --fresh asks again\n", printable(note))
	}
	return checks.verdict(a.io, r)
}

func (f *auditFlags) age() time.Duration {
	if f.fresh {
		return 0
	}
	return f.maxAge
}

// savedAudit reads a report from a file, or from standard input ("-").
func savedAudit(a *app, path string) (*account.Report, error) {
	in, err := openReport(a, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := report.Load(in)
	if err != nil {
		return nil, fmt.Errorf("read the report %s: %w", path, err)
	}
	return r, nil
}

// openReport opens a saved report, "-" being standard input.
func openReport(a *app, path string) (io.ReadCloser, error) {
	if a.demo || len(a.profiles) > 0 || len(a.regions) > 0 {
		return nil, usagef("--from shows a saved report: leave out --profile, --region and --demo")
	}
	if path == "-" {
		return io.NopCloser(a.io.in), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the report: %w", err)
	}
	return f, nil
}

func printLayers(s *streams, r *account.Report, format string, _ []report.Column) error {
	switch format {
	case "json":
		return s.printJSON(r)
	case "csv":
		return report.WriteLayersCSV(s.out, r)
	case "markdown":
		return report.WriteLayersMarkdown(s.out, r)
	}
	return s.printRows(report.LayerTable(r))
}

func printAudit(s *streams, r *account.Report, format string, columns []report.Column) error {
	switch format {
	case "json":
		return s.printJSON(r)
	case "csv":
		return report.WriteCSV(s.out, r, columns)
	case "markdown":
		return report.WriteMarkdown(s.out, r, columns)
	case "sarif":
		return report.WriteSARIF(s.out, r, version())
	}
	if s.outTTY && len(r.Functions) == 0 && len(r.Errors) == 0 {
		_, err := fmt.Fprintf(s.out, "no functions to show: account %s, %s\n", printable(r.Account), printable(strings.Join(r.Regions, ", ")))
		return err
	}
	return s.printRows(report.Table(r, columns))
}

// printRows prints a table, the titles first.
func (s *streams) printRows(table [][]string) error {
	if !s.outTTY {
		// For programs: one row a line, cells apart by tabs.
		for _, row := range table {
			fmt.Fprintln(s.out, strings.Join(row, "\t"))
		}
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range table {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// verdict says on standard error what the exit code stands for.
func (c *auditChecks) verdict(s *streams, r *account.Report) error {
	var verdict error
	fail := func(message string) { verdict = partlyError{message: message, silent: true} }
	for _, x := range r.Accounts {
		if x.Message != "" {
			fmt.Fprintf(s.err, "optlift: profile %s: %s\n", printable(x.Profile), printable(x.Message))
		}
		if x.Failed {
			fail("not every profile could be opened")
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintf(s.err, "optlift: region %s could not be listed whole: %s\n", printable(e.Region), printable(e.Message))
		fail("not every region could be listed")
	}
	if c.threshold >= 0 {
		over, unknown := r.Over(c.threshold)
		for _, f := range over {
			fmt.Fprintf(s.err, "optlift: %s is at %.1f%% of the limit\n", printable(f.Name), float64(*f.UnzippedTotal)/account.UnzippedLimit*100)
			fail("functions over the threshold")
		}
		for _, f := range unknown {
			fmt.Fprintf(s.err, "optlift: %s: unzipped size unknown\n", printable(f.Name))
			fail("functions over the threshold")
		}
	}
	for i := range r.Functions {
		for _, x := range r.Functions[i].Findings {
			if c.failsOn(&x) {
				fmt.Fprintf(s.err, "optlift: %s: %s %s: %s\n", printable(r.Functions[i].Name), printable(x.Severity), printable(x.ID), printable(x.Message))
				fail("findings that --fail-on names")
			}
		}
	}
	return verdict
}

// failsOn tells whether a finding is one of those asked for, or as bad as.
func (c *auditChecks) failsOn(x *account.Finding) bool {
	for _, word := range c.failOn {
		if word == x.ID {
			return true
		}
		at := slices.Index(severities, x.Severity)
		if limit := slices.Index(severities, word); limit >= 0 && at >= 0 && at <= limit {
			return true
		}
	}
	return false
}
