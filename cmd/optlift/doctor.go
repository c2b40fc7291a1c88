package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/doctor"
)

func newDoctor(a *app) *cobra.Command {
	var asJSON bool
	var bucket string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check credentials, clock, rights, registries, disk and terminal",
		Long: `Check what this program stands on, and say what to do about what is wrong. Nothing
is changed. Exits 1 when a check fails; a warning does not.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkBucket(bucket); err != nil {
				return err
			}
			bucket, _, _ = strings.Cut(strings.TrimPrefix(bucket, "s3://"), "/")
			return runDoctor(c.Context(), a, bucket, asJSON)
		},
	}
	cmd.Flags().StringVar(&bucket, "bucket", "", "also check this S3 bucket, for the way back of zips over 50 MB")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// doctorReport is the JSON form of doctor.
type doctorReport struct {
	Schema   int              `json:"schema"`
	Findings []doctor.Finding `json:"findings"`
}

func runDoctor(ctx context.Context, a *app, bucket string, asJSON bool) error {
	report := doctorReport{Schema: 1, Findings: []doctor.Finding{}}
	failed := 0
	add := func(f doctor.Finding) {
		if f.State == doctor.Failed {
			failed++
		}
		report.Findings = append(report.Findings, f)
		if asJSON {
			return
		}
		fmt.Fprintf(a.io.out, "%-8s %-24s %s\n", f.State, printable(f.Check), printable(f.Message))
		if f.Next != "" {
			fmt.Fprintf(a.io.out, "%-8s %-24s → %s\n", "", "", printable(f.Next))
		}
	}
	opts := doctor.Options{Open: a.open, Bucket: bucket, Dirs: []string{filepath.Join(xdg.CacheHome, "optlift"), filepath.Join(xdg.StateHome, "optlift"), os.TempDir()}}
	if a.demo {
		// The embedded account brings its own base images; it starts with the session.
		if _, err := a.open(ctx); err != nil {
			return err
		}
	}
	opts.BaseRegistry = a.baseRegistry
	if err := doctor.Examine(ctx, opts, add); err != nil {
		return err
	}
	add(terminalFacts(a.io))
	if asJSON {
		if err := a.io.printJSON(report); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d checks failed", failed)
	}
	return nil
}

// terminalFacts says whether the terminal UI can open here, and how it will look.
func terminalFacts(s *streams) doctor.Finding {
	f := doctor.Finding{Check: "terminal", State: doctor.OK}
	kind := os.Getenv("TERM")
	switch {
	case !s.inTTY || !s.outTTY:
		f.Message = "input and output are no terminal: the terminal UI can't open here, every command works"
	case kind == "" || kind == "dumb":
		f.State, f.Message = doctor.Warning, fmt.Sprintf("TERM is %q: the terminal UI can't open", kind)
		f.Next = "set TERM, as to xterm-256color, or use the commands"
	default:
		f.Message = fmt.Sprintf("%s, %d columns", kind, s.outWidth)
		if os.Getenv("NO_COLOR") != "" {
			f.Message += ", without colours (NO_COLOR)"
		}
		if s.outWidth > 0 && s.outWidth < 80 {
			f.State, f.Next = doctor.Warning, "make the window 80 columns wide or more"
		}
	}
	return f
}
