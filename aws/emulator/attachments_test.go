package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
)

func TestVersions(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("v")
	name := aws.String("v")
	publish := func() *lambda.PublishVersionOutput {
		t.Helper()
		return must(a.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name}))(t)
	}
	before := *a.get("v").Configuration.RevisionId
	one := publish()
	if *one.Version != "1" || *one.FunctionArn != prefix+"function:v:1" || one.State != types.StateActive {
		t.Errorf("published %s as %s, %s", *one.FunctionArn, *one.Version, one.State)
	}
	if *a.get("v").Configuration.RevisionId == before {
		t.Error("publishing did not move the revision of $LATEST")
	}
	if again := publish(); *again.Version != "1" || *again.RevisionId != *one.RevisionId {
		t.Errorf("published again as %s", *again.Version)
	}
	_, err := a.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name, CodeSha256: aws.String("other")})
	refused(t, err, "InvalidParameterValueException", 400, "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("+*one.CodeSha256+"). Please try again with the CodeSHA256 in $LATEST.")

	must(a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: aws.String("new")}))(t)
	a.pass()
	if two := publish(); *two.Version != "2" {
		t.Errorf("the second version is %s", *two.Version)
	}
	if old := a.get("v:1").Configuration; *old.Description != "" {
		t.Error("version 1 has changed")
	}
	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("1")}))(t)
	list := must(a.lambda.ListVersionsByFunction(t.Context(), &lambda.ListVersionsByFunctionInput{FunctionName: name}))(t)
	if len(list.Versions) != 2 || *list.Versions[0].FunctionArn != prefix+"function:v:$LATEST" || *list.Versions[1].Version != "2" {
		t.Errorf("versions: %d", len(list.Versions))
	}

	// Numbers are not used again, even by a function created anew.
	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: name}))(t)
	made := a.create("v", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	if *made.Version != "3" || *made.FunctionArn != prefix+"function:v" || made.State != types.StatePending {
		t.Errorf("created version %s at %s", *made.Version, *made.FunctionArn)
	}
}

func TestAliases(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	must(a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipped(t, "index.js", "2"), Publish: true}))(t)
	a.pass()
	input := func(alias, version string, weights map[string]float64) *lambda.CreateAliasInput {
		in := &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: &alias, FunctionVersion: &version}
		if weights != nil {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
		}
		return in
	}
	made := must(a.lambda.CreateAlias(t.Context(), input("live", "1", map[string]float64{"2": 0.25})))(t)
	if *made.AliasArn != prefix+"function:f:live" || made.RoutingConfig.AdditionalVersionWeights["2"] != 0.25 || *made.Description != "" {
		t.Errorf("created %+v", made)
	}
	const invalid, value = "ValidationException", "InvalidParameterValueException"
	for _, c := range []struct {
		in      *lambda.CreateAliasInput
		code    string
		status  int
		message string
	}{
		{input("live", "1", nil), "ResourceConflictException", 409, "Alias already exists: " + prefix + "function:f:live"},
		{input("2024", "1", nil), invalid, 400, "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"},
		{input("x", "10", nil), "ResourceNotFoundException", 404, "Function not found: " + prefix + "function:f:10"},
		{input("x", "1", map[string]float64{"2": 2}), invalid, 400, "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'"},
		{input("x", "1", map[string]float64{"1": 0.5}), value, 400, "Invalid function version 1. Function version 1 is already included in routing configuration."},
		{input("x", "1", map[string]float64{"2": 0.5, "3": 0.5}), value, 400, "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{input("x", "1", map[string]float64{"10": 0.5}), "ResourceNotFoundException", 404, "function:f:10"},
		{input("x", "$LATEST", map[string]float64{"1": 0.5}), value, 400, "$LATEST is not supported for an alias pointing to more than 1 version"},
		{input("x", "1", map[string]float64{"$LATEST": 0.5}), invalid, 400, "Value '{$LATEST=0.5}'"},
	} {
		_, err := a.lambda.CreateAlias(t.Context(), c.in)
		refused(t, err, c.code, c.status, c.message)
	}
	_, err := a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f"), Qualifier: aws.String("2")})
	refused(t, err, "ResourceConflictException", 409, "Unable to delete version because the following aliases reference it: [live]")
	next := must(a.lambda.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("2"), RoutingConfig: &types.AliasRoutingConfiguration{}, RevisionId: made.RevisionId}))(t)
	if *next.FunctionVersion != "2" || next.RoutingConfig != nil {
		t.Errorf("updated to %+v", next)
	}
	_, err = a.lambda.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), RevisionId: made.RevisionId})
	refused(t, err, "PreconditionFailedException", 412, "GetFunction/GetAlias")
	_, err = a.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("none")})
	refused(t, err, "ResourceNotFoundException", 404, "Cannot find alias arn: "+prefix+"function:f:none")
	must(a.lambda.DeleteAlias(t.Context(), &lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("none")}))(t)
}

func TestPolicies(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	must(a.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	add := func(qualifier, sid string) error {
		in := &lambda.AddPermissionInput{
			FunctionName: aws.String("f"), StatementId: &sid, Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::bucket"), SourceAccount: aws.String("123456789012"),
		}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		_, err := a.lambda.AddPermission(t.Context(), in)
		return err
	}
	policy := func(qualifier string) (*lambda.GetPolicyOutput, error) {
		in := &lambda.GetPolicyInput{FunctionName: aws.String("f")}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		return a.lambda.GetPolicy(t.Context(), in)
	}
	const none = "The resource you requested does not exist."
	_, err := policy("")
	refused(t, err, "ResourceNotFoundException", 404, none)
	for _, q := range []string{"", "1", "live"} {
		if err := add(q, "s3"); err != nil {
			t.Fatal(err)
		}
		got := *must(policy(q))(t).Policy
		want := `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` +
			strings.TrimSuffix(prefix+"function:f:"+q, ":") + `","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"},"StringEquals":{"AWS:SourceAccount":"123456789012"}}}]}`
		if got != want {
			t.Errorf("policy of %q:\n%s\nwant\n%s", q, got, want)
		}
	}
	refused(t, add("", "s3"), "ResourceConflictException", 409, "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")
	refused(t, add("$LATEST", "x"), "InvalidParameterValueException", 400, "We currently do not support adding policies for $LATEST.")
	refused(t, add("nope", "x"), "ResourceNotFoundException", 404, "Cannot find alias arn: "+prefix+"function:f:nope")
	refused(t, add("42", "x"), "ResourceNotFoundException", 404, "Function not found: "+prefix+"function:f:42")
	for i := 0; ; i++ {
		if err := add("", fmt.Sprintf("statement-%03d", i)); err != nil {
			refused(t, err, "PolicyLengthExceededException", 400, "is bigger than the limit (20480).")
			break
		}
	}
	remove := &lambda.RemovePermissionInput{FunctionName: aws.String("f"), Qualifier: aws.String("live"), StatementId: aws.String("other")}
	_, err = a.lambda.RemovePermission(t.Context(), remove)
	refused(t, err, "ResourceNotFoundException", 404, "Statement other is not found in resource policy.")
	remove.StatementId = aws.String("s3")
	must(a.lambda.RemovePermission(t.Context(), remove))(t)
	_, err = policy("live")
	refused(t, err, "ResourceNotFoundException", 404, none)

	// Whole documents, which hold what AddPermission can't say.
	arn := aws.String(prefix + "function:f:live")
	document := `{"Version":"2012-10-17","Id":"own","Statement":[{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + *arn + `","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`
	put := must(a.lambda.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: arn, Policy: &document}))(t)
	if got := must(a.lambda.GetResourcePolicy(t.Context(), &lambda.GetResourcePolicyInput{ResourceArn: arn}))(t); *got.Policy != document || *got.RevisionId != *put.RevisionId {
		t.Errorf("got %s", *got.Policy)
	}
	_, err = a.lambda.PutResourcePolicy(t.Context(), &lambda.PutResourcePolicyInput{ResourceArn: arn, Policy: &document, RevisionId: aws.String("stale")})
	refused(t, err, "PreconditionFailedException", 412, "")
	must(a.lambda.DeleteResourcePolicy(t.Context(), &lambda.DeleteResourcePolicyInput{ResourceArn: arn}))(t)
	_, err = policy("live")
	refused(t, err, "ResourceNotFoundException", 404, none)
}

func TestMappingsSurviveTheFunction(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	in := &lambda.CreateEventSourceMappingInput{FunctionName: aws.String("f"), EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:queue")}
	made := must(a.lambda.CreateEventSourceMapping(t.Context(), in))(t)
	state := func() string {
		t.Helper()
		return *must(a.lambda.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: made.UUID}))(t).State
	}
	if *made.State != "Creating" || *made.BatchSize != 10 || *made.FunctionArn != prefix+"function:f" || state() != "Creating" {
		t.Errorf("created %s, batches of %d, for %s", *made.State, *made.BatchSize, *made.FunctionArn)
	}
	update := func(enabled bool) error {
		_, err := a.lambda.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: made.UUID, Enabled: &enabled})
		return err
	}
	refused(t, update(false), "ResourceInUseException", 400, "in use")
	a.pass()
	for _, step := range []struct {
		on            bool
		during, after string
	}{{false, "Disabling", "Disabled"}, {false, "Updating", "Disabled"}, {true, "Enabling", "Enabled"}} {
		if err := update(step.on); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != step.during {
			t.Errorf("%s, want %s", got, step.during)
		}
		a.pass()
		if got := state(); got != step.after {
			t.Errorf("%s, want %s", got, step.after)
		}
	}
	again := `An event source mapping with SQS arn (" arn:aws:sqs:eu-central-1:123456789012:queue ") and function (" f ") already exists. Please update or delete the existing mapping with UUID ` + *made.UUID
	_, err := a.lambda.CreateEventSourceMapping(t.Context(), in)
	refused(t, err, "ResourceConflictException", 409, again)

	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}))(t)
	if got := state(); got != "Enabled" {
		t.Errorf("%s after the function was deleted", got)
	}
	a.create("f")
	list := must(a.lambda.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: aws.String("f")}))(t)
	if len(list.EventSourceMappings) != 1 || *list.EventSourceMappings[0].UUID != *made.UUID {
		t.Errorf("%d mappings of the new function", len(list.EventSourceMappings))
	}
	_, err = a.lambda.CreateEventSourceMapping(t.Context(), in)
	refused(t, err, "ResourceConflictException", 409, again)
	if out := must(a.lambda.DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: made.UUID}))(t); *out.State != "Deleting" {
		t.Errorf("%s", *out.State)
	}
	a.pass()
	_, err = a.lambda.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: made.UUID})
	refused(t, err, "ResourceNotFoundException", 404, "The resource you requested does not exist.")
}

func TestMappingRefusals(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	const value = "InvalidParameterValueException"
	stream := aws.String("arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/s")
	for _, c := range []struct {
		in            lambda.CreateEventSourceMappingInput
		code, message string
	}{
		{lambda.CreateEventSourceMappingInput{}, value, "Unrecognized event source."},
		{lambda.CreateEventSourceMappingInput{EventSourceArn: stream}, value, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."},
		{lambda.CreateEventSourceMappingInput{EventSourceArn: stream, StartingPosition: "AT_TIMESTAMP"}, value, "Unsupported starting position for arn type: " + *stream},
		{lambda.CreateEventSourceMappingInput{EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q"), BatchSize: aws.Int32(11)}, value, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"},
	} {
		c.in.FunctionName = aws.String("f")
		_, err := a.lambda.CreateEventSourceMapping(t.Context(), &c.in)
		refused(t, err, c.code, 400, c.message)
	}
	_, err := a.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{FunctionName: aws.String("none"), EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q")})
	refused(t, err, value, 400, "Function does not exist")
}

func TestURLs(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	in := &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: types.FunctionUrlAuthTypeNone}
	one := must(a.lambda.CreateFunctionUrlConfig(t.Context(), in))(t)
	if !strings.HasSuffix(*one.FunctionUrl, ".lambda-url.eu-central-1.on.aws/") {
		t.Error(*one.FunctionUrl)
	}
	_, err := a.lambda.CreateFunctionUrlConfig(t.Context(), in)
	refused(t, err, "ResourceConflictException", 409, "Failed to create function url config for [functionArn = "+prefix+"function:f]. Error message:  FunctionUrlConfig exists for this Lambda function")
	in.Qualifier = aws.String("$LATEST")
	_, err = a.lambda.CreateFunctionUrlConfig(t.Context(), in)
	refused(t, err, "ValidationException", 400, "Value '$LATEST' at 'qualifier'")
	in.Qualifier = nil
	must(a.lambda.DeleteFunctionUrlConfig(t.Context(), &lambda.DeleteFunctionUrlConfigInput{FunctionName: aws.String("f")}))(t)
	if two := must(a.lambda.CreateFunctionUrlConfig(t.Context(), in))(t); *two.FunctionUrl == *one.FunctionUrl {
		t.Error("a deleted address came back")
	}
}

func TestConcurrency(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Publish = true })
	must(a.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	reserve := func(n int32) error {
		_, err := a.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: &n})
		return err
	}
	refused(t, reserve(901), "InvalidParameterValueException", 400, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].")
	if err := reserve(0); err != nil {
		t.Fatal(err)
	}
	if c := a.get("f").Concurrency; c == nil || *c.ReservedConcurrentExecutions != 0 {
		t.Error("a reservation of none is not shown")
	}
	if err := reserve(900); err != nil {
		t.Fatal(err)
	}
	if s := must(a.lambda.GetAccountSettings(t.Context(), &lambda.GetAccountSettingsInput{}))(t); *s.AccountLimit.UnreservedConcurrentExecutions != 100 {
		t.Errorf("%d unreserved", *s.AccountLimit.UnreservedConcurrentExecutions)
	}
	provision := func(q string, n int32) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
		return a.lambda.PutProvisionedConcurrencyConfig(t.Context(), &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: &q, ProvisionedConcurrentExecutions: &n})
	}
	_, err := provision("$LATEST", 1)
	refused(t, err, "InvalidParameterValueException", 400, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	_, err = provision("live", 901)
	refused(t, err, "InvalidParameterValueException", 400, "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
	if out := must(provision("live", 3))(t); out.Status != types.ProvisionedConcurrencyStatusEnumInProgress || *out.AllocatedProvisionedConcurrentExecutions != 0 {
		t.Errorf("%s", out.Status)
	}
	_, err = provision("1", 1)
	refused(t, err, "ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias")
	refused(t, reserve(2), "InvalidParameterValueException", 400, " ReservedConcurrentExecutions  2 should not be lower than function's total provisioned concurrency [3].")
	a.pass()
	get := &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")}
	if out := must(a.lambda.GetProvisionedConcurrencyConfig(t.Context(), get))(t); out.Status != types.ProvisionedConcurrencyStatusEnumReady || *out.AvailableProvisionedConcurrentExecutions != 3 {
		t.Errorf("%s", out.Status)
	}
	must(a.lambda.DeleteProvisionedConcurrencyConfig(t.Context(), &lambda.DeleteProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")}))(t)
	_, err = a.lambda.GetProvisionedConcurrencyConfig(t.Context(), get)
	refused(t, err, "ProvisionedConcurrencyConfigNotFoundException", 404, "No Provisioned Concurrency Config found for this function")
}

func TestAsynchronousConfiguration(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	name := aws.String("f")
	get := &lambda.GetFunctionEventInvokeConfigInput{FunctionName: name}
	_, err := a.lambda.GetFunctionEventInvokeConfig(t.Context(), get)
	refused(t, err, "ResourceNotFoundException", 404, "The function "+prefix+"function:f:$LATEST doesn't have an EventInvokeConfig")
	_, err = a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name})
	refused(t, err, "InvalidParameterValueException", 400, "You must specify at least one of error handling or destination setting.")
	to := func(arn string) *types.DestinationConfig {
		return &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: &arn}}
	}
	_, err = a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, DestinationConfig: to(prefix + "function:f")})
	refused(t, err, "InvalidParameterValueException", 400, "You can't specify the function as a destination for itself.")
	out := must(a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: name, MaximumEventAgeInSeconds: aws.Int32(60), DestinationConfig: to("arn:aws:sqs:eu-central-1:123456789012:q")}))(t)
	if *out.FunctionArn != prefix+"function:f:$LATEST" || out.DestinationConfig.OnSuccess == nil || out.LastModified.IsZero() {
		t.Errorf("put %+v", out)
	}
	updated := must(a.lambda.UpdateFunctionEventInvokeConfig(t.Context(), &lambda.UpdateFunctionEventInvokeConfigInput{FunctionName: name, MaximumRetryAttempts: aws.Int32(0)}))(t)
	if *updated.MaximumRetryAttempts != 0 || *updated.MaximumEventAgeInSeconds != 60 {
		t.Errorf("updated %+v", updated)
	}
}

func TestTagsAndTheRest(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Tags = map[string]string{"team": "a"} })
	arn := aws.String(prefix + "function:f")
	must(a.lambda.TagResource(t.Context(), &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"stage": "test"}}))(t)
	must(a.lambda.UntagResource(t.Context(), &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"team", "none"}}))(t)
	tags := must(a.lambda.ListTags(t.Context(), &lambda.ListTagsInput{Resource: arn}))(t).Tags
	if b, _ := json.Marshal(tags); string(b) != `{"stage":"test"}` || len(a.get("f").Tags) != 1 {
		t.Errorf("tags %s", b)
	}
	_, err := a.lambda.ListTags(t.Context(), &lambda.ListTagsInput{Resource: aws.String(*arn + ":1")})
	refused(t, err, "InvalidParameterValueException", 400, "Tags on function aliases and versions are not supported. Please specify a function ARN.")
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint(i)] = ""
	}
	_, err = a.lambda.TagResource(t.Context(), &lambda.TagResourceInput{Resource: arn, Tags: many})
	refused(t, err, "InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit.")

	name := aws.String("f")
	if out := must(a.lambda.GetFunctionRecursionConfig(t.Context(), &lambda.GetFunctionRecursionConfigInput{FunctionName: name}))(t); out.RecursiveLoop != types.RecursiveLoopTerminate {
		t.Error(out.RecursiveLoop)
	}
	if out := must(a.lambda.GetRuntimeManagementConfig(t.Context(), &lambda.GetRuntimeManagementConfigInput{FunctionName: name}))(t); out.UpdateRuntimeOn != types.UpdateRuntimeOnAuto {
		t.Error(out.UpdateRuntimeOn)
	}
	if out := must(a.lambda.GetFunctionCodeSigningConfig(t.Context(), &lambda.GetFunctionCodeSigningConfigInput{FunctionName: name}))(t); out.CodeSigningConfigArn != nil {
		t.Error(*out.CodeSigningConfigArn)
	}
	if out := must(a.lambda.ListDurableExecutionsByFunction(t.Context(), &lambda.ListDurableExecutionsByFunctionInput{FunctionName: name}))(t); len(out.DurableExecutions) != 0 {
		t.Error("durable executions")
	}
	_, err = a.lambda.ListCapacityProviders(t.Context(), &lambda.ListCapacityProvidersInput{})
	refused(t, err, "UnsupportedOperationException", 400, "The embedded account does not have the operation ListCapacityProviders.")
	_, err = a.lambda.InvokeWithResponseStream(t.Context(), &lambda.InvokeWithResponseStreamInput{FunctionName: name})
	refused(t, err, "UnsupportedOperationException", 400, "The embedded account does not have the operation InvokeWithResponseStream.")
}
