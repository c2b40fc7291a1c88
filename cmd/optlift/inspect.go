package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/build/image"
)

func newLint(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lint oci:DIR | docker:FILE.tar | REFERENCE",
		Short: "Check an image against the rules of Lambda's image reader",
		Long: `Check any container image, built by this program or another, against the rules
of Lambda's image reader, which reports one defect at a time and only when the
function is created. Exits 3 when a rule is broken, or may be.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error {
			findings, err := image.LintReference(c.Context(), targets[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = a.io.printJSON(lintReport{Schema: 1, Findings: findings})
			} else {
				printFindings(a.io, targets[0], findings)
			}
			if err == nil && len(image.Broken(findings)) > 0 {
				err = partlyError{message: "the image breaks rules of Lambda's image reader", silent: true}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// lintReport is the JSON form of lint.
type lintReport struct {
	Schema   int             `json:"schema"`
	Findings []image.Finding `json:"findings"`
}

func printFindings(s *streams, ref string, findings []image.Finding) {
	if len(image.Broken(findings)) == 0 {
		fmt.Fprintf(s.out, "%s obeys every rule of Lambda's image reader that can be checked offline\n", printable(ref))
	}
	for _, f := range findings {
		fmt.Fprintf(s.out, "%s %s", f.Severity, f.Rule)
		if f.Path != "" {
			fmt.Fprintf(s.out, "  %s", printable(f.Path))
		}
		if f.Layer != "" {
			fmt.Fprintf(s.out, "  in image layer %s", f.Layer)
		}
		fmt.Fprintf(s.out, "\n  %s\n  remedy: %s\n", printable(f.Message), printable(f.Remedy))
	}
}

func newProve(a *app) *cobra.Command {
	var b buildFlags
	cmd := &cobra.Command{
		Use:   "prove IMAGE FUNCTION | prove IMAGE --code FILE.zip [--layer FILE.zip]...",
		Short: "Prove that an image holds what the zips hold",
		Long: `Compare path, type, mode, link target and SHA-256 of everything under /opt and
/var/task in an image with the merged zips. Exits 1 when they differ.`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, targets []string) error { return runProve(c.Context(), a, b, targets) },
	}
	f := cmd.Flags()
	f.StringVar(&b.code, "code", "", "zip of the function's code")
	f.StringArrayVar(&b.layers, "layer", nil, "zip of a layer, in order; may be given several times")
	f.BoolVar(&b.json, "json", false, "print the comparison as JSON")
	return cmd
}

func runProve(ctx context.Context, a *app, b buildFlags, targets []string) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	if len(targets) == 1 && b.code == "" && len(b.layers) == 0 {
		return usagef("prove needs what to compare the image with: a function, --code or --layer")
	}
	if len(targets) == 2 && (b.code != "" || len(b.layers) > 0) {
		return usagef("prove takes a function or --code and --layer, not both")
	}
	img, err := image.Open(ctx, targets[0])
	if err != nil {
		return err
	}
	progress := newProgress(a.io)
	defer progress.done()
	set, err := opener.FetchLocal(ctx, b.code, b.layers)
	if len(targets) == 2 {
		set, err = opener.Fetch(ctx, progress.fetch, targets[1])
	}
	if err != nil {
		return err
	}
	defer set.Close()
	layers, code := sources(set)
	proof, err := image.Prove(ctx, img, layers, code)
	progress.done()
	if err != nil {
		return err
	}
	if b.json {
		err = a.io.printJSON(proof)
	} else {
		printProof(a.io, proof)
	}
	if err == nil && !proof.Equal {
		err = fmt.Errorf("%s differs from the zips at %d paths", targets[0], len(proof.Differences))
	}
	return err
}

func printProof(s *streams, p *image.Proof) {
	for _, d := range p.Differences {
		want, got := d.Want, d.Got
		if want == "" {
			want = "not there"
		}
		if got == "" {
			got = "not there"
		}
		fmt.Fprintf(s.out, "%s\n  zips:  %s\n  image: %s\n", printable(d.Path), printable(want), printable(got))
	}
	for _, r := range p.Repairs {
		fmt.Fprintf(s.out, "repaired %s: %s\n", printable(r.Path), r.What)
	}
	verdict := "equal"
	if !p.Equal {
		verdict = fmt.Sprintf("%d differences", len(p.Differences))
	}
	fmt.Fprintf(s.out, "%d paths compared: %s\n", p.Compared, verdict)
}
