package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// permit adds a statement; an empty qualifier is the function itself.
func (c *check) permit(function, qualifier, sid string) error {
	in := &lambda.AddPermissionInput{
		FunctionName: &function, StatementId: &sid, Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::bucket"), SourceAccount: &c.account,
	}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	_, err := c.lambda.AddPermission(c.ctx, in)
	return err
}

func (c *check) policy(function, qualifier string) (string, error) {
	in := &lambda.GetPolicyInput{FunctionName: &function}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	out, err := c.lambda.GetPolicy(c.ctx, in)
	if err != nil {
		return "", err
	}
	return *out.Policy, nil
}

func TestPolicies(t *testing.T) {
	w := writing(t)
	const none = "The resource you requested does not exist."
	w.fact("each qualifier has its own", recorded+"test_lambda_permission_fn_versioning", func(c *check) {
		f := c.published("live")
		for i, q := range []string{"", "1", "live"} {
			_, err := c.policy(f, q)
			c.refused(err, notFound, 404, none)
			if err := c.permit(f, q, "s3"); err != nil {
				c.Fatalf("%v", err)
			}
			resource := strings.TrimSuffix(c.arn("function:"+f+":"+q), ":")
			if got := must(c.policy(f, q))(c); !strings.Contains(got, `"Resource":"`+resource+`"`) {
				c.Errorf("policy %d of three: %s", i+1, got)
			}
		}
	})
	w.fact("conditions as the source gives them", recorded+"test_add_lambda_permission_fields", func(c *check) {
		f := *c.make().FunctionName
		if err := c.permit(f, "", "s3"); err != nil {
			c.Fatalf("%v", err)
		}
		want := `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` +
			c.arn("function:"+f) + `","Condition":{"StringEquals":{"AWS:SourceAccount":"` + c.account + `"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"}}}]}`
		if got := must(c.policy(f, ""))(c); !sameJSON(got, want) {
			c.Errorf("got %s\nwant %s", got, want)
		}
	})
	w.fact("the same statement again is a conflict", recorded+"test_add_lambda_permission_aws", func(c *check) {
		f := *c.make().FunctionName
		if err := c.permit(f, "", "s3"); err != nil {
			c.Fatalf("%v", err)
		}
		c.refused(c.permit(f, "", "s3"), conflict, 409, "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")
	})
	w.fact("$LATEST has none", recorded+"test_lambda_permission_fn_versioning", func(c *check) {
		c.refused(c.permit(*c.make().FunctionName, "$LATEST", "s3"), value, 400, "We currently do not support adding policies for $LATEST.")
	})
	w.fact("a statement that is not there can't be removed", recorded+"test_remove_multi_permissions", func(c *check) {
		f := *c.make().FunctionName
		if err := c.permit(f, "", "s3"); err != nil {
			c.Fatalf("%v", err)
		}
		remove := &lambda.RemovePermissionInput{FunctionName: &f, StatementId: aws.String("other")}
		_, err := c.lambda.RemovePermission(c.ctx, remove)
		c.refused(err, notFound, 404, "Statement other is not found in resource policy.")
		remove.StatementId = aws.String("s3")
		must(c.lambda.RemovePermission(c.ctx, remove))(c)
		_, err = c.policy(f, "")
		c.refused(err, notFound, 404, none)
	})
	w.fact("at most 20 KB", quotas, func(c *check) {
		f := *c.make().FunctionName
		for range 1000 {
			if err := c.permit(f, "", c.name(strings.Repeat("s", 60))); err != nil {
				c.refused(err, "PolicyLengthExceededException", 400, "is bigger than the limit (20480).")
				return
			}
		}
		c.Errorf("1000 statements were taken")
	})
	w.fact("whole documents by ARN", sdk+"PutResourcePolicy", func(c *check) {
		f := c.published("live")
		arn := aws.String(c.arn("function:" + f + ":live"))
		document := `{"Version":"2012-10-17","Id":"own","Statement":[{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + *arn + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}]}`
		put := must(c.lambda.PutResourcePolicy(c.ctx, &lambda.PutResourcePolicyInput{ResourceArn: arn, Policy: &document}))(c)
		got := must(c.lambda.GetResourcePolicy(c.ctx, &lambda.GetResourcePolicyInput{ResourceArn: arn}))(c)
		if !sameJSON(*got.Policy, document) || *got.RevisionId != *put.RevisionId {
			c.Errorf("got %s", *got.Policy)
		}
		_, err := c.lambda.PutResourcePolicy(c.ctx, &lambda.PutResourcePolicyInput{ResourceArn: arn, Policy: &document, RevisionId: aws.String("11111111-2222-3333-4444-555555555555")})
		c.refused(err, "PreconditionFailedException", 412, "")
	})
}

// mapped makes a mapping from the queue and waits until it is Enabled.
func (c *check) mapped(function string) *lambda.CreateEventSourceMappingOutput {
	out := must(c.lambda.CreateEventSourceMapping(c.ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &function, EventSourceArn: &c.queue}))(c)
	c.later(func(ctx context.Context) error {
		_, err := c.lambda.DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: out.UUID})
		return err
	})
	c.mapping(out.UUID, "Enabled")
	return out
}

// mapping waits until a mapping is in a state.
func (c *check) mapping(id *string, state string) {
	c.until("the mapping is "+state, func() bool {
		return *must(c.lambda.GetEventSourceMapping(c.ctx, &lambda.GetEventSourceMappingInput{UUID: id}))(c).State == state
	})
}

func TestMappings(t *testing.T) {
	w := writing(t)
	w.fact("Creating, with the defaults of a queue", recorded+"test_event_source_mapping_lifecycle", func(c *check) {
		f := *c.make().FunctionName
		out := c.mapped(f)
		if *out.State != "Creating" || aws.ToInt32(out.BatchSize) != 10 || *out.FunctionArn != c.arn("function:"+f) || out.EventSourceMappingArn == nil {
			c.Errorf("%s, batches of %d, for %s", *out.State, aws.ToInt32(out.BatchSize), *out.FunctionArn)
		}
	})
	w.fact("stops and starts through states of their own", sdk+"EventSourceMappingConfiguration.State", func(c *check) {
		m := c.mapped(*c.make().FunctionName)
		for _, step := range []struct {
			on            bool
			during, after string
		}{{false, "Disabling", "Disabled"}, {true, "Enabling", "Enabled"}} {
			out := must(c.lambda.UpdateEventSourceMapping(c.ctx, &lambda.UpdateEventSourceMappingInput{UUID: m.UUID, Enabled: &step.on}))(c)
			if *out.State != step.during {
				c.Errorf("%s, want %s", *out.State, step.during)
			}
			c.mapping(m.UUID, step.after)
		}
	})
	w.fact("the same source and function again is a conflict", github+"hashicorp/terraform-provider-aws/issues/15539", func(c *check) {
		f := *c.make().FunctionName
		m := c.mapped(f)
		_, err := c.lambda.CreateEventSourceMapping(c.ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &f, EventSourceArn: &c.queue})
		c.refused(err, conflict, 409, `An event source mapping with SQS arn (" `+c.queue+` ") and function (" `+f+` ") already exists. Please update or delete the existing mapping with UUID `+*m.UUID)
	})
	w.fact("survives the function", recorded+"test_event_source_mapping_lifecycle_delete_function", func(c *check) {
		f := *c.make().FunctionName
		m := c.mapped(f)
		must(c.lambda.DeleteFunction(c.ctx, &lambda.DeleteFunctionInput{FunctionName: &f}))(c)
		must(c.lambda.GetEventSourceMapping(c.ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID}))(c)
	})
	w.fact("belongs to a new function of the same name", github+"serverless/serverless/issues/4471", func(c *check) {
		f := *c.make().FunctionName
		m := c.mapped(f)
		must(c.lambda.DeleteFunction(c.ctx, &lambda.DeleteFunctionInput{FunctionName: &f}))(c)
		c.make(func(in *lambda.CreateFunctionInput) { in.FunctionName = &f })
		list := must(c.lambda.ListEventSourceMappings(c.ctx, &lambda.ListEventSourceMappingsInput{FunctionName: &f}))(c).EventSourceMappings
		if len(list) != 1 || *list[0].UUID != *m.UUID {
			c.Errorf("%d mappings of the new function", len(list))
		}
	})
	w.fact("goes by Deleting", recorded+"test_event_source_mapping_lifecycle", func(c *check) {
		m := c.mapped(*c.make().FunctionName)
		if out := must(c.lambda.DeleteEventSourceMapping(c.ctx, &lambda.DeleteEventSourceMappingInput{UUID: m.UUID}))(c); *out.State != "Deleting" {
			c.Errorf("%s", *out.State)
		}
		c.until("the mapping is gone", func() bool {
			_, err := c.lambda.GetEventSourceMapping(c.ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID})
			if err != nil {
				c.refused(err, notFound, 404, "The resource you requested does not exist.")
			}
			return err != nil
		})
	})
	w.fact("a function that is not there is a 400", recorded+"test_event_source_mapping_exceptions", func(c *check) {
		_, err := c.lambda.CreateEventSourceMapping(c.ctx, &lambda.CreateEventSourceMappingInput{FunctionName: aws.String(c.name("none")), EventSourceArn: &c.queue})
		c.refused(err, value, 400, "Function does not exist")
	})
	w.fact("a stream needs a position", recorded+"test_event_source_mapping_exceptions", func(c *check) {
		_, err := c.lambda.CreateEventSourceMapping(c.ctx, &lambda.CreateEventSourceMappingInput{
			FunctionName: c.make().FunctionName, EventSourceArn: aws.String("arn:aws:dynamodb:" + c.region + ":" + c.account + ":table/t/stream/2026-01-01T00:00:00.000"),
		})
		c.refused(err, value, 400, "Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	})
}

func TestURLs(t *testing.T) {
	w := writing(t)
	w.fact("a new address each time", sdk+"DeleteFunctionUrlConfig", func(c *check) {
		f := c.make().FunctionName
		in := &lambda.CreateFunctionUrlConfigInput{FunctionName: f, AuthType: types.FunctionUrlAuthTypeAwsIam}
		one := must(c.lambda.CreateFunctionUrlConfig(c.ctx, in))(c)
		must(c.lambda.DeleteFunctionUrlConfig(c.ctx, &lambda.DeleteFunctionUrlConfigInput{FunctionName: f}))(c)
		two := must(c.lambda.CreateFunctionUrlConfig(c.ctx, in))(c)
		if *one.FunctionUrl == *two.FunctionUrl {
			c.Errorf("%s came back", *one.FunctionUrl)
		}
	})
	w.fact("a second one is a conflict", recorded+"test_url_config_lifecycle", func(c *check) {
		f := c.make().FunctionName
		in := &lambda.CreateFunctionUrlConfigInput{FunctionName: f, AuthType: types.FunctionUrlAuthTypeAwsIam}
		must(c.lambda.CreateFunctionUrlConfig(c.ctx, in))(c)
		_, err := c.lambda.CreateFunctionUrlConfig(c.ctx, in)
		c.refused(err, conflict, 409, "Failed to create function url config for [functionArn = "+c.arn("function:"+*f)+"]. Error message:  FunctionUrlConfig exists for this Lambda function")
	})
	w.fact("not for $LATEST by name", recorded+"test_url_config_exceptions", func(c *check) {
		_, err := c.lambda.CreateFunctionUrlConfig(c.ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: c.make().FunctionName, Qualifier: aws.String("$LATEST"), AuthType: types.FunctionUrlAuthTypeAwsIam})
		if err == nil {
			c.Fatalf("it was accepted")
		}
		c.refused(err, validation, 400, "Value '$LATEST' at 'qualifier'")
	})
	w.fact("an alias has its own", sdk+"CreateFunctionUrlConfigInput.Qualifier", func(c *check) {
		f := c.published("live")
		must(c.lambda.CreateFunctionUrlConfig(c.ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &f, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeAwsIam}))(c)
		list := must(c.lambda.ListFunctionUrlConfigs(c.ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: &f}))(c).FunctionUrlConfigs
		if len(list) != 1 || *list[0].FunctionArn != c.arn("function:"+f+":live") {
			c.Errorf("%d URLs", len(list))
		}
		_, err := c.lambda.GetFunctionUrlConfig(c.ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: &f})
		c.refused(err, notFound, 404, "The resource you requested does not exist.")
	})
}
