package main

import (
	"github.com/spf13/cobra"

	"github.com/optlift/optlift/aws/policy"
)

func newPolicy(a *app) *cobra.Command {
	var scope policy.Scope
	var features []string
	cmd := &cobra.Command{
		Use:       "policy audit|plan|migrate",
		Short:     "Print the IAM policy that allows what this program does, and nothing else",
		ValidArgs: []string{"audit", "plan", "migrate"},
		Long: `Print the IAM policy for looking (audit), for reading everything attached to a
function (plan), or for switching functions (migrate), as JSON. It comes from the
table of the calls that the program makes. Nothing is asked of AWS; say what you
know, and the policy becomes narrower. Each level includes the ones before it.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, words []string) error {
			level, ok := policy.ParseLevel(words[0])
			if !ok {
				return usagef("policy takes audit, plan or migrate, not %q", words[0])
			}
			if len(a.regions) == 1 && a.regions[0] != "all" {
				scope.Region = a.regions[0]
			}
			for _, f := range features {
				var known []string
				for _, k := range policy.Features() {
					known = append(known, string(k))
				}
				if err := oneOf("feature", f, known...); err != nil {
					return err
				}
				scope.Features = append(scope.Features, policy.Feature(f))
			}
			return a.io.printJSON(policy.For(level, scope))
		},
	}
	f := cmd.Flags()
	f.StringVar(&scope.Account, "account", "", "the account's id")
	f.StringVar(&scope.Function, "function", "", "name of the one function")
	f.StringVar(&scope.Repository, "repository", "", "name of the ECR repository")
	f.StringVar(&scope.Role, "role", "", "ARN of the function's execution role")
	f.StringVar(&scope.Key, "key", "", "ARN of the function's KMS key")
	f.StringVar(&scope.Bucket, "bucket", "", "name of the bucket for zips over 50 MB")
	f.StringSliceVar(&features, "feature", nil, "what the functions have: vpc, efs, kms, s3 (zips over 50 MB)")
	return cmd
}
