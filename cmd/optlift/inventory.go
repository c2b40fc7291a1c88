package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/optfs"
)

func newInventory(a *app) *cobra.Command {
	var format, code string
	cmd := &cobra.Command{
		Use:   "inventory TARGET...",
		Short: "List the packages in layers and code",
		Long: `List the packages in a function's layers and code, or in the layer versions and
local zips named: Python distributions, Node modules, Java archives, Ruby gems,
.NET libraries and the modules of programs made by Go. Each comes with its
version, its place, the number of its layer (0 is the function's code) and its
package URL; copies that a later layer shadows are marked, and packages that lie
at two versions in different layers are listed below.

Archives are downloaded, as most of their files are looked at. With -o cyclonedx
the packages that are seen are written as a CycloneDX bill of materials.

What should tell of a package and could not be read is named on standard error
and in every format, and makes the command exit 3.`,
		Args: func(c *cobra.Command, targets []string) error {
			if code != "" {
				return nil
			}
			return args(cobra.MinimumNArgs(1))(c, targets)
		},
		RunE: func(c *cobra.Command, targets []string) error {
			if err := oneOf("output", format, "table", "json", "cyclonedx"); err != nil {
				return err
			}
			return runInventory(c.Context(), a, targets, code, format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "table", "table, json or cyclonedx")
	cmd.Flags().StringVar(&code, "code", "", "local zip of a function's code; the targets are then local zips of layers")
	return cmd
}

// inventoryReport is the JSON form of inventory. Fields may be added, never
// renamed; lists are never null.
type inventoryReport struct {
	Schema  int            `json:"schema"` // 1
	Sources []sourceReport `json:"sources"`
	*inventory.Inventory
}

// sourceReport names an archive; Layer is 0 for the code.
type sourceReport struct {
	Layer  int    `json:"layer"`
	Source string `json:"source"`
}

func runInventory(ctx context.Context, a *app, targets []string, code, format string) error {
	set, err := fetch(ctx, a, code, targets, true)
	if err != nil {
		return err
	}
	defer set.Close()
	inv, err := takeInventory(ctx, set)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		err = a.io.printJSON(inventoryReport{Schema: 1, Sources: sourcesOf(set), Inventory: inv})
	case "cyclonedx":
		subject := inventory.Subject{Name: strings.Join(targets, " "), ToolVersion: version()}
		if set.Function != nil {
			subject.Name = set.Function.Name
		} else if len(targets) == 0 {
			subject.Name = code
		}
		err = inv.WriteCycloneDX(a.io.out, subject)
	default:
		err = printInventory(a.io, sourcesOf(set), inv)
	}
	if err != nil || len(inv.Unread) == 0 {
		return err
	}
	for _, u := range inv.Unread {
		fmt.Fprintf(a.io.err, "optlift: %s of layer %d is not understood: %s\n", printable(u.Path), u.Layer, printable(u.Reason))
	}
	return partlyError{message: "not every package could be listed", silent: true}
}

// fetch opens targets with all their bytes at hand. partly does without layers of a
// function that can't be read.
func fetch(ctx context.Context, a *app, code string, targets []string, partly bool) (*target.Set, error) {
	opener, err := a.opener()
	if err != nil {
		return nil, err
	}
	opener.Partly = partly
	if code != "" {
		return opener.FetchLocal(ctx, code, targets)
	}
	progress := newProgress(a.io)
	defer progress.done()
	return opener.Fetch(ctx, progress.fetch, targets...)
}

func takeInventory(ctx context.Context, set *target.Set) (*inventory.Inventory, error) {
	opt, task, err := trees(ctx, set)
	if err != nil {
		return nil, err
	}
	inv, err := inventory.Take(ctx, opt, task)
	if err != nil {
		return nil, err
	}
	for i := range inv.Unread {
		if u := &inv.Unread[i]; u.Layer > 0 && u.Layer <= len(set.Layers) {
			if l := &set.Layers[u.Layer-1]; l.Missing != nil {
				u.Reason = fmt.Sprintf("the layer is %s: %s", l.State, session.Explain(l.Missing))
			}
		}
	}
	return inv, nil
}

// trees merges a set's layers, and its code apart; task is nil without code.
func trees(ctx context.Context, set *target.Set) (opt, task *optfs.Tree, err error) {
	if opt, err = set.Opt(ctx); err != nil {
		return nil, nil, err
	}
	task, err = set.Task(ctx)
	return opt, task, err
}

func sourcesOf(set *target.Set) []sourceReport {
	out := []sourceReport{}
	if set.Code != nil {
		out = append(out, sourceReport{Source: set.Code.Name})
	}
	for i := range set.Layers {
		out = append(out, sourceReport{Layer: i + 1, Source: set.Layers[i].Name})
	}
	return out
}

func printInventory(s *streams, sources []sourceReport, inv *inventory.Inventory) error {
	if !s.outTTY {
		// For programs: one package a line, cells apart by tabs.
		fmt.Fprintln(s.out, "ECOSYSTEM\tPACKAGE\tVERSION\tLAYER\tSHADOWED\tPATH\tPURL")
		for _, p := range inv.Packages {
			fmt.Fprintf(s.out, "%s\t%s\t%s\t%d\t%t\t%s\t%s\n", p.Ecosystem, printable(p.Name), printable(p.Version), p.Layer, p.Shadowed, printable(p.Path), printable(p.PURL))
		}
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, from := range sources {
		fmt.Fprintf(w, "layer %d\t%s\n", from.Layer, printable(from.Source))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "ECOSYSTEM\tPACKAGE\tVERSION\tLAYER\tPATH")
	for _, p := range inv.Packages {
		mark := ""
		if p.Shadowed {
			mark = "  (shadowed)"
		}
		ver := printable(p.Version)
		if ver == "" {
			ver = "unknown"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s%s\n", p.Ecosystem, printable(p.Name), ver, p.Layer, printable(p.Path), mark)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%d packages\n", len(inv.Packages))
	for _, d := range inv.Divided {
		var places []string
		for _, c := range d.Copies {
			places = append(places, fmt.Sprintf("%s in layer %d", printable(c.Version), c.Layer))
		}
		fmt.Fprintf(s.out, "%s %s lies at several versions: %s\n", d.Ecosystem, printable(d.Name), strings.Join(places, ", "))
	}
	return nil
}
