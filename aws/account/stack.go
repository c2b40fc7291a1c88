package account

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/session"
)

// StackTemplate is what a stack was made from, as its owner has written it.
type StackTemplate struct {
	State   State  // OK, Deleted for no such stack, Denied or Failed
	Text    string // JSON or YAML
	Message string // why there is no Text
}

// TemplateOf reads the template of a region's stack.
func TemplateOf(ctx context.Context, s *session.Session, region, stack string) StackTemplate {
	out, err := session.CloudFormation(s, region).GetTemplate(ctx, &cloudformation.GetTemplateInput{StackName: &stack, TemplateStage: types.TemplateStageOriginal})
	switch {
	case err == nil && aws.ToString(out.TemplateBody) == "":
		return StackTemplate{State: Failed, Message: "the answer holds no template"}
	case err == nil:
		return StackTemplate{State: OK, Text: *out.TemplateBody}
	case session.KindOf(err) == session.Denied:
		return StackTemplate{State: Denied, Message: session.Explain(err)}
	case noStack(err):
		return StackTemplate{State: Deleted, Message: "there is no such stack in " + region}
	}
	return StackTemplate{State: Failed, Message: session.Explain(err)}
}

// noStack tells the answer for a stack that does not exist. CloudFormation has one
// code for everything that is wrong with a request, so its words must tell
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html).
func noStack(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.HasSuffix(api.ErrorMessage(), " does not exist")
}
