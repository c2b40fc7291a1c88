package functions

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Stacked is a function that a CloudFormation stack has made, as its tags say
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
type Stacked struct {
	Account, Region    string
	Stack, ID, Logical string
	SAM                bool
	Function           types.FunctionConfiguration
}

// Stacked lists the functions of all stacks, by stack and logical id.
func (s *Store) Stacked() []Stacked {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Stacked
	for at, r := range s.regions {
		for _, f := range r.Functions {
			if stack := f.Tags["aws:cloudformation:stack-name"]; stack != "" {
				all = append(all, Stacked{
					Account: at.account, Region: at.region, Stack: stack, ID: f.Tags["aws:cloudformation:stack-id"],
					Logical: f.Tags["aws:cloudformation:logical-id"], SAM: f.Tags["lambda:createdBy"] == "SAM", Function: f.Latest.Config,
				})
			}
		}
	}
	slices.SortFunc(all, func(a, b Stacked) int {
		return cmp.Or(cmp.Compare(a.Stack, b.Stack), cmp.Compare(a.Logical, b.Logical))
	})
	return all
}
