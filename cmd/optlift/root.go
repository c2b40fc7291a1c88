package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/session"
)

// run is the whole program: it parses args, runs the command and returns the
// exit code.
func run(ctx context.Context, args []string, io *streams) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	defer close(done)
	a := newApp(io)
	go a.interrupts.watch(signals, done, cancel, os.Exit)
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if closeErr := a.close(); err == nil {
		err = closeErr
	}
	var partly partlyError
	switch {
	case err == nil:
	case errors.As(err, &partly) && partly.silent:
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(io.err, "optlift: interrupted")
	default:
		fmt.Fprintln(io.err, "optlift: "+session.Explain(err))
	}
	return exitCode(err)
}

func newRoot(a *app) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "optlift",
		Short: "Audit AWS Lambda layers and move functions that outgrow them to container images",
		Long: `optlift lists every function of an AWS account with its layers, extensions and
true unzipped size against the 250 MB limit, shows how the layers' files merge
under /opt, and moves a function from package type Zip to Image, with a way back
at every step. Without a command it opens the terminal UI.

Nothing is written to an account unless --write is given, or the account's id is
typed in the terminal UI.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: see optlift --help", args[0])
			}
			return nil
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			if c.HasParent() {
				return trust(a.caBundle)
			}
			// The screens come before the machine's certificates, which are many.
			_, _, err := readBundle(a.caBundle)
			return err
		},
		RunE:          func(c *cobra.Command, _ []string) error { return runUI(c.Context(), a, from) },
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	cmd.SetOut(a.io.out)
	cmd.SetErr(a.io.err)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w: see %s --help", err, c.CommandPath())
	})
	cmd.Flags().StringVar(&from, "from", "", "show a report saved with audit -o json in the terminal UI, without asking the account")
	f := cmd.PersistentFlags()
	f.StringSliceVar(&a.profiles, "profile", nil, "AWS profile to use; audit, find and the terminal UI take several, separated by commas")
	f.StringSliceVar(&a.regions, "region", nil, "AWS region, several separated by commas, or all")
	f.BoolVar(&a.demo, "demo", false, "work on an embedded account instead of AWS")
	f.BoolVar(&a.write, "write", false, "allow writes to the account")
	f.StringVar(&a.configFile, "config", "", "configuration file (see optlift config)")
	f.StringVar(&a.baseRegistry, "base-registry", os.Getenv("OPTLIFT_BASE_REGISTRY"),
		"registry and path of the base images (default public.ecr.aws/lambda)")
	f.StringVar(&a.caBundle, "ca-bundle", "", "file of certificates to trust beside the machine's own (default AWS_CA_BUNDLE)")
	cmd.AddCommand(
		newAudit(a), newFind(a), newOpt(a), newInventory(a), newDiff(a), newCat(a), newExtract(a), newBuild(a), newLint(a), newProve(a),
		newPlan(a), newRehearse(a), newMigrate(a), newJournal(a), newResume(a), newRollback(a), newEmulator(a),
		newLayerImage(a), newRecipe(a), newPolicy(a), newRun(a), newDoctor(a), newCache(a), newConfig(a),
		newRefresh(a), newStatus(a), newPatch(a),
		newLicenses(a), newMan(a),
	)
	if err := addTopics(cmd); err != nil {
		panic(err) // the files are part of the program
	}
	return cmd
}

// args wraps a positional-argument check so that its failure is a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, got []string) error {
		if err := check(c, got); err != nil {
			return usagef("%w: see %s --help", err, c.CommandPath())
		}
		return nil
	}
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, got string, words ...string) error {
	for _, w := range words {
		if got == w {
			return nil
		}
	}
	return usagef("--%s takes one of %v, not %q", flag, words, got)
}
