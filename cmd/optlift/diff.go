package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/build/difference"
)

func newDiff(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two layer versions, functions or zips",
		Long: `Compare what two layer versions, functions or local zips unpack to, and print
the files and the packages that were added, removed or changed from A to B: in
type, mode, size, content or link target. A function is compared with its layers
under /opt and its code under /var/task. Archives are downloaded, and contents
compared byte by byte.

Exits 0 when nothing differs and 3 when something does; 1 is a failure, as
everywhere.`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, targets []string) error {
			if err := oneOf("output", format, "text", "json"); err != nil {
				return err
			}
			return runDiff(c.Context(), a, targets[0], targets[1], format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "text or json")
	return cmd
}

func runDiff(ctx context.Context, a *app, old, now, format string) error {
	var subjects [2]difference.Subject
	for i, t := range []string{old, now} {
		set, err := fetch(ctx, a, "", []string{t}, false)
		if err != nil {
			return err
		}
		defer set.Close()
		subjects[i].Name = t
		if subjects[i].Opt, subjects[i].Task, err = trees(ctx, set); err != nil {
			return err
		}
	}
	r, err := difference.Compare(ctx, subjects[0], subjects[1])
	if err != nil {
		return err
	}
	if format == "json" {
		err = a.io.printJSON(r)
	} else {
		err = printDiff(a.io, r)
	}
	if err == nil && !r.Equal {
		err = partlyError{message: "the targets differ", silent: true}
	}
	return err
}

var diffSigns = map[difference.Change]string{difference.Added: "+", difference.Removed: "-", difference.Changed: "~"}

func printDiff(s *streams, r *difference.Report) error {
	var b strings.Builder
	count := map[difference.Change]int{}
	for _, f := range r.Files {
		count[f.Change]++
		fmt.Fprintf(&b, "%s %s", diffSigns[f.Change], printable(f.Path))
		switch {
		case f.Old == nil:
			b.WriteString(sideText(f.New))
		case f.New == nil:
			b.WriteString(sideText(f.Old))
		default:
			b.WriteString(changeText(&f))
		}
		b.WriteByte('\n')
	}
	if len(r.Packages) > 0 {
		b.WriteString("\npackages\n")
	}
	for _, p := range r.Packages {
		fmt.Fprintf(&b, "%s %s %s", diffSigns[p.Change], p.Ecosystem, printable(p.Name))
		switch p.Change {
		case difference.Changed:
			fmt.Fprintf(&b, "  %s -> %s\n", versionsText(p.Old), versionsText(p.New))
		default:
			fmt.Fprintf(&b, "  %s\n", versionsText(slices.Concat(p.Old, p.New)))
		}
	}
	if r.Equal {
		fmt.Fprintf(&b, "%s and %s unpack to the same files\n", printable(r.Old.Target), printable(r.New.Target))
	} else {
		fmt.Fprintf(&b, "\n%d added, %d removed, %d changed; %s -> %s\n", count[difference.Added], count[difference.Removed], count[difference.Changed],
			humanize.IBytes(uint64(r.Old.Size)), humanize.IBytes(uint64(r.New.Size)))
	}
	for _, side := range []difference.ReportSide{r.Old, r.New} {
		for _, u := range side.Unread {
			fmt.Fprintf(s.err, "optlift: %s of %s is not understood, its packages are not compared: %s\n", printable(u.Path), printable(side.Target), printable(u.Reason))
		}
	}
	_, err := fmt.Fprint(s.out, b.String())
	return err
}

func sideText(s *difference.Side) string {
	switch s.Type {
	case "dir":
		return "/"
	case "symlink":
		return " -> " + printable(s.Target)
	}
	return "  " + humanize.IBytes(uint64(s.Size))
}

func changeText(f *difference.File) string {
	var parts []string
	for _, what := range f.What {
		switch what {
		case "type":
			parts = append(parts, f.Old.Type+" -> "+f.New.Type)
		case "mode":
			parts = append(parts, "mode "+f.Old.Mode+" -> "+f.New.Mode)
		case "size":
			parts = append(parts, fmt.Sprintf("size %d -> %d", f.Old.Size, f.New.Size))
		case "target":
			parts = append(parts, printable(f.Old.Target)+" -> "+printable(f.New.Target))
		default:
			parts = append(parts, what)
		}
	}
	return "  " + strings.Join(parts, ", ")
}

func versionsText(versions []string) string {
	shown := make([]string, len(versions))
	for i, v := range versions {
		if shown[i] = printable(v); v == "" {
			shown[i] = "unknown"
		}
	}
	return strings.Join(shown, ", ")
}
