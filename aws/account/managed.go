package account

import (
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/session"
)

// Tags that say who manages a function. CloudFormation sets the first for every
// stack, so also for the CDK, SAM and the Serverless Framework
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html);
// Terraform and Pulumi leave no reliable sign.
const (
	tagStack      = "aws:cloudformation:stack-name"
	tagSAM        = "lambda:createdBy"
	tagRepository = "serverlessrepo:applicationId"
)

// managedBy reads the signs of a tool that owns the function. An empty answer
// with state OK means that there is none.
func managedBy(out *lambda.GetFunctionOutput) (string, State) {
	if out.TagsError != nil {
		return "", Denied
	}
	name := ""
	if stack := out.Tags[tagStack]; stack != "" {
		name = "CloudFormation stack " + stack
		if out.Tags[tagSAM] == "SAM" {
			name += " (SAM)"
		}
	} else if out.Tags[tagSAM] == "SAM" {
		name = "SAM"
	}
	if name == "" && out.Tags[tagRepository] != "" {
		name = "Serverless Application Repository " + out.Tags[tagRepository]
	}
	return session.Clean(name), OK
}
