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
	"github.com/optlift/optlift/build/layer"
)

// buildFlags are what build and prove need to know of an image's making.
type buildFlags struct {
	code    string
	layers  []string
	runtime string
	handler string
	arch    string
	base    string
	output  string
	json    bool
	images  layerImages
}

func newBuild(a *app) *cobra.Command {
	var b buildFlags
	cmd := &cobra.Command{
		Use:   "build FUNCTION | --code FILE.zip [--layer FILE.zip]... --runtime R --handler H",
		Short: "Build the container image of a function, without Docker",
		Long: `Build the container image that is equivalent to a function's zip and layers: the
base image of its runtime, one image layer per Lambda layer in order, the code
last. The image is checked against the rules of Lambda's image reader and proven
to hold what the zips hold before it is written.

A layer comes from its zip, or from the /opt of an image that holds the same files:
its publisher's (--vendor-images), or any other (--layer-from), such as one made by
layer-image. It is compared with the zip; where that was deleted or may not be read,
the output says that nothing could be compared.

Local zips and a local base (--base oci:DIR) need no account and no network.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error { return runBuild(c.Context(), a, b, targets) },
	}
	f := cmd.Flags()
	f.StringVar(&b.code, "code", "", "zip of the function's code")
	f.StringArrayVar(&b.layers, "layer", nil, "zip of a layer, in order; may be given several times")
	f.StringVar(&b.runtime, "runtime", "", "Lambda runtime identifier (nodejs22.x)")
	f.StringVar(&b.handler, "handler", "", "handler (index.handler)")
	f.StringVar(&b.arch, "arch", "", "x86_64 or arm64 (default x86_64, or the function's own)")
	f.StringVar(&b.base, "base", "", "base image instead of the runtime's own: a reference or oci:DIR")
	f.StringVarP(&b.output, "output", "o", "", "oci:DIR, docker:FILE.tar or push[:REPO[:TAG]]")
	f.BoolVar(&b.json, "json", false, "print the result as JSON")
	b.images.add(f)
	return cmd
}

func runBuild(ctx context.Context, a *app, b buildFlags, targets []string) error {
	if b.output == "" {
		return usagef("build needs -o: oci:DIR, docker:FILE.tar or push[:REPO[:TAG]]")
	}
	out, err := image.ParseOutput(b.output)
	if err != nil {
		return usageError{err}
	}
	if out.Kind == "push" && !a.write {
		return usagef("-o push writes to the account: add --write")
	}
	opener, err := a.opener()
	if err != nil {
		return err
	}
	wait := func() error { return nil }
	if out.Kind == "push" {
		wait = a.openAhead(ctx)
	}
	set, req, err := b.request(ctx, a, opener, targets)
	opened := wait()
	if err != nil {
		return err
	}
	defer set.Close()
	if opened != nil {
		return opened
	}
	repo, tag, err := pushTarget(out, set)
	if err != nil {
		return err
	}
	if req.Store, err = a.store(); err != nil {
		return err
	}
	req.BaseCache = a.cache("bases")
	progress := newProgress(a.io)
	defer progress.done()
	taken, err := b.images.replace(ctx, a, set, &req)
	defer taken.close() // scratch files, which the end of the command removes as well
	if err != nil {
		return err
	}
	req.Progress = progress.image
	var sending *registry.Uploader
	if out.Kind == "push" {
		if sending, err = uploader(ctx, a, set, repo); err != nil {
			return err
		}
		defer sending.Close()
		req.Early = sending.Add
	}
	built, err := image.Build(ctx, req)
	if err != nil {
		return err
	}
	where := b.output
	if sending != nil {
		where, err = sending.Push(ctx, tag, built.Image, progress.push)
	} else {
		err = write(ctx, built, out, tag, progress)
	}
	progress.done()
	if err != nil {
		return err
	}
	report := built.Report(where)
	if b.json {
		return a.io.printJSON(report)
	}
	printBuilt(a.io, built, report)
	for _, n := range taken.notes {
		fmt.Fprintf(a.io.out, "note     %s\n", printable(n))
	}
	return nil
}

// request opens the archives and says what to make of them. Those of a function
// are still arriving: converting them tells how far they are.
func (b buildFlags) request(ctx context.Context, a *app, opener *target.Opener, targets []string) (*target.Set, image.Request, error) {
	none := image.Request{}
	switch {
	case len(targets) == 1 && (b.code != "" || len(b.layers) > 0):
		return nil, none, usagef("build takes a function or --code and --layer, not both")
	case len(targets) == 0 && b.code == "":
		return nil, none, usagef("build needs a function, or --code FILE.zip")
	case len(targets) == 0 && b.runtime == "" && b.base == "":
		return nil, none, usagef("build --code needs --runtime, or --base")
	}
	if b.arch != "" {
		if err := oneOf("arch", b.arch, "x86_64", "arm64"); err != nil {
			return nil, none, err
		}
	}
	var set *target.Set
	var err error
	opener.Elsewhere = b.images.named
	if len(targets) == 1 {
		set, err = opener.Follow(ctx, nil, targets[0])
	} else {
		set, err = opener.FetchLocal(ctx, b.code, b.layers)
	}
	if err != nil {
		return nil, none, err
	}
	req := set.Request()
	req.BaseRegistry = a.baseRegistry
	req.Base = b.base
	for _, o := range []struct {
		flag  string
		field *string
	}{{b.runtime, &req.Runtime}, {b.handler, &req.Handler}, {b.arch, &req.Architecture}} {
		if o.flag != "" {
			*o.field = o.flag
		}
	}
	if req.Architecture == "" {
		req.Architecture = "x86_64"
	}
	return set, req, nil
}

// pushTarget says which repository and tag an output stands for.
func pushTarget(out image.Output, set *target.Set) (repo, tag string, err error) {
	name := "code"
	if set.Function != nil {
		name = strings.ToLower(set.Function.Name)
	}
	if out.Kind != "push" {
		return "", "latest", nil
	}
	repo, tag, _ = strings.Cut(out.Target, ":")
	if repo == "" {
		if set.Function == nil {
			return "", "", usagef("-o push of local zips needs a repository: push:REPO[:TAG]")
		}
		repo = name
	}
	if tag == "" {
		tag = "optlift"
	}
	return repo, tag, nil
}

// write keeps the image on this machine.
func write(ctx context.Context, built *image.Built, out image.Output, tag string, p *progress) error {
	img, err := image.Tracked(ctx, built.Image, p.image)
	if err != nil {
		return err
	}
	if out.Kind == "oci" {
		return image.WriteOCI(ctx, img, out.Target, tag)
	}
	return image.WriteTarball(ctx, img, out.Target, "")
}

// uploader sends an image's layers to the repository in the function's region,
// which is made when the first of them is there.
func uploader(ctx context.Context, a *app, set *target.Set, repo string) (*registry.Uploader, error) {
	client, err := ecr(ctx, a, set)
	if err != nil {
		return nil, err
	}
	return client.Uploader(ctx, func(ctx context.Context) (registry.Repository, error) { return client.Ensure(ctx, repo) }), nil
}

// ecr is the registry of the function's region, or of the session's.
func ecr(ctx context.Context, a *app, set *target.Set) (*registry.Client, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	region := s.Regions[0]
	if set.Function != nil {
		region = set.Function.Region
	}
	return registry.New(s, region), nil
}

// sources are a set's archives as the build rooms take them.
func sources(set *target.Set) (layers []layer.Source, code *layer.Source) {
	req := set.Request()
	if set.Code != nil {
		code = &req.Code
	}
	return req.Layers, code
}

func printBuilt(s *streams, built *image.Built, report image.Report) {
	fmt.Fprintf(s.out, "image    %s\n", report.Output)
	fmt.Fprintf(s.out, "digest   %s\n", report.Digest)
	fmt.Fprintf(s.out, "base     %s@%s\n", report.Base.Ref, report.Base.Digest)
	fmt.Fprintf(s.out, "size     %s (%s unpacked), %s\n",
		humanize.IBytes(uint64(report.Size)), humanize.IBytes(uint64(report.Uncompressed)), report.Platform)
	for i, l := range report.Layers {
		fmt.Fprintf(s.out, "layer %2d %s  %s\n", i+1, l.Digest, printable(l.Source))
		if l.Image != "" {
			fmt.Fprintf(s.out, "         from %s\n", printable(l.Image))
		}
	}
	fmt.Fprintf(s.out, "lint     %d findings\n", len(built.Findings))
	for _, f := range built.Findings {
		fmt.Fprintf(s.out, "  %s %s %s: %s\n", f.Severity, f.Rule, printable(f.Path), printable(f.Message))
	}
	if built.Proof != nil {
		fmt.Fprintf(s.out, "proof    %d paths under /opt and /var/task equal to the zips\n", built.Proof.Compared)
		for _, r := range built.Proof.Repairs {
			fmt.Fprintf(s.out, "repaired %s: %s\n", printable(r.Path), r.What)
		}
	}
}
