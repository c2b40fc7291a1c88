package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
)

func newFind(a *app) *cobra.Command {
	var format string
	var fresh bool
	cmd := &cobra.Command{
		Use:   "find PATTERN",
		Short: "Find which layers, and so which functions, hold a path or a package",
		Long: `Look for a path, a file's name or a package in every layer version that a function
of the account has, in all regions of the session, and print where it lies and
which functions have it. PATTERN is one of

  word              a path that contains it, whatever letters' case
  '*.so'            a name that matches; 'lib/*.so' matches the last two names
  /opt/bin/x        a path that begins so
  package:numpy     a package by the name that its path tells; 'package:aws-*',
                    package:numpy@1.26.4 (Node's paths tell no version)

A directory that matches stands for all that lies in it. File lists on disk are
used as they are; the others are read, a few KiB each. The functions are listed
anew; what was told of their layers within the last hour counts, and --fresh asks
for it again. With --profile a,b it looks into several accounts.

Exits 0 whether something is found or not, and 3 when a layer version could not be
looked into, a region not be listed or a profile not be opened.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, words []string) error {
			if err := oneOf("output", format, "table", "json", "csv"); err != nil {
				return err
			}
			p, err := find.Parse(words[0])
			if err != nil {
				return usageError{err}
			}
			age := auditAge
			if fresh {
				age = 0
			}
			return runFind(c.Context(), a, p, account.Freshness{MaxAge: age}, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or csv")
	cmd.Flags().BoolVar(&fresh, "fresh", false, "ask AWS for everything, whatever an earlier audit was told")
	return cmd
}

func runFind(ctx context.Context, a *app, p *find.Pattern, fresh account.Freshness, format string) error {
	r, err := lookAt(ctx, a, fresh, (*account.Auditor).Layers)
	if err != nil {
		return err
	}
	doc, err := a.find(ctx, p, r)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		err = a.io.printJSON(doc)
	case "csv":
		err = report.WriteRows(a.io.out, doc.Rows())
	default:
		err = printFound(a.io, doc)
	}
	if err != nil {
		return err
	}
	verdict := (&auditChecks{threshold: -1}).verdict(a.io, r)
	for _, l := range doc.Unread {
		fmt.Fprintf(a.io.err, "optlift: %s of %s could not be looked into (%s): %s\n", printable(l.ARN), plural(len(l.Functions), "function"), l.State, printable(l.Message))
		verdict = partlyError{message: "not every layer version could be looked into", silent: true}
	}
	return verdict
}

// finder looks into the file lists that the program keeps, and opens what it has none of.
func (a *app) finder(open func(ctx context.Context, targets ...string) (*target.Set, error)) *find.Finder {
	return &find.Finder{Cache: archive.OpenCache(a.cache("directories")), Open: open, Explain: session.Explain}
}

// find looks into the layer versions of an audit's functions.
func (a *app) find(ctx context.Context, p *find.Pattern, r *account.Report) (*find.Report, error) {
	places, err := a.openAll(ctx)
	if err != nil {
		return nil, err
	}
	opener, err := a.opener()
	if err != nil {
		return nil, err
	}
	doc := find.NewReport(p, len(r.Layers), r.Errors)
	users := map[string][]string{}
	layers := make([]find.Layer, len(r.Layers))
	for i := range r.Layers {
		l := &r.Layers[i]
		layers[i], users[l.ARN] = find.Layer{ARN: l.ARN, SHA256: l.SHA256}, l.Functions
	}
	f := a.finder(func(ctx context.Context, targets ...string) (*target.Set, error) {
		// Asked for by an account whose function has it.
		with := *opener
		with.Session = func(context.Context) (*session.Session, error) {
			for _, p := range places {
				if p.session != nil && p.session.Account == account.AccountOfARN(users[targets[0]][0]) {
					return p.session, nil
				}
			}
			return nil, fmt.Errorf("no profile that is open is of an account whose function has %s", targets[0])
		}
		return with.Open(ctx, targets...)
	})
	progress := newProgress(a.io)
	defer progress.done()
	done := 0
	err = f.Find(ctx, p, layers, func(res find.Result) {
		done++
		progress.line(fmt.Sprintf("%d of %s looked into", done, plural(len(layers), "layer version")), 0, 0)
		doc.Take(res, users[res.ARN])
	})
	doc.Sort()
	return doc, err
}

func printFound(s *streams, d *find.Report) error {
	if !s.outTTY {
		rows := d.Rows()
		for _, row := range rows {
			for i := range row {
				row[i] = printable(row[i])
			}
		}
		return s.printRows(rows)
	}
	var b strings.Builder
	functions := map[string]bool{}
	for _, l := range d.Found {
		fmt.Fprintf(&b, "%s  %s\n", printable(l.ARN), plural(len(l.Functions), "function"))
		for _, f := range l.Functions {
			functions[f] = true
		}
		for _, h := range l.Hits {
			fmt.Fprintf(&b, "  %s", printable(h.Path))
			switch {
			case h.Package != nil:
				fmt.Fprintf(&b, "  %s %s\n", h.Package.Ecosystem, printable(h.Package.String()))
			case h.Type == "dir":
				fmt.Fprintf(&b, "/  %s, %s\n", plural(h.Files, "file"), humanize.IBytes(uint64(h.Size)))
			default:
				fmt.Fprintf(&b, "  %s\n", humanize.IBytes(uint64(h.Size)))
			}
		}
		if more := l.Matches - len(l.Hits); more > 0 {
			fmt.Fprintf(&b, "  and %s more\n", plural(more, "path"))
		}
	}
	if len(d.Found) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: in %d of %s, of %s\n", printable(d.Pattern), len(d.Found), plural(d.Layers, "layer version"), plural(len(functions), "function"))
	_, err := fmt.Fprint(s.out, b.String())
	return err
}
