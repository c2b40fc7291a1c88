package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layerimage"
)

func newLayerImage(a *app) *cobra.Command {
	var arch, output string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "layer-image TARGET... -o OUTPUT",
		Short: "Make an image of Lambda layers, for any Dockerfile to COPY --from",
		Long: `Make an image that holds Lambda layers under /opt and nothing else, one image
layer for each, in the order given (a function stands for its layers). It is
FROM scratch: not there to be run, but to be copied from:

  COPY --from=REPOSITORY:TAG /opt/ /opt/

The image is for the architecture that the layers' programs are for; --arch says
which where they are for several, or for none.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error {
			if output == "" {
				return usagef("layer-image needs -o: oci:DIR, docker:FILE.tar or push:REPO[:TAG]")
			}
			out, err := image.ParseOutput(output)
			if err != nil {
				return usageError{err}
			}
			if out.Kind == "push" && out.Target == "" {
				return usagef("layer-image -o push needs a repository: push:REPO[:TAG]")
			}
			if out.Kind == "push" && !a.write {
				return usagef("-o push writes to the account: add --write")
			}
			if arch != "" {
				if err := oneOf("arch", arch, "x86_64", "arm64"); err != nil {
					return err
				}
			}
			return runLayerImage(c.Context(), a, targets, out, arch, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&arch, "arch", "", "x86_64 or arm64 (default: the function's own, or what the layers' programs are for)")
	f.StringVarP(&output, "output", "o", "", "oci:DIR, docker:FILE.tar or push:REPO[:TAG]")
	f.BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

func runLayerImage(ctx context.Context, a *app, targets []string, out image.Output, arch string, asJSON bool) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	progress := newProgress(a.io)
	defer progress.done()
	wait := func() error { return nil }
	if out.Kind == "push" {
		wait = a.openAhead(ctx)
	}
	set, err := opener.Fetch(ctx, progress.fetch, targets...)
	opened := wait()
	if err != nil {
		return err
	}
	defer set.Close()
	if opened != nil {
		return opened
	}
	from := set.Request()
	if len(from.Layers) == 0 {
		return fmt.Errorf("function %s has no layers to make an image of", set.Function.Name)
	}
	req := layerimage.Request{Layers: from.Layers, Architecture: from.Architecture, Executables: from.Executables, Progress: progress.image}
	if arch != "" {
		req.Architecture = arch
	}
	if req.Store, err = a.store(); err != nil {
		return err
	}
	repo, tag, _ := strings.Cut(out.Target, ":")
	var sending *registry.Uploader
	if out.Kind == "push" {
		if sending, err = layerUploader(ctx, a, set, repo); err != nil {
			return err
		}
		defer sending.Close()
		req.Early = sending.Add
	}
	built, err := layerimage.Build(ctx, req)
	if err != nil {
		return err
	}
	where := out.String()
	if sending != nil {
		where, err = sending.Push(ctx, tag, built.Image, progress.push)
	} else {
		err = write(ctx, &image.Built{Image: built.Image}, out, "latest", progress)
	}
	progress.done()
	if err != nil {
		return err
	}
	report := built.Report(where)
	if asJSON {
		return a.io.printJSON(report)
	}
	printLayerImage(a.io, built, report, out)
	return nil
}

// layerUploader sends layers to a repository that Lambda need not pull from, in
// the function's region or the session's.
func layerUploader(ctx context.Context, a *app, set *target.Set, repo string) (*registry.Uploader, error) {
	client, err := ecr(ctx, a, set)
	if err != nil {
		return nil, err
	}
	return client.Uploader(ctx, func(ctx context.Context) (registry.Repository, error) { return client.FindOrCreate(ctx, repo) }), nil
}

func printLayerImage(s *streams, built *layerimage.Built, report image.Report, out image.Output) {
	fmt.Fprintf(s.out, "image    %s\n", report.Output)
	fmt.Fprintf(s.out, "digest   %s\n", report.Digest)
	fmt.Fprintf(s.out, "size     %s (%s unpacked), %s\n",
		humanize.IBytes(uint64(report.Size)), humanize.IBytes(uint64(report.Uncompressed)), report.Platform)
	for i, l := range report.Layers {
		fmt.Fprintf(s.out, "layer %2d %s  %s\n", i+1, l.Digest, printable(l.Source))
	}
	for _, p := range built.Foreign {
		fmt.Fprintf(s.out, "note     %s is for %s\n", printable(p.Path), p.Architecture)
	}
	for _, f := range image.Broken(report.Findings) {
		fmt.Fprintf(s.out, "  %s %s %s: %s\n", f.Severity, f.Rule, printable(f.Path), printable(f.Message))
	}
	fmt.Fprintf(s.out, "proof    %d paths under /opt equal to the zips\n", built.Proof.Compared)
	for _, r := range built.Proof.Repairs {
		fmt.Fprintf(s.out, "repaired %s: %s\n", printable(r.Path), r.What)
	}
	if out.Kind == "push" {
		fmt.Fprintf(s.out, "use      COPY --from=%s /opt/ /opt/\n", report.Output)
	}
}
