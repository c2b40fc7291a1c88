package rights

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/optlift/optlift/aws/policy"
	"github.com/optlift/optlift/aws/session"
)

// IAM is the part of it that is asked. It is made of functions because an
// interface that holds the SDK's client would keep all of the client's
// operations in the program, which are many.
type IAM struct {
	GetRole  func(context.Context, *iam.GetRoleInput, ...func(*iam.Options)) (*iam.GetRoleOutput, error)
	Simulate Simulate
}

// Simulate is the operation as the SDK's paginator wants it.
type Simulate func(context.Context, *iam.SimulatePrincipalPolicyInput, ...func(*iam.Options)) (*iam.SimulatePrincipalPolicyOutput, error)

// Of asks with a session's client.
func Of(s *session.Session) IAM {
	client := session.IAM(s)
	return IAM{client.GetRole, client.SimulatePrincipalPolicy}
}

// SimulatePrincipalPolicy implements iam.SimulatePrincipalPolicyAPIClient.
func (f Simulate) SimulatePrincipalPolicy(
	ctx context.Context, in *iam.SimulatePrincipalPolicyInput, o ...func(*iam.Options),
) (*iam.SimulatePrincipalPolicyOutput, error) {
	return f(ctx, in, o...)
}

// Principal is the user or role whose policies count for the caller; "" where
// nobody's can be simulated.
func (i IAM) Principal(ctx context.Context, caller string) (string, error) {
	parsed, err := arn.Parse(caller)
	if err != nil {
		return "", err
	}
	kind, rest, _ := strings.Cut(parsed.Resource, "/")
	switch kind {
	case "user", "role":
		return caller, nil
	case "assumed-role":
		// The role may have a path, which this ARN leaves out.
		name, _, _ := strings.Cut(rest, "/")
		got, err := i.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
		if err != nil || got.Role == nil {
			return "", err
		}
		return aws.ToString(got.Role.Arn), nil
	}
	return "", nil // the root user, or a federated one
}

// Question is what IAM is asked at once: actions on resources of one kind.
type Question struct {
	Actions   []string
	Resources []string
	// When is set for an action that not every run takes.
	When map[string]string
}

// Questions are made from the table of the calls that the program makes: those of
// the features that are there ("" is for all), on the resources of each kind. A kind
// without resources is not asked about.
func Questions(features map[policy.Feature]bool, resources func(policy.Resource) []string) []Question {
	byKind := map[policy.Resource]*Question{}
	var kinds []policy.Resource
	for _, c := range policy.Calls() {
		if !features[c.Feature] || c.Level > policy.Migrate || c.Service == "account" {
			continue
		}
		when := c.When
		if c.Feature != "" {
			when = "" // it is known that the function has it
		}
		if c.Service == "iam" { // only this looks at it
			continue
		}
		q := byKind[c.Resource]
		if q == nil {
			q = &Question{Resources: resources(c.Resource), When: map[string]string{}}
			byKind[c.Resource] = q
			kinds = append(kinds, c.Resource)
		}
		for _, action := range c.Actions {
			if i := slices.Index(q.Actions, action); i < 0 {
				q.Actions = append(q.Actions, action)
				q.When[action] = when
			} else if when == "" {
				q.When[action] = ""
			}
		}
	}
	var asked []Question
	for _, kind := range kinds {
		if q := byKind[kind]; len(q.Resources) > 0 {
			asked = append(asked, *q)
		}
	}
	return asked
}

// Refused returns the actions that the caller may not take on one of the
// resources. What hangs on a value that is not known here is not counted.
func (i IAM) Refused(ctx context.Context, who string, q Question) ([]string, error) {
	var refused []string
	pages := iam.NewSimulatePrincipalPolicyPaginator(i.Simulate, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &who, ActionNames: q.Actions, ResourceArns: q.Resources,
		ContextEntries: []iamtypes.ContextEntry{{ContextKeyName: aws.String("iam:PassedToService"),
			ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{"lambda.amazonaws.com"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.EvaluationResults {
			if r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed && len(r.MissingContextValues) == 0 {
				refused = append(refused, aws.ToString(r.EvalActionName))
			}
		}
	}
	return refused, nil
}
