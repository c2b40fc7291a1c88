package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/patch"
)

// patchFlags are what a patch can be told.
type patchFlags struct {
	dir, template, logical, resource, image string
	terraform                               []string
}

func newPatch(a *app) *cobra.Command {
	var f patchFlags
	cmd := &cobra.Command{
		Use:   "patch FUNCTION -d DIR [--template FILE | --terraform FILE|DIR...]",
		Short: "Write the change of the template or configuration that keeps a function",
		Long: `A function that a CloudFormation stack (SAM, CDK) or Terraform keeps has to become a
container image there, too, or the next deployment breaks it. Given the template, or
the configuration's files, write into a new directory: the changed file, the change
as a patch, what an import needs, and the steps in their order. Comments and layout
of the file stay; nothing is changed in the account or in the file itself. Without
--template CloudFormation is asked for the template of the stack in the function's
tags. For a template that the CDK has made there is the construct's code, too.

The function is found in a template by the logical id in its tags, in Terraform's
files by its name. The image is the one it runs, or --image for a function that is
still a zip: optlift build FUNCTION -o push makes one.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			switch {
			case f.dir == "":
				return usagef("patch needs -d DIR, the directory to write to")
			case f.template != "" && len(f.terraform) > 0:
				return usagef("give --template or --terraform, not both")
			}
			return runPatch(c.Context(), a, names[0], &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.dir, "directory", "d", "", "directory to write to; it must not exist or be empty")
	flags.StringVar(&f.template, "template", "", "CloudFormation or SAM template, YAML or JSON (default: the stack's own)")
	flags.StringVar(&f.logical, "logical-id", "", "what the template calls the function (default: as its tags say)")
	flags.StringArrayVar(&f.terraform, "terraform", nil, "file or directory of Terraform's configuration; may be given several times")
	flags.StringVar(&f.resource, "resource", "", "with --terraform: the name of the aws_lambda_function (default: found by function_name)")
	flags.StringVar(&f.image, "image", "", "image to name, pinned by digest (default: the one the function runs)")
	return cmd
}

func runPatch(ctx context.Context, a *app, name string, f *patchFlags) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	fn, out, err := account.Lookup(ctx, s, name)
	if err != nil {
		return err
	}
	k := &keeper{patchFlags: *f, function: fn.Name, region: fn.Region, stack: out.Tags["aws:cloudformation:stack-name"],
		migrated: out.Configuration.PackageType == types.PackageTypeImage}
	k.logical = orDefault(k.logical, out.Tags["aws:cloudformation:logical-id"])
	if k.image == "" && k.migrated && out.Code != nil {
		k.image = aws.ToString(out.Code.ResolvedImageUri)
	}
	if k.image == "" {
		return usagef("function %s is still a zip: give --image REFERENCE; optlift build %s -o push makes one", fn.Name, fn.Name)
	}
	w, err := k.written(ctx, s)
	if err != nil {
		return err
	}
	if err := w.save(k.dir); err != nil {
		return err
	}
	return w.print(a.io, k.dir)
}

// keeper is who keeps a function besides AWS: a stack, or Terraform.
type keeper struct {
	patchFlags
	function, region string
	stack            string // "" where no tag tells
	migrated         bool   // the function is a container image already
}

// written makes what is written for the function's keeper.
func (k *keeper) written(ctx context.Context, s *session.Session) (*writing, error) {
	if len(k.terraform) > 0 {
		return k.patchTerraform()
	}
	return k.patchTemplate(ctx, s)
}

func (k *keeper) patchTemplate(ctx context.Context, s *session.Session) (*writing, error) {
	switch {
	case k.template == "" && k.stack == "":
		return nil, usagef("no tag of function %s names a stack: give --template FILE with --logical-id, or --terraform FILE", k.function)
	case k.logical == "":
		return nil, usagef("no tag of function %s says what its template calls it: give --logical-id", k.function)
	}
	name, text, err := k.templateOf(ctx, s)
	if err != nil {
		return nil, err
	}
	r, err := patch.Template(text, k.logical, k.image)
	if err != nil {
		return nil, err
	}
	steps := &patch.Stack{Function: k.function, Stack: orDefault(k.stack, "STACK"), Logical: k.logical, File: name, Image: k.image, Migrated: k.migrated,
		Serverless: strings.Contains(text, "AWS::Serverless-"), Result: r}
	list, err := steps.Import()
	if err != nil {
		return nil, err
	}
	w := newWriting(name, text, r)
	w.files["import.json"], w.files["STEPS.md"] = list, steps.Steps()
	w.files["import-"+name], w.files["retain-"+name] = r.Import, r.Retain
	if code := steps.Constructs(); code != "" {
		w.files["construct.ts"] = code
	}
	return w, nil
}

// templateOf reads the template that was given, or the stack's own.
func (k *keeper) templateOf(ctx context.Context, s *session.Session) (name, text string, err error) {
	if k.template != "" {
		b, err := os.ReadFile(k.template)
		if err != nil {
			return "", "", fmt.Errorf("read the template: %w", err)
		}
		return filepath.Base(k.template), string(b), nil
	}
	t := account.TemplateOf(ctx, s, k.region, k.stack)
	switch t.State {
	case account.OK:
	case account.Denied:
		return "", "", fmt.Errorf("not allowed to read the template of stack %s: %s; give its --template FILE", k.stack, t.Message)
	case account.Deleted:
		return "", "", fmt.Errorf("the tags of function %s name stack %s, but %s: if another template keeps the function, give its --template FILE", k.function, k.stack, t.Message)
	default:
		return "", "", fmt.Errorf("could not read the template of stack %s: %s; give its --template FILE", k.stack, t.Message)
	}
	name = k.stack + ".yaml"
	if strings.HasPrefix(strings.TrimSpace(t.Text), "{") {
		name = k.stack + ".json"
	}
	return name, t.Text, nil
}

func (k *keeper) patchTerraform() (*writing, error) {
	files, err := configurations(k.terraform)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		r, err := patch.Terraform(filepath.Base(file), string(text), k.resource, k.function, k.image)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		steps := &patch.Configuration{Function: k.function, Address: r.Name, File: filepath.Base(file), Image: k.image, Migrated: k.migrated, Notes: r.Notes}
		w := newWriting(steps.File, string(text), r)
		w.files["import.tf"], w.files["STEPS.md"] = steps.Import(), steps.Steps()
		return w, nil
	}
	return nil, fmt.Errorf("no aws_lambda_function with the function_name %q in %s: name the resource with --resource", k.function, strings.Join(k.terraform, ", "))
}

// configurations are the files that are named, and those of the directories that are.
func configurations(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := fs.Glob(os.DirFS(path), "*.tf")
		if err != nil || len(inside) == 0 {
			return nil, fmt.Errorf("read the configuration: %s holds no .tf file", path)
		}
		slices.Sort(inside)
		for _, name := range inside {
			files = append(files, filepath.Join(path, name))
		}
	}
	return files, nil
}
