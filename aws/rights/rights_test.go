package rights

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// someRole is that of an IAM with one role, which has a path.
func someRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	if *in.RoleName != "good" {
		return nil, &iamtypes.NoSuchEntityException{}
	}
	return &iam.GetRoleOutput{Role: &iamtypes.Role{Arn: aws.String("arn:aws:iam::123456789012:role/a/path/good")}}, nil
}

func someAnswers(context.Context, *iam.SimulatePrincipalPolicyInput, ...func(*iam.Options)) (*iam.SimulatePrincipalPolicyOutput, error) {
	return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: []iamtypes.EvaluationResult{
		{EvalActionName: aws.String("lambda:A"), EvalDecision: iamtypes.PolicyEvaluationDecisionTypeAllowed},
		{EvalActionName: aws.String("lambda:B"), EvalDecision: iamtypes.PolicyEvaluationDecisionTypeImplicitDeny},
		{EvalActionName: aws.String("lambda:C"), EvalDecision: iamtypes.PolicyEvaluationDecisionTypeExplicitDeny},
		{EvalActionName: aws.String("lambda:D"), EvalDecision: iamtypes.PolicyEvaluationDecisionTypeImplicitDeny, MissingContextValues: []string{"aws:SourceVpc"}},
	}}, nil
}

// IAM simulates users and roles; a session's role is found with its path.
func TestPrincipal(t *testing.T) {
	i := IAM{someRole, someAnswers}
	for caller, want := range map[string]string{
		"arn:aws:iam::123456789012:user/team/me":            "arn:aws:iam::123456789012:user/team/me",
		"arn:aws:sts::123456789012:assumed-role/good/me":    "arn:aws:iam::123456789012:role/a/path/good",
		"arn:aws:sts::123456789012:assumed-role/deleted/me": "",
		"arn:aws:sts::123456789012:federated-user/me":       "",
	} {
		if got, _ := i.Principal(t.Context(), caller); got != want {
			t.Errorf("%s: %q, want %q", caller, got, want)
		}
	}
	refused, err := i.Refused(t.Context(), "arn", Question{Actions: []string{"x"}})
	if err != nil || !slices.Equal(refused, []string{"lambda:B", "lambda:C"}) {
		t.Errorf("%v, %v", refused, err)
	}
}
