package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/switchover"
)

// armFlags are the two words every command that changes an account asks for.
type armFlags struct {
	confirm string
	format  string
}

func (f *armFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.confirm, "confirm", "", "the function's name, to confirm that it may be changed; NUMBER@ACCOUNT for many")
	c.Flags().StringVarP(&f.format, "output", "o", "text", "text or json (one object per step, then the result)")
}

// check refuses to go on unless writes are allowed and the name was confirmed,
// on the command line or, at a terminal, at a prompt.
func (f *armFlags) check(a *app, function string) error {
	return f.confirmed(a, "function "+function, "the function's name", function)
}

// confirmed asks for a word, which is what it says, before something is changed.
func (f *armFlags) confirmed(a *app, changed, what, word string) error {
	if err := oneOf("output", f.format, "text", "json"); err != nil {
		return err
	}
	if !a.write {
		return usagef("this changes %s: add --write --confirm %s", changed, word)
	}
	if f.confirm == "" && a.io.inTTY && a.io.errTTY {
		fmt.Fprintf(a.io.err, "Type %s to confirm: ", what)
		line, err := bufio.NewReader(a.io.in).ReadString('\n')
		if err != nil {
			return usagef("not confirmed: nothing was changed")
		}
		f.confirm = strings.TrimSpace(line)
	}
	if f.confirm != word {
		return usagef("--confirm %q is not %s, %q: nothing was changed", f.confirm, what, word)
	}
	return nil
}

func newMigrate(a *app) *cobra.Command {
	var flags choiceFlags
	var arm armFlags
	var many fleetFlags
	var owner ownerFlags
	var file string
	cmd := &cobra.Command{
		Use:   "migrate FUNCTION --write --confirm FUNCTION",
		Short: "Switch a function, or many, from Zip to Image, with a way back at every step",
		Long: `Back up a function, build its image, push it to ECR, rehearse it under a temporary
name, and only then replace the function (or create one beside it), with
everything that was attached to it. Each step is in a journal before and after it
is done: optlift resume goes on, optlift rollback takes it back.

The first interrupt finishes the running step and stops at a safe place, the
second ends the program where it is; both say where things stand and what to type
next. Once the function is deleted the first one lets the run become whole.

A function that a CloudFormation stack keeps, or Terraform as --terraform says, is
left alone: its next deployment would undo the switch. The change of its template
or configuration is written to a directory, with the steps.

With --where FILTER every function that passes is switched, --wave of them at
once. Blocked ones are left alone, each kind of warning needs its --accept, and
--confirm takes how many functions in which account: 12@123456789012. After the
first failure nothing new begins; resume, rollback and journal take the fleet's
id as a whole.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			choices, err := flags.choices()
			if err != nil {
				return err
			}
			function, err := many.one(c, names, file != "")
			if err == nil {
				err = owner.choose(function, &choices)
			}
			switch {
			case err != nil:
				return err
			case !a.write && function == "":
				return usagef("migrate changes the account: add --write, or see optlift plan")
			case !a.write:
				return usagef("migrate changes the account: add --write --confirm %s, or see optlift plan", function)
			case function == "":
				return runMigrateFleet(c.Context(), a, &many, choices, &arm, file)
			}
			return runMigrate(c.Context(), a, function, choices, &arm, file, &owner)
		},
	}
	owner.add(cmd.Flags())
	flags.add(cmd)
	many.add(cmd)
	arm.add(cmd)
	cmd.Flags().StringVar(&file, "plan", "", "plan saved by optlift plan --save; refused when the function has changed since")
	return cmd
}

func runMigrate(ctx context.Context, a *app, function string, choices switchover.Choices, arm *armFlags, file string, owner *ownerFlags) error {
	s, snap, plan, err := a.plan(ctx, function, choices)
	if err != nil {
		return err
	}
	choices = plan.Choices
	if file != "" {
		saved, err := switchover.LoadPlan(file)
		if err != nil {
			return err
		}
		if err := saved.Matches(snap); err != nil {
			return err
		}
		if choices.Terraform != "" && choices.Terraform != saved.Choices.Terraform {
			return usagef("plan %s was made without this --terraform: make a new one with it", file)
		}
		plan = saved
		choices = saved.Choices
	}
	if arm.format == "text" {
		fmt.Fprint(a.io.out, plan.Text())
	}
	if n := len(plan.Blockers); n > 0 {
		err := fmt.Errorf("%d blockers stand against the switch of %s, the first: %s; nothing was changed", n, plan.Function, plan.Blockers[0].Message)
		if written := owner.refused(ctx, a, snap, plan); written != "" {
			err = fmt.Errorf("%w; %s", err, written)
		}
		return err
	}
	if err := arm.check(a, plan.Function); err != nil {
		return err
	}
	report := newStepPrinter(a.io, arm.format)
	report.tracker = newTracker(plan.Function, "resume", "rollback")
	defer a.interrupts.during(report.tracker.standing)()
	result, err := s.Apply(ctx, snap, plan, choices, report.event)
	return report.result(result, err)
}

// stepPrinter prints the events of a run as lines or as JSON objects.
type stepPrinter struct {
	io       *streams
	format   string
	progress *progress
	tracker  *tracker // nil where another one follows the run
}

func newStepPrinter(io *streams, format string) *stepPrinter {
	return &stepPrinter{io: io, format: format, progress: newProgress(io)}
}

func (p *stepPrinter) event(e switchover.Event) {
	if p.tracker != nil {
		p.tracker.event(e)
	}
	if e.Call != nil {
		return // the step's own line says what came of it
	}
	if e.Image != nil {
		p.progress.image(*e.Image)
		return
	}
	p.progress.done()
	if p.format == "json" {
		p.json(e)
		return
	}
	if e.State == switchover.Running && e.Message == "" && !p.io.errTTY {
		return // a pipe gets one line per step, when it has ended
	}
	if e.State == switchover.Running && e.Message == "" {
		p.progress.line(e.Step.ID+" "+e.Step.Target, 0, 0)
		return
	}
	fmt.Fprintf(p.io.out, "%-8s %s", e.State, e.Step.ID)
	if e.Message != "" {
		fmt.Fprintf(p.io.out, ": %s", printable(e.Message))
	}
	fmt.Fprintln(p.io.out)
	for _, f := range e.Facts {
		if f.Compared() {
			fmt.Fprintf(p.io.out, "         %s: %s\n", f.Name, printable(f.Value))
		}
	}
}

func (p *stepPrinter) json(v any) {
	enc := json.NewEncoder(p.io.out)
	enc.SetEscapeHTML(false)
	// A reader that went away must not stop a migration half-way.
	_ = enc.Encode(v)
}

// result prints how a run ended and turns it into the command's error.
func (p *stepPrinter) result(r *switchover.Result, err error) error {
	p.progress.done()
	if r == nil {
		return err
	}
	if p.format == "json" {
		p.json(r)
	} else {
		fmt.Fprintf(p.io.out, "%s: %s\n", r.State, printable(r.Message))
		if r.Gap > 0 {
			fmt.Fprintf(p.io.out, "the name did not answer for %s\n", r.Gap.Round(millisecond))
		}
		for i, next := range r.Next {
			fmt.Fprintf(p.io.out, "%-5s %s\n", []string{"next:", "or:"}[min(i, 1)], next)
		}
	}
	return err
}
