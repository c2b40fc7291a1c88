package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/optlift/optlift/aws/emulator"
)

// The stacks of the seed have templates, by name and by id, before and after SAM;
// whoever deletes a function leaves its stack's template as it was.
func TestStacks(t *testing.T) {
	a := open(t, emulator.Options{Functions: 64})
	cfn := cloudformation.New(cloudformation.Options{Region: "eu-central-1", BaseEndpoint: aws.String(a.server.URL()), Credentials: a.lambda.Options().Credentials})
	get := func(stack string, stage types.TemplateStage) string {
		out, err := cfn.GetTemplate(t.Context(), &cloudformation.GetTemplateInput{StackName: &stack, TemplateStage: stage})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.StagesAvailable) != 2 {
			t.Errorf("stages %v", out.StagesAvailable)
		}
		return *out.TemplateBody
	}
	if got := get("accounts-api", ""); !strings.Contains(got, "AWS::Serverless::Function") || !strings.Contains(got, "SignupFunction") {
		t.Errorf("SAM: %s", got)
	}
	if got := get("accounts-api", types.TemplateStageProcessed); !strings.Contains(got, "AWS::Lambda::Function") || strings.Contains(got, "Transform") {
		t.Errorf("SAM, processed: %s", got)
	}
	byName := get("web-production", types.TemplateStageOriginal)
	if got := get("arn:aws:cloudformation:eu-central-1:123456789012:stack/web-production/5f3c1d20-1111-11f0-8a2b-0a1b2c3d4e5f", ""); got != byName || !strings.Contains(got, "FunctionName: web-storefront") {
		t.Errorf("by id: %s", got)
	}
	for form, want := range map[string]string{
		"StackName=gone":                     "Stack with id gone does not exist",
		"":                                   "at &#39;stackName&#39; failed",
		"StackName=a+b":                      "at &#39;stackName&#39; failed",
		"StackName=x&TemplateStage=Finished": "at &#39;templateStage&#39; failed",
	} {
		_, body := fetch(t, http.MethodGet, a.server.URL()+"/?Action=GetTemplate&Version=2010-05-15&"+form,
			"Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/eu-central-1/cloudformation/aws4_request")
		if got := string(body); !strings.Contains(got, "<Code>ValidationError</Code>") || !strings.Contains(got, want) {
			t.Errorf("%q: %s", form, got)
		}
	}
}
