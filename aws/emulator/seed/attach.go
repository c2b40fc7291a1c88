package seed

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/optlift/optlift/aws/emulator/oci/bases"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// all runs operations one after the other.
func (p *planter) all(inputs ...any) error {
	for _, in := range inputs {
		if err := p.own(in); err != nil {
			return fmt.Errorf("%T: %w", in, err)
		}
	}
	return nil
}

// publish makes a version of the function as it is, after changing its memory so
// that there is something to publish.
func publish(name string, memory int32, about string) []any {
	return []any{
		&lambda.UpdateFunctionConfigurationInput{FunctionName: &name, MemorySize: aws.Int32(memory)},
		&lambda.PublishVersionInput{FunctionName: &name, Description: &about},
	}
}

func permission(name, qualifier, id, principal, source string) *lambda.AddPermissionInput {
	in := &lambda.AddPermissionInput{FunctionName: &name, StatementId: &id, Action: aws.String("lambda:InvokeFunction"), Principal: &principal}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	if source != "" {
		in.SourceArn = &source
	}
	return in
}

func quoteAttachments(p *planter, name string) error {
	return p.all(
		&lambda.PublishVersionInput{FunctionName: &name, Description: aws.String("first release")},
		&lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1"), Description: aws.String("what the shop calls")},
		permission(name, "", "shop-api", "apigateway.amazonaws.com", p.arn("execute-api", "a1b2c3d4e5/*/POST/quote")),
		permission(name, "live", "nightly", "events.amazonaws.com", p.arn("events", "rule/quote-warmup")),
		&lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: aws.String(p.arn("sqs", "quote-requests")), BatchSize: aws.Int32(10)},
	)
}

// checkoutAttachments: four versions and an alias that sends a tenth to the newest.
func checkoutAttachments(p *planter, name string) error {
	var steps []any
	for i, about := range []string{"1.0", "1.1", "2.0", "2.1 canary"} {
		steps = append(steps, publish(name, int32(512+64*i), about)...)
	}
	steps = append(steps,
		&lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("3"), Description: aws.String("production"),
			RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"4": 0.1}}},
		&lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("previous"), FunctionVersion: aws.String("2")},
		permission(name, "live", "shop-api", "apigateway.amazonaws.com", p.arn("execute-api", "a1b2c3d4e5/*/POST/checkout")),
		permission(name, "", "partner", "111122223333", ""),
	)
	return p.all(steps...)
}

func storefrontAttachments(p *planter, name string) error {
	return p.all(
		&lambda.PublishVersionInput{FunctionName: &name},
		&lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")},
		permission(name, "", "edge", "elasticloadbalancing.amazonaws.com", p.arn("elasticloadbalancing", "targetgroup/shop/0123456789abcdef")),
	)
}

// vpcKmsAndQueue gives a function a network, a key, a dead letter queue, tracing,
// a file system and SnapStart.
func vpcKmsAndQueue(p *planter, in *lambda.CreateFunctionInput) error {
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-0a1b2c3d4e5f60718", "subnet-0b2c3d4e5f6071829"}, SecurityGroupIds: []string{"sg-0c3d4e5f607182930"}}
	in.KMSKeyArn = aws.String(p.arn("kms", "key/1a2b3c4d-5e6f-4a1b-8c2d-3e4f5a6b7c8d"))
	in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String(p.arn("sqs", "invoice-failures"))}
	in.TracingConfig = &types.TracingConfig{Mode: types.TracingModeActive}
	in.FileSystemConfigs = []types.FileSystemConfig{{Arn: aws.String(p.arn("elasticfilesystem", "access-point/fsap-0a1b2c3d4e5f60718")), LocalMountPath: aws.String("/mnt/invoices")}}
	in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelInfo, SystemLogLevel: types.SystemLogLevelWarn}
	in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	return nil
}

func invoiceAttachments(p *planter, name string) error {
	return p.all(
		&lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(5)},
		&lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(3600),
			DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(p.arn("sns", "invoice-alerts"))}}},
		permission(name, "", "monthly", "events.amazonaws.com", p.arn("events", "rule/first-of-month")),
	)
}

// eventsMappings: a queue and a stream.
func eventsMappings(p *planter, name string) error {
	return p.all(
		&lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: aws.String(p.arn("sqs", "order-events")), BatchSize: aws.Int32(25),
			MaximumBatchingWindowInSeconds: aws.Int32(5), FunctionResponseTypes: []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures},
			ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(10)}},
		&lambda.CreateEventSourceMappingInput{FunctionName: &name, EventSourceArn: aws.String(p.arn("kinesis", "stream/order-stream")), BatchSize: aws.Int32(100),
			StartingPosition: types.EventSourcePositionTrimHorizon, BisectBatchOnFunctionError: aws.Bool(true), ParallelizationFactor: aws.Int32(2),
			DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(p.arn("sqs", "order-stream-failures"))}}},
	)
}

// disabledMapping was switched off by somebody and must stay off.
func disabledMapping(p *planter, name string) error {
	return p.all(&lambda.CreateEventSourceMappingInput{
		FunctionName: &name, EventSourceArn: aws.String(p.arn("dynamodb", "table/products/stream/2026-01-15T10:20:30.123")),
		StartingPosition: types.EventSourcePositionLatest, Enabled: aws.Bool(false),
	})
}

func suggestAttachments(p *planter, name string) error {
	return p.all(
		&lambda.PublishVersionInput{FunctionName: &name},
		&lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")},
		&lambda.PutProvisionedConcurrencyConfigInput{FunctionName: &name, Qualifier: aws.String("live"), ProvisionedConcurrentExecutions: aws.Int32(3)},
		&lambda.CreateFunctionUrlConfigInput{FunctionName: &name, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeAwsIam, InvokeMode: types.InvokeModeResponseStream},
		&lambda.PutFunctionRecursionConfigInput{FunctionName: &name, RecursiveLoop: types.RecursiveLoopAllow},
	)
}

func functionURL(p *planter, name string) error {
	public := permission(name, "", "public-url", "*", "")
	public.Action, public.FunctionUrlAuthType = aws.String("lambda:InvokeFunctionUrl"), types.FunctionUrlAuthTypeNone
	return p.all(
		&lambda.CreateFunctionUrlConfigInput{FunctionName: &name, AuthType: types.FunctionUrlAuthTypeNone,
			Cors: &types.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET"}, MaxAge: aws.Int32(600)}},
		public,
	)
}

func asyncOnFailure(p *planter, name string) error {
	return p.all(
		&lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, MaximumRetryAttempts: aws.Int32(1),
			DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String(p.arn("sqs", "mail-failures"))}}},
		permission(name, "", "bus", "sns.amazonaws.com", p.arn("sns", "account-events")),
	)
}

func reserve(n int32) func(*planter, string) error {
	return func(p *planter, name string) error {
		return p.all(&lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(n)})
	}
}

// thumbnailsRepository holds the image of the one function that is an image from
// the start.
const thumbnailsRepository = "media/thumbnails"

// thumbnailsImage pushes the image and makes the request one for it.
func thumbnailsImage(p *planter, in *lambda.CreateFunctionInput) error {
	path := p.ECR.Path(p.Account.Account, p.Region, thumbnailsRepository)
	in.PackageType = types.PackageTypeImage
	in.Code = &types.FunctionCode{ImageUri: aws.String(p.ECR.Host() + "/" + path + ":1.4.0")}
	return p.pushThumbnails(path)
}

func (p *planter) pushThumbnails(path string) error {
	request, err := json.Marshal(map[string]any{"repositoryName": thumbnailsRepository, "imageTagMutability": "IMMUTABLE", "tags": []map[string]string{{"Key": "team", "Value": "media"}}})
	if err != nil {
		return err
	}
	call := wire.Call{Account: p.Account.Account, Region: p.Region, Now: p.Now.Add(-300 * day), Operation: "CreateRepository", Privileged: true}
	if _, err := p.ECR.Call(p.ctx, call, request); err != nil {
		return err
	}
	base, ok := bases.For("nodejs22.x")
	if !ok {
		return fmt.Errorf("there is no base image for nodejs22.x")
	}
	img, err := base.Image("x86_64")
	if err != nil {
		return err
	}
	content, err := taskLayer(file{path: "index.js", body: "'use strict';\nexports.handler = async (event) => ({ thumbnails: (event.pictures ?? []).map((name) => name.replace(/(\\.\\w+)?$/, '-small$1')) });\n"})
	if err != nil {
		return err
	}
	below, err := img.Layers()
	if err != nil {
		return err
	}
	mediaType, err := below[0].MediaType()
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, tarball.WithMediaType(mediaType))
	if err != nil {
		return err
	}
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, MediaType: mediaType, History: v1.History{CreatedBy: "COPY index.js /var/task"}})
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.Config.Cmd = []string{"index.handler"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return err
	}
	return bases.PushImage(p.ECR.Registry(), path, "1.4.0", img)
}

// taskLayer writes files below /var/task.
func taskLayer(content ...file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"var/", "var/task/"} {
		if err := w.WriteHeader(&tar.Header{Name: dir, Mode: 0o755, Typeflag: tar.TypeDir, ModTime: time.Unix(0, 0)}); err != nil {
			return nil, err
		}
	}
	for _, f := range content {
		if err := w.WriteHeader(&tar.Header{Name: "var/task/" + f.path, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(f.body)), ModTime: time.Unix(0, 0)}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, f.body); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}
