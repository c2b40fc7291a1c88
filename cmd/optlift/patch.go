package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
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
		Use:   "patch FUNCTION -d DIR --template FILE | --terraform FILE...",
		Short: "Write the change of the template or configuration that keeps a function",
		Long: `A function that a CloudFormation stack (SAM, CDK) or Terraform keeps has to become a
container image there, too, or the next deployment breaks it. Given the template, or
the configuration's files, write into a new directory: the changed file, the change
as a patch, what an import needs, and the steps in their order. Comments and layout
of the file stay; nothing is changed in the account or in the file itself.

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
	flags.StringVar(&f.template, "template", "", "CloudFormation or SAM template, YAML or JSON")
	flags.StringVar(&f.logical, "logical-id", "", "what the template calls the function (default: as its tags say)")
	flags.StringArrayVar(&f.terraform, "terraform", nil, "file of Terraform's configuration; may be given several times")
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
	migrated := out.Configuration.PackageType == types.PackageTypeImage
	image := f.image
	if image == "" && migrated && out.Code != nil {
		image = aws.ToString(out.Code.ResolvedImageUri)
	}
	if image == "" {
		return usagef("function %s is still a zip: give --image REFERENCE; optlift build %s -o push makes one", fn.Name, fn.Name)
	}
	if len(f.terraform) > 0 {
		return f.patchTerraform(a.io, fn.Name, image, migrated)
	}
	return f.patchTemplate(a.io, fn.Name, out.Tags, image, migrated)
}

func (f *patchFlags) patchTemplate(io *streams, function string, tags map[string]string, image string, migrated bool) error {
	stack := tags["aws:cloudformation:stack-name"]
	logical := orDefault(f.logical, tags["aws:cloudformation:logical-id"])
	switch {
	case f.template == "" && stack == "":
		return usagef("no tag of function %s names a stack: give --template FILE with --logical-id, or --terraform FILE", function)
	case f.template == "":
		return usagef("stack %s keeps function %s: give its --template FILE; aws cloudformation get-template --stack-name %s --query TemplateBody --output text prints it",
			stack, function, stack)
	case logical == "":
		return usagef("no tag of function %s says what its template calls it: give --logical-id", function)
	}
	text, err := os.ReadFile(f.template)
	if err != nil {
		return fmt.Errorf("read the template: %w", err)
	}
	r, err := patch.Template(string(text), logical, image)
	if err != nil {
		return err
	}
	steps := &patch.Stack{Function: function, Stack: orDefault(stack, "STACK"), Logical: logical, File: filepath.Base(f.template), Image: image, Migrated: migrated,
		Serverless: strings.Contains(string(text), "AWS::Serverless-"), Result: r}
	list, err := steps.Import()
	if err != nil {
		return err
	}
	more := map[string]string{"import.json": list, "STEPS.md": steps.Steps(), "import-" + steps.File: r.Import, "retain-" + steps.File: r.Retain}
	if code := steps.Constructs(); code != "" {
		more["construct.ts"] = code
	}
	return f.write(io, steps.File, string(text), r, more)
}

func (f *patchFlags) patchTerraform(io *streams, function, image string, migrated bool) error {
	for _, file := range f.terraform {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		r, err := patch.Terraform(filepath.Base(file), string(text), f.resource, function, image)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		steps := &patch.Configuration{Function: function, Address: r.Name, File: filepath.Base(file), Image: image, Migrated: migrated, Notes: r.Notes}
		return f.write(io, steps.File, string(text), r, map[string]string{"import.tf": steps.Import(), "STEPS.md": steps.Steps()})
	}
	return fmt.Errorf("no aws_lambda_function with the function_name %q in %s: name the resource with --resource", function, strings.Join(f.terraform, ", "))
}

// write fills the directory. A template may hold secrets: everything is for its
// owner only.
func (f *patchFlags) write(io *streams, name, before string, r *patch.Result, more map[string]string) error {
	entries, err := os.ReadDir(f.dir)
	switch {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s holds files already: nothing was written; name a new directory", f.dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write the patch: %w", err)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("write the patch: %w", err)
	}
	difference := udiff.Unified("a/"+name, "b/"+name, before, r.Text)
	more[name], more[name+".patch"] = r.Text, difference
	for file, text := range more {
		if err := os.WriteFile(filepath.Join(f.dir, file), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the patch: %w", err)
		}
	}
	if difference == "" {
		fmt.Fprintf(io.out, "%s says already what it should\n", printable(name))
	}
	for line := range strings.Lines(difference) {
		fmt.Fprintln(io.out, printable(strings.TrimRight(line, "\r\n")))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(io.err, "optlift: look first: %s\n", printable(n))
	}
	_, err = fmt.Fprintf(io.out, "\nwritten to %s; read %s next\n", printable(f.dir), printable(filepath.Join(f.dir, "STEPS.md")))
	return err
}
