package sessiontest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// What a furnished function has in its environment and its policy, and what must
// be seen nowhere.
const (
	PlantedValue = "planted-environment-value"
	PlantedToken = "planted-event-token"
)

// Furnish makes a function with a layer and all kinds of things attached to it, and
// waits until nothing is under way. The alias "live" stands for its version 1.
func (a *Account) Furnish(name string) {
	a.t.Helper()
	ctx := a.t.Context()
	dep := a.Layer("dep", ziptest.File("nodejs/node_modules/dep/index.js", "module.exports = 1"), ziptest.File("bin/tool", "#!/bin/sh\n").Perm(0o755))
	a.Function(name, []ziptest.Entry{ziptest.File("index.js", "exports.handler = async () => 1")}, func(in *lambda.CreateFunctionInput) {
		in.Description, in.Architectures = aws.String("the shop"), []types.Architecture{types.ArchitectureArm64}
		in.MemorySize, in.Timeout, in.EphemeralStorage = aws.Int32(256), aws.Int32(17), &types.EphemeralStorage{Size: aws.Int32(1024)}
		in.Environment = &types.Environment{Variables: map[string]string{"SECRET": PlantedValue, "ANOTHER": PlantedValue}}
		in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-0123456789abcdef0"}, SecurityGroupIds: []string{"sg-0123456789abcdef0"}}
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:dead")}
		in.TracingConfig = &types.TracingConfig{Mode: types.TracingModeActive}
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug}
		in.Layers = []string{dep}
		in.Tags = map[string]string{"team": "checkout"}
	})
	wait := lambda.NewFunctionActiveV2Waiter(a.Lambda, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := wait.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		a.t.Fatal(err)
	}
	version := must(a.Lambda.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &name})).Version
	must(a.Lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: &name, Name: aws.String("live"), FunctionVersion: version, Description: aws.String("what callers use")}))
	for _, in := range []*lambda.AddPermissionInput{
		{StatementId: aws.String("bucket"), Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::uploads"), SourceAccount: aws.String("123456789012")},
		{StatementId: aws.String("skill"), Principal: aws.String("alexa-appkit.amazon.com"), EventSourceToken: aws.String(PlantedToken)},
		{StatementId: aws.String("friend"), Principal: aws.String("210987654321"), Qualifier: aws.String("live")},
		{StatementId: aws.String("numbered"), Principal: aws.String("sns.amazonaws.com"), Qualifier: version},
	} {
		in.FunctionName, in.Action = &name, aws.String("lambda:InvokeFunction")
		must(a.Lambda.AddPermission(ctx, in))
	}
	for queue, target := range map[string]string{"orders": name, "live": name + ":live"} {
		must(a.Lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
			FunctionName: &target, EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:" + queue), BatchSize: aws.Int32(7),
			Enabled:        aws.Bool(queue == "orders"),
			FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"a":[1]}}`)}}}}))
	}
	must(a.Lambda.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: &name, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeAwsIam, Cors: &types.Cors{AllowOrigins: []string{"https://shop.example"}}}))
	must(a.Lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(5)}))
	must(a.Lambda.PutProvisionedConcurrencyConfig(ctx, &lambda.PutProvisionedConcurrencyConfigInput{
		FunctionName: &name, Qualifier: aws.String("live"), ProvisionedConcurrentExecutions: aws.Int32(2)}))
	must(a.Lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: &name, MaximumRetryAttempts: aws.Int32(0), DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:123456789012:failed")}}}))
	must(a.Lambda.PutFunctionRecursionConfig(ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: &name, RecursiveLoop: types.RecursiveLoopAllow}))
}

// must ends the test that furnishes: there is nothing to test without it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
