package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/localrun"
)

// runFlags are what a local run can be told.
type runFlags struct {
	event, envFile, engine, base string
	port                         int
	print                        bool
}

func newRun(a *app) *cobra.Command {
	var r runFlags
	cmd := &cobra.Command{
		Use:   "run FUNCTION --event FILE",
		Short: "Run a function's image on this machine and send it an event",
		Long: `Print the command that runs a function's image in a container engine (docker,
podman, finch or nerdctl), with the interface emulator that AWS's base images
carry, and where such an engine answers, run it, send it the event and print the
answer. A function of package type Zip is built into an image first.

The container gets no credentials and none of the function's environment: what it
needs comes from --env-file, in the engine's own format.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, targets []string) error {
			if r.event == "" && !r.print {
				return usagef("run needs --event FILE, the event to send")
			}
			if r.engine != "" {
				if err := oneOf("engine", r.engine, localrun.Engines()...); err != nil {
					return err
				}
			}
			return runLocally(c.Context(), a, r, targets[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.event, "event", "", "file with the event, JSON")
	f.StringVar(&r.envFile, "env-file", "", "file with environment variables for the container")
	f.StringVar(&r.engine, "engine", "", "container engine: "+strings.Join(localrun.Engines(), ", ")+" (default: the first that answers)")
	f.StringVar(&r.base, "base", "", "base image instead of the runtime's own: a reference or oci:DIR")
	f.IntVar(&r.port, "port", 0, "port on the loopback address (default: a free one)")
	f.BoolVar(&r.print, "print", false, "print the commands, run nothing")
	return cmd
}

func runLocally(ctx context.Context, a *app, r runFlags, function string) error {
	var event []byte
	if !r.print {
		var err error
		if event, err = os.ReadFile(r.event); err != nil {
			return fmt.Errorf("read the event: %w", err)
		}
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	f, out, err := account.Lookup(ctx, s, function)
	if err != nil {
		return err
	}
	platform, err := image.PlatformFor(f.Architecture)
	if err != nil {
		return err
	}
	plan := localrun.Run{
		Engine: r.engine, Platform: platform.String(), Port: r.port, Function: f.Name,
		MemoryMB: f.MemoryMB, Timeout: f.TimeoutSec, EnvFile: r.envFile,
	}
	if f.PackageType == "Image" && out.Code != nil && out.Code.ResolvedImageUri != nil {
		plan.Image = *out.Code.ResolvedImageUri
	}
	var missing error
	if plan.Engine == "" && !r.print {
		if plan.Engine, missing = localrun.Find(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if plan.Engine == "" {
		plan.Engine = localrun.Engines()[0]
	}
	if plan.Port == 0 {
		if plan.Port, err = localrun.FreePort(ctx); err != nil {
			return err
		}
	}
	if r.print || missing != nil {
		printRun(a.io, plan, f.Name, orDefault(r.event, "EVENT.json"))
		if missing != nil {
			return partlyError{message: fmt.Sprintf("%v: nothing was run; the commands above do it elsewhere", missing)}
		}
		return nil
	}
	if plan.Image == "" {
		if plan.Image, err = a.load(ctx, r, plan.Engine, function, f.Name); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.io.err, "%s\n", printable(shellLine(append([]string{plan.Engine}, plan.Args()...))))
	answer, err := plan.Invoke(ctx, event, a.io.err)
	if err != nil {
		return err
	}
	if a.io.outTTY {
		answer = []byte(printable(string(answer)))
	}
	_, err = fmt.Fprintf(a.io.out, "%s\n", answer)
	return err
}

// load builds the function's image and hands it to the engine.
func (a *app) load(ctx context.Context, r runFlags, engine, function, name string) (string, error) {
	opener, err := a.opener()
	if err != nil {
		return "", err
	}
	b := buildFlags{base: r.base}
	set, req, err := b.request(ctx, a, opener, []string{function})
	if err != nil {
		return "", err
	}
	defer set.Close()
	if req.Store, err = a.store(); err != nil {
		return "", err
	}
	req.BaseCache = a.cache("bases")
	progress := newProgress(a.io)
	defer progress.done()
	req.Progress = progress.image
	built, err := image.Build(ctx, req)
	if err != nil {
		return "", err
	}
	dir, err := a.temp()
	if err != nil {
		return "", err
	}
	tag := "optlift/" + strings.ToLower(name) + ":latest"
	file := filepath.Join(dir, "image.tar")
	if err := image.WriteTarball(ctx, built.Image, file, tag); err != nil {
		return "", err
	}
	progress.done()
	return tag, localrun.Load(ctx, engine, file)
}

// printRun prints what a person would type.
func printRun(s *streams, r localrun.Run, name, event string) {
	if r.Image == "" {
		r.Image = "optlift:latest"
		file := strings.ToLower(name) + ".tar"
		fmt.Fprintf(s.out, "%s\n%s\n", shellLine([]string{"optlift", "build", name, "-o", "docker:" + file}), shellLine([]string{r.Engine, "load", "-i", file}))
	}
	fmt.Fprintf(s.out, "%s\n%s\n", shellLine(append([]string{r.Engine}, r.Args()...)), shellLine([]string{"curl", "--data-binary", "@" + event, r.URL()}))
}

// shellLine joins words as a shell takes them.
func shellLine(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.ContainsFunc(w, func(c rune) bool {
			return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-_./:@=,+", c)
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}
