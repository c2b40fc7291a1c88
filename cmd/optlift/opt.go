package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
)

func newOpt(a *app) *cobra.Command {
	var format string
	var conflicts bool
	var change edits
	cmd := &cobra.Command{
		Use:   "opt TARGET...",
		Short: "Show how layers merge under /opt, and who shadows whom",
		Long: `Merge the layers of a function, or the layer versions and local zips named, in
order, and print for every path under /opt which layer won and which copies it
shadows. Several targets are merged in the order given. Local zips need no
account. A layer of a function that was deleted, or may not be read, is shown as
such; the command then exits 3.

With --drop, --add, --replace and --order it shows what is not there yet: how
/opt would look, what the function would weigh against the limit, and which
conflicts would come and go. Layers that are there are named by number, ARN, name
or path; a new one by its ARN or name, which without a version is its newest
version, or by the path of a zip. They are replaced first, then dropped, added and
ordered. The account stays as it is.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error {
			if err := oneOf("output", format, "tree", "json"); err != nil {
				return err
			}
			return runOpt(c.Context(), a, targets, format, conflicts, &change)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "tree", "tree or json")
	cmd.Flags().BoolVar(&conflicts, "conflicts", false, "only paths whose shadowed copy differs")
	change.register(cmd.Flags())
	return cmd
}

func runOpt(ctx context.Context, a *app, targets []string, format string, conflicts bool, change *edits) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	opener.Partly = true
	set, err := opener.Open(ctx, targets...)
	if err != nil {
		return err
	}
	defer set.Close()
	tree, err := set.Opt(ctx)
	if err != nil {
		return err
	}
	before := tree
	var stack whatif.Stack
	if change.any() {
		changed, done, err := change.apply(ctx, opener, set, tree)
		defer done()
		if err != nil {
			return err
		}
		stack, tree = changed, optfs.Merge(changed.Layers()...)
	}
	if a.offline() {
		// The bytes are at hand, so what looks identical is compared, not assumed.
		if before, tree, err = confirm(ctx, before, tree); err != nil {
			return err
		}
	}
	report := optReport{Report: tree.Report("/opt")}
	missing := tellMissing(a.io, set, report.Layers)
	if change.any() {
		c := set.WhatIf(before, stack, tree)
		c.Sure = a.offline()
		if report.WhatIf, err = c.Compare(ctx); err != nil {
			return err
		}
	}
	if conflicts {
		report.Entries = conflicting(report.Entries)
	}
	if format == "json" {
		err = a.io.printJSON(report)
	} else {
		if report.WhatIf != nil {
			if err := printOutcome(a.io, report.WhatIf); err != nil {
				return err
			}
		}
		err = printTree(a.io, report.Report)
	}
	if err == nil && missing {
		err = partlyError{message: "not every layer could be read", silent: true}
	}
	return err
}

// tellMissing says of layers that can't be read why, on standard error and in a
// report, and whether there are any.
func tellMissing(s *streams, set *target.Set, layers []optfs.ReportLayer) (missing bool) {
	for i := range set.Layers {
		l := &set.Layers[i]
		for j := range layers {
			if l.Missing == nil || layers[j].Source != l.Name || layers[j].Unzipped != nil {
				continue
			}
			missing = true
			layers[j].State, layers[j].Message = string(l.State), session.Explain(l.Missing)
			fmt.Fprintf(s.err, "optlift: layer %d is %s, so this is only a part of /opt: %s\n", layers[j].Index, l.State, layers[j].Message)
		}
	}
	return missing
}

// optReport is the JSON form of opt. WhatIf is there when a change was asked
// for; the rest then describes the layers as they would be.
type optReport struct {
	optfs.Report
	WhatIf *whatif.Outcome `json:"whatIf,omitempty"`
}

// confirm compares contents in both trees, once where they are one.
func confirm(ctx context.Context, a, b *optfs.Tree) (*optfs.Tree, *optfs.Tree, error) {
	sureA, err := a.Confirm(ctx)
	if err != nil || a == b {
		return sureA, sureA, err
	}
	sureB, err := b.Confirm(ctx)
	return sureA, sureB, err
}

// conflicting keeps the entries that shadow a copy with other content.
func conflicting(entries []optfs.ReportEntry) []optfs.ReportEntry {
	kept := []optfs.ReportEntry{}
	for _, e := range entries {
		if e.Conflict() {
			kept = append(kept, e)
		}
	}
	return kept
}

func printTree(s *streams, r optfs.Report) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, l := range r.Layers {
		size := "unzipped size unknown: " + l.State
		if l.Unzipped != nil {
			size = humanize.IBytes(uint64(*l.Unzipped)) + " unzipped"
		}
		fmt.Fprintf(w, "layer %d\t%s\t%s\n", l.Index, printable(l.Source), size)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(r.Layers) == 0 {
		_, err := fmt.Fprintln(s.out, "the function has no layers: /opt is empty")
		return err
	}
	fmt.Fprintln(s.out)
	w = tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, e := range r.Entries {
		path := printable(e.Path)
		switch e.Type {
		case "dir":
			path += "/"
		case "symlink":
			path += " -> " + printable(e.Target)
		}
		size := ""
		if e.Type == "file" {
			size = humanize.IBytes(uint64(e.Size))
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", e.Mode, size, e.Winner, path, shadowText(e.Shadows))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "\n%s, %s; %s, %s shadowed\n", plural(len(r.Entries), "path"),
		humanize.IBytes(uint64(r.Size)), plural(r.Conflicts, "conflict"), humanize.IBytes(uint64(r.ShadowedBytes)))
	return err
}

// shadowText says whom a path shadows: "differs from 1, same as 2".
func shadowText(shadows []optfs.ReportShadow) string {
	text := ""
	for _, s := range shadows {
		word := "shadows"
		if s.Identical {
			word = "same as"
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s layer %d", word, s.Layer)
		if s.Path != "" {
			text += " " + printable(s.Path)
		}
	}
	return text
}
