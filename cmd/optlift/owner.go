package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/optlift/optlift/aws/switchover"
)

// ownerFlags say who keeps a function where AWS can't tell, and where the change
// of what keeps it is written when a switch is refused because of that.
type ownerFlags struct {
	terraform []string
	resource  string
	dir       string
}

// addTerraform adds what a plan needs, too.
func (f *ownerFlags) addTerraform(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.terraform, "terraform", nil,
		"file or directory of the Terraform configuration that keeps the function; may be given several times: the switch is refused unless --accept "+switchover.TerraformManaged)
	flags.StringVar(&f.resource, "resource", "", "with --terraform: the name of the aws_lambda_function (default: found by function_name)")
}

func (f *ownerFlags) add(flags *pflag.FlagSet) {
	f.addTerraform(flags)
	flags.StringVar(&f.dir, "patch", "", "new directory for the change of the template or configuration, where the switch is refused because a stack or Terraform keeps the function (default FUNCTION-patch)")
}

// imageToCome stands for an image that is not built yet.
const imageToCome = "REGISTRY/REPOSITORY@sha256:DIGEST"

func (f *ownerFlags) keeper(function, region, stack, logical string) *keeper {
	return &keeper{
		patchFlags: patchFlags{terraform: f.terraform, resource: f.resource, logical: logical, image: imageToCome},
		function:   function, region: region, stack: stack,
	}
}

// choose tells a plan who keeps the function, by its name or ARN.
func (f *ownerFlags) choose(function string, c *switchover.Choices) error {
	switch {
	case len(f.terraform) == 0 && f.resource != "":
		return usagef("--resource says what a --terraform configuration calls the function")
	case len(f.terraform) == 0:
		return nil
	case function == "":
		return usagef("--terraform is for one function: many are switched without their configuration")
	}
	w, err := f.keeper(nameOf(function), "", "", "").patchTerraform()
	if err != nil {
		return err
	}
	c.Terraform = w.resource + " in " + w.name
	return nil
}

// refused writes, for a plan that is blocked because somebody else keeps the
// function, the change of what keeps it. It returns what to tell about that, ""
// for a plan that is blocked by something else.
func (f *ownerFlags) refused(ctx context.Context, a *app, snap *switchover.Snapshot, plan *switchover.Plan) string {
	blocked := func(id string) bool {
		return slices.ContainsFunc(plan.Blockers, func(n switchover.Notice) bool { return n.ID == id })
	}
	terraform := blocked(switchover.TerraformManaged)
	if terraform && len(f.terraform) == 0 || !terraform && !blocked(switchover.StackManaged) {
		return "" // of a saved plan's configuration only the resource is known
	}
	dir := orDefault(f.dir, snap.Function+"-patch")
	stack, logical := switchover.StackOf(snap)
	s, err := a.open(ctx)
	if err != nil {
		return err.Error()
	}
	k := f.keeper(snap.Function, snap.Region, stack, logical)
	if !terraform {
		k.terraform = nil
	}
	w, err := k.written(ctx, s)
	if err == nil {
		err = w.save(dir)
	}
	if err != nil {
		return "the change of what keeps the function was not written: " + err.Error()
	}
	return fmt.Sprintf("the change of %s is in %s: read %s next", w.name, dir, filepath.Join(dir, "STEPS.md"))
}

// nameOf is the name in a function's name or ARN.
func nameOf(function string) string {
	if _, rest, ok := strings.Cut(function, ":function:"); ok {
		function = rest
	}
	name, _, _ := strings.Cut(function, ":")
	return name
}
