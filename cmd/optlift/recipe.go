package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/blueprint"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/infra"
	"github.com/optlift/optlift/build/recipe"
)

// recipeFlags are what a recipe can be told, besides what build can.
type recipeFlags struct {
	build buildFlags
	dir   string
	repo  string
	infra []string
}

func newRecipe(a *app) *cobra.Command {
	var r recipeFlags
	cmd := &cobra.Command{
		Use:   "recipe FUNCTION -d DIR | recipe --code FILE.zip [--layer FILE.zip]... --runtime R --handler H -d DIR",
		Short: "Write a function's image down as a Dockerfile, for people to own",
		Long: `Write a folder that makes the image of a function without this program: a
Dockerfile with everything pinned, a script that fetches the zips with your own
credentials before the build, and a README with the exact calls to publish it.
Nothing in it is secret.

A layer comes from its zip, or from an image that holds the same files: one that
its publisher offers (--vendor-images), or any other (--layer-from), such as one made by
layer-image. Such an image is compared with the zip first.

--infra writes the function after the switch, with what is attached to it, as
infrastructure code: into the folder, or without -d to standard output.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error {
			if err := r.check(targets); err != nil {
				return err
			}
			if r.dir == "" {
				return printInfra(c.Context(), a, r, targets[0])
			}
			return runRecipe(c.Context(), a, r, targets)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.dir, "directory", "d", "", "folder to make; it must not be there, or be empty")
	f.StringVar(&r.build.code, "code", "", "zip of the function's code")
	f.StringArrayVar(&r.build.layers, "layer", nil, "zip of a layer, in order; may be given several times")
	f.StringVar(&r.build.runtime, "runtime", "", "Lambda runtime identifier (nodejs22.x)")
	f.StringVar(&r.build.handler, "handler", "", "handler (index.handler)")
	f.StringVar(&r.build.arch, "arch", "", "x86_64 or arm64 (default x86_64, or the function's own)")
	f.StringVar(&r.build.base, "base", "", "base image instead of the runtime's own: a reference")
	r.build.images.add(f)
	f.StringVar(&r.repo, "repository", "", "ECR repository to publish to (default: the function's name in lower case)")
	f.StringSliceVar(&r.infra, "infra", nil, "infrastructure code: "+strings.Join(infra.Kinds(), ", "))
	return cmd
}

func (r *recipeFlags) check(targets []string) error {
	for _, kind := range r.infra {
		if err := oneOf("infra", kind, infra.Kinds()...); err != nil {
			return err
		}
	}
	switch {
	case len(r.infra) > 0 && len(targets) == 0:
		return usagef("--infra needs a function: zips have nothing attached to them")
	case r.dir == "" && len(r.infra) == 0:
		return usagef("recipe needs -d DIR, the folder to make")
	case r.dir == "" && len(r.infra) > 1:
		return usagef("several kinds of --infra need -d DIR, the folder to make")
	}
	return nil
}

func runRecipe(ctx context.Context, a *app, r recipeFlags, targets []string) error {
	opener, err := a.opener()
	if err != nil {
		return err
	}
	set, from, err := r.build.request(ctx, a, opener, targets)
	if err != nil {
		return err
	}
	defer set.Close()
	req, err := r.request(ctx, a, set, from)
	if err != nil {
		return err
	}
	images, notes, err := r.build.images.find(ctx, a, set, req.Architecture, from.Layers)
	if err != nil {
		return err
	}
	for _, f := range images {
		part := &req.Layers[f.place]
		part.From = f.image
		if part.Source.Dir == nil { // its zip is gone
			dir, err := a.temp()
			if err != nil {
				return err
			}
			src, closer, err := f.image.Source(ctx, part.ARN, dir)
			if err != nil {
				return err
			}
			defer closer.Close()
			part.Source = src
		}
	}
	files, err := recipe.New(*req)
	if err != nil {
		return err
	}
	if len(r.infra) > 0 {
		f, err := a.blueprint(ctx, targets[0], req.Repository)
		if err != nil {
			return err
		}
		for _, kind := range r.infra {
			text, err := infra.Write(kind, f)
			if err != nil {
				return err
			}
			files = append(files, recipe.File{Name: "infra/" + infra.File(kind), Content: []byte(text), Exec: kind == "cli"})
		}
	}
	if err := recipe.Write(ctx, r.dir, files); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(a.io.out, "note     %s\n", printable(n))
	}
	fmt.Fprintf(a.io.out, "recipe   %s (%d files)\nbase     %s@%s\nnext     read %s/README.md; the first step is %s/fetch.sh\n",
		printable(r.dir), len(files), req.Base.Reference, req.Base.Digest, printable(r.dir), printable(r.dir))
	return nil
}

// request turns what build would work with into what a recipe is made from.
func (r *recipeFlags) request(ctx context.Context, a *app, set *target.Set, from image.Request) (*recipe.Request, error) {
	reference := from.Base
	if reference == "" {
		tag, err := image.BaseFor(from.Runtime)
		if err != nil {
			return nil, err
		}
		reference = strings.TrimSuffix(orDefault(a.baseRegistry, image.DefaultBaseRegistry), "/") + "/" + tag
	}
	base, err := image.ResolveBase(ctx, reference, from.Architecture)
	if err != nil {
		return nil, err
	}
	req := &recipe.Request{
		Runtime: from.Runtime, Handler: from.Handler, Architecture: from.Architecture,
		Base: base, OwnBase: from.Base != "", Repository: orDefault(r.repo, "function"),
	}
	for i := range from.Layers {
		req.Layers = append(req.Layers, recipe.Part{Source: from.Layers[i]})
	}
	req.Code = recipe.Part{Source: from.Code}
	if set.Function == nil {
		for i := range set.Layers {
			req.Layers[i].File = set.Layers[i].File
		}
		req.Code.File = set.Code.File
		return req, nil
	}
	f := set.Function
	req.Function, req.Region, req.Wrapper, req.EnvNames = f.Name, f.Region, f.Wrapper, f.EnvNames
	req.Repository = orDefault(r.repo, strings.ToLower(f.Name))
	for i := range set.Layers {
		req.Layers[i].ARN = set.Layers[i].Name
	}
	req.Code.ARN = f.ARN
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	_, out, err := account.Lookup(ctx, s, f.ARN)
	if err != nil {
		return nil, err
	}
	req.Create = infra.CreateCall(blueprint.FromConfiguration(out.Configuration), f.Name+"-image")
	return req, nil
}

// blueprint captures a function as code describes it.
func (a *app) blueprint(ctx context.Context, function, repository string) (*infra.Function, error) {
	region, err := a.regionOf(ctx, function)
	if err != nil {
		return nil, err
	}
	s, err := a.switcher(ctx, region)
	if err != nil {
		return nil, err
	}
	snap, err := s.Capture(ctx, function)
	if err != nil {
		return nil, err
	}
	return blueprint.Of(snap, orDefault(repository, strings.ToLower(snap.Function)))
}

func printInfra(ctx context.Context, a *app, r recipeFlags, function string) error {
	f, err := a.blueprint(ctx, function, r.repo)
	if err != nil {
		return err
	}
	text, err := infra.Write(r.infra[0], f)
	if err != nil {
		return err
	}
	// Names and descriptions are remote text; a terminal gets no controls of it.
	if a.io.outTTY {
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = printable(lines[i])
		}
		text = strings.Join(lines, "\n")
	}
	_, err = fmt.Fprint(a.io.out, text)
	return err
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
