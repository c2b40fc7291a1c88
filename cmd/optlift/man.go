package main

import (
	"fmt"

	mango "github.com/muesli/mango-cobra"
	"github.com/muesli/roff"
	"github.com/spf13/cobra"
)

// newMan is for those who make packages: people read the help.
func newMan(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page",
		Hidden: true,
		Args:   args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			page, err := mango.NewManPage(1, c.Root())
			if err != nil {
				return fmt.Errorf("write the manual page: %w", err)
			}
			page = page.WithSection("Exit status", "0 done, 1 failed, 2 wrong usage, 3 partly done or over a threshold, 130 interrupted.")
			_, err = fmt.Fprint(a.io.out, page.Build(roff.NewDocument()))
			return err
		},
	}
}
