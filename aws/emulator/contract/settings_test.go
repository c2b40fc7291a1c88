package contract

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestConcurrency(t *testing.T) {
	w := writing(t)
	reserve := func(c *check, f *string, n int32) error {
		_, err := c.lambda.PutFunctionConcurrency(c.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: &n})
		return err
	}
	unreserved := func(c *check) int32 {
		limit := must(c.lambda.GetAccountSettings(c.ctx, &lambda.GetAccountSettingsInput{}))(c).AccountLimit
		if limit == nil || limit.UnreservedConcurrentExecutions == nil {
			c.Fatalf("the account settings hold no limit")
		}
		return *limit.UnreservedConcurrentExecutions
	}
	w.fact("100 of the account's pool stay unreserved", recorded+"test_function_concurrency_exceptions", func(c *check) {
		f := c.make().FunctionName
		c.refused(reserve(c, f, unreserved(c)-99), value, 400, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [")
	})
	w.fact("what is reserved leaves the pool", sdk+"AccountLimit", func(c *check) {
		before := unreserved(c)
		if err := reserve(c, c.make().FunctionName, 1); err != nil {
			c.Fatalf("%v", err)
		}
		if after := unreserved(c); after != before-1 {
			c.Errorf("%d unreserved, then %d", before, after)
		}
	})
	w.fact("none is shown, and is not the same as not reserved", sdk+"PutFunctionConcurrency", func(c *check) {
		f := c.make().FunctionName
		if err := reserve(c, f, 0); err != nil {
			c.Fatalf("%v", err)
		}
		if r := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: f}))(c).Concurrency; r == nil || r.ReservedConcurrentExecutions == nil || *r.ReservedConcurrentExecutions != 0 {
			c.Errorf("reserved %+v", r)
		}
		_, err := c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
		c.refused(err, "TooManyRequestsException", 429, "Rate Exceeded.")
		must(c.lambda.DeleteFunctionConcurrency(c.ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: f}))(c)
		if r := must(c.lambda.GetFunctionConcurrency(c.ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: f}))(c); r.ReservedConcurrentExecutions != nil {
			c.Errorf("%d are left", *r.ReservedConcurrentExecutions)
		}
	})
}

func TestProvisioned(t *testing.T) {
	w := writing(t)
	provision := func(c *check, f *string, q string, n int32) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
		return c.lambda.PutProvisionedConcurrencyConfig(c.ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: f, Qualifier: &q, ProvisionedConcurrentExecutions: &n})
	}
	w.fact("IN_PROGRESS, then READY", recorded+"test_lambda_provisioned_lifecycle", func(c *check) {
		f := c.published("live")
		out := must(provision(c, &f, "live", 1))(c)
		if out.Status != types.ProvisionedConcurrencyStatusEnumInProgress || aws.ToInt32(out.AllocatedProvisionedConcurrentExecutions) != 0 {
			c.Errorf("%s, %d", out.Status, aws.ToInt32(out.AllocatedProvisionedConcurrentExecutions))
		}
		get := &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &f, Qualifier: aws.String("live")}
		c.until("it is READY", func() bool {
			return must(c.lambda.GetProvisionedConcurrencyConfig(c.ctx, get))(c).Status == types.ProvisionedConcurrencyStatusEnumReady
		})
		_, err := provision(c, &f, "1", 1)
		c.refused(err, conflict, 409, "Version is pointed by a Provisioned Concurrency alias")
		must(c.lambda.DeleteProvisionedConcurrencyConfig(c.ctx, &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: &f, Qualifier: aws.String("live")}))(c)
		_, err = c.lambda.GetProvisionedConcurrencyConfig(c.ctx, get)
		c.refused(err, "ProvisionedConcurrencyConfigNotFoundException", 404, "No Provisioned Concurrency Config found for this function")
	})
	w.fact("not for $LATEST", recorded+"test_provisioned_concurrency_exceptions", func(c *check) {
		_, err := provision(c, c.make().FunctionName, "$LATEST", 1)
		c.refused(err, value, 400, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	})
	w.fact("not above what is reserved", recorded+"test_reserved_provisioned_overlap", func(c *check) {
		f := c.published("live")
		must(c.lambda.PutFunctionConcurrency(c.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &f, ReservedConcurrentExecutions: aws.Int32(1)}))(c)
		_, err := provision(c, &f, "live", 2)
		c.refused(err, value, 400, "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	})
}

func TestAsynchronousConfiguration(t *testing.T) {
	w := writing(t)
	const exceptions = recorded + "test_lambda_eventinvokeconfig_exceptions"
	w.fact("none is a 404 that names $LATEST", exceptions, func(c *check) {
		f := c.make().FunctionName
		_, err := c.lambda.GetFunctionEventInvokeConfig(c.ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: f})
		c.refused(err, notFound, 404, "The function "+c.arn("function:"+*f+":$LATEST")+" doesn't have an EventInvokeConfig")
	})
	w.fact("an empty one is refused", exceptions, func(c *check) {
		_, err := c.lambda.PutFunctionEventInvokeConfig(c.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: c.make().FunctionName})
		c.refused(err, value, 400, "You must specify at least one of error handling or destination setting.")
	})
	w.fact("not the function itself as destination", exceptions, func(c *check) {
		f := c.make()
		_, err := c.lambda.PutFunctionEventInvokeConfig(c.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f.FunctionName, DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: f.FunctionArn}}})
		c.refused(err, value, 400, "You can't specify the function as a destination for itself.")
	})
	w.fact("an update keeps what it does not name", recorded+"test_lambda_eventinvokeconfig_lifecycle", func(c *check) {
		f := c.make().FunctionName
		put := must(c.lambda.PutFunctionEventInvokeConfig(c.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: f, MaximumEventAgeInSeconds: aws.Int32(60)}))(c)
		if *put.FunctionArn != c.arn("function:"+*f+":$LATEST") {
			c.Errorf("put for %s", *put.FunctionArn)
		}
		out := must(c.lambda.UpdateFunctionEventInvokeConfig(c.ctx, &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: f, MaximumRetryAttempts: aws.Int32(0)}))(c)
		if aws.ToInt32(out.MaximumEventAgeInSeconds) != 60 || out.MaximumRetryAttempts == nil || *out.MaximumRetryAttempts != 0 {
			c.Errorf("updated to %+v", out)
		}
	})
}

func TestTags(t *testing.T) {
	w := writing(t)
	w.fact("come and go", sdk+"TagResource", func(c *check) {
		f := c.make(func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "a"} })
		must(c.lambda.TagResource(c.ctx, &lambda.TagResourceInput{Resource: f.FunctionArn, Tags: map[string]string{"stage": "test"}}))(c)
		must(c.lambda.UntagResource(c.ctx, &lambda.UntagResourceInput{Resource: f.FunctionArn, TagKeys: []string{"team", "none"}}))(c)
		listed := must(c.lambda.ListTags(c.ctx, &lambda.ListTagsInput{Resource: f.FunctionArn}))(c).Tags
		shown := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: f.FunctionName}))(c).Tags
		if fmt.Sprint(listed) != "map[stage:test]" || fmt.Sprint(shown) != "map[stage:test]" {
			c.Errorf("listed %v, shown %v", listed, shown)
		}
	})
	w.fact("not on versions", recorded+"test_tag_exceptions", func(c *check) {
		f := c.make(func(in *lambda.CreateFunctionInput) { in.Publish = true })
		_, err := c.lambda.ListTags(c.ctx, &lambda.ListTagsInput{Resource: aws.String(c.arn("function:" + *f.FunctionName + ":1"))})
		c.refused(err, value, 400, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
	})
	w.fact("at most 50", recorded+"test_tag_limits", func(c *check) {
		f := c.make(func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"one": "1"} })
		many := map[string]string{}
		for i := range 50 {
			many[fmt.Sprint("key", i)] = ""
		}
		_, err := c.lambda.TagResource(c.ctx, &lambda.TagResourceInput{Resource: f.FunctionArn, Tags: many})
		c.refused(err, value, 400, "Number of tags exceeds resource tag limit.")
	})
	w.fact("aws: is not for users", "docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html", func(c *check) {
		in := c.input()
		in.Tags = map[string]string{"aws:cloudformation:stack-name": "s"}
		_, err := c.create(in)
		c.refused(err, value, 400, "")
	})
}

func TestOtherSettings(t *testing.T) {
	w := writing(t)
	w.fact("a recursive loop is ended unless allowed", recorded+"test_put_function_recursion_config_default_terminate", func(c *check) {
		f := c.make().FunctionName
		get := func() types.RecursiveLoop {
			return must(c.lambda.GetFunctionRecursionConfig(c.ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: f}))(c).RecursiveLoop
		}
		if got := get(); got != types.RecursiveLoopTerminate {
			c.Errorf("%s", got)
		}
		must(c.lambda.PutFunctionRecursionConfig(c.ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: f, RecursiveLoop: types.RecursiveLoopAllow}))(c)
		if got := get(); got != types.RecursiveLoopAllow {
			c.Errorf("%s", got)
		}
	})
	w.fact("runtimes are updated automatically", sdk+"GetRuntimeManagementConfig", func(c *check) {
		out := must(c.lambda.GetRuntimeManagementConfig(c.ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: c.make().FunctionName}))(c)
		if out.UpdateRuntimeOn != types.UpdateRuntimeOnAuto {
			c.Errorf("%s", out.UpdateRuntimeOn)
		}
	})
	w.fact("a function without code signing answers nothing", sdk+"GetFunctionCodeSigningConfig", func(c *check) {
		if out := must(c.lambda.GetFunctionCodeSigningConfig(c.ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: c.make().FunctionName}))(c); out.CodeSigningConfigArn != nil {
			c.Errorf("%s", *out.CodeSigningConfigArn)
		}
	})
	w.fact("who uses a code signing configuration", sdk+"ListFunctionsByCodeSigningConfig", func(c *check) {
		made := must(c.lambda.CreateCodeSigningConfig(c.ctx, &lambda.CreateCodeSigningConfigInput{
			AllowedPublishers: &types.AllowedPublishers{SigningProfileVersionArns: []string{"arn:aws:signer:" + c.region + ":" + c.account + ":/signing-profiles/contract/abcdefghij"}},
		}))(c).CodeSigningConfig
		defer func() {
			_, _ = c.lambda.DeleteCodeSigningConfig(c.ctx, &lambda.DeleteCodeSigningConfigInput{CodeSigningConfigArn: made.CodeSigningConfigArn})
		}()
		updated := must(c.lambda.UpdateCodeSigningConfig(c.ctx, &lambda.UpdateCodeSigningConfigInput{CodeSigningConfigArn: made.CodeSigningConfigArn, Description: aws.String("new")}))(c).CodeSigningConfig
		if *updated.Description != "new" || len(updated.AllowedPublishers.SigningProfileVersionArns) != 1 {
			c.Errorf("updated to %+v", updated)
		}
		f := c.make()
		must(c.lambda.PutFunctionCodeSigningConfig(c.ctx, &lambda.PutFunctionCodeSigningConfigInput{FunctionName: f.FunctionName, CodeSigningConfigArn: made.CodeSigningConfigArn}))(c)
		users := must(c.lambda.ListFunctionsByCodeSigningConfig(c.ctx, &lambda.ListFunctionsByCodeSigningConfigInput{CodeSigningConfigArn: made.CodeSigningConfigArn}))(c).FunctionArns
		if len(users) != 1 || users[0] != *f.FunctionArn {
			c.Errorf("used by %v", users)
		}
		must(c.lambda.DeleteFunctionCodeSigningConfig(c.ctx, &lambda.DeleteFunctionCodeSigningConfigInput{FunctionName: f.FunctionName}))(c)
	})
}
