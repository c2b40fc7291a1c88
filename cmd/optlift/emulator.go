package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/emulator"
)

func newEmulator(a *app) *cobra.Command {
	var opts emulator.Options
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve an embedded AWS account on loopback",
		Long: `Serve Lambda, ECR, S3 buckets, STS and a container registry on one loopback
port, with a seeded account, for this program or any other client. The shell
lines it prints are ready for eval; it runs until it is interrupted.

Beside AWS's own paths it answers /_optlift/faults (POST a fault such as
{"operation":"GetFunction","kind":"throttle"}, GET the requests seen, DELETE the
faults), GET /_optlift/events (asynchronous invocations, their attempts and what
was sent where) and POST /_optlift/clock?advance=1h (moves its clock).`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if opts.Functions < 0 {
				return usagef("--functions takes 0 or more, not %d", opts.Functions)
			}
			server, err := emulator.Start(c.Context(), opts)
			if err != nil {
				return fmt.Errorf("start the embedded account: %w", err)
			}
			for _, line := range server.Environ() {
				name, value, _ := strings.Cut(line, "=")
				fmt.Fprintf(a.io.out, "export %s=%s\n", name, value)
			}
			fmt.Fprintln(a.io.out, "# ready")
			<-c.Context().Done()
			return server.Close()
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Listen, "listen", "127.0.0.1:0", "address to listen on")
	f.IntVar(&opts.Functions, "functions", demoFunctions, "how many functions the account starts with")
	f.StringVar(&opts.State, "state", "", "directory to load the account from and save it to")
	f.BoolVar(&opts.Rates, "rates", false, "enforce AWS's published request rates")
	return cmd
}
