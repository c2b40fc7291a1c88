package main

import (
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/switchover"
)

func newRehearse(a *app) *cobra.Command {
	flags := choiceFlags{strategy: string(switchover.Replace)}
	var arm armFlags
	cmd := &cobra.Command{
		Use:   "rehearse FUNCTION --write --confirm FUNCTION",
		Short: "Try a function as an image under a temporary name, and change nothing",
		Long: `Build a function's image, push it to ECR and make a temporary function of it with
the whole configuration; wait until Lambda has taken it, send both functions the
events and compare the answers, and delete the temporary function, whatever
happens. The function itself is untouched. A later migrate finds the layers in the
repository.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, names []string) error {
			choices, err := flags.choices()
			if err != nil {
				return err
			}
			if !a.write {
				return usagef("rehearse makes a repository and a temporary function: add --write --confirm %s", names[0])
			}
			choices.Strategy = switchover.Rehearse
			return runMigrate(c.Context(), a, names[0], choices, &arm, "", &ownerFlags{})
		},
	}
	flags.addImage(cmd)
	arm.add(cmd)
	return cmd
}
