package switchover

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/layer"
)

// profiles is the AWS configuration file of this test binary: one profile per
// account, so that tests with accounts of their own can run side by side.
var profiles struct {
	sync.Mutex
	file  string
	count int
}

// store keeps converted layers for all tests: they are the same archives.
var store *layer.Store

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "switchover")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		for _, name := range os.Environ() {
			if name, _, _ := strings.Cut(name, "="); strings.HasPrefix(name, "AWS_") && name != "AWS_CA_BUNDLE" {
				os.Unsetenv(name)
			}
		}
		profiles.file = filepath.Join(dir, "config")
		os.Setenv("AWS_CONFIG_FILE", profiles.file)
		os.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
		os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		if store, err = layer.OpenStore(filepath.Join(dir, "layers"), 1<<30); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// tester is what a bench needs of a test; a property's draw is one, too.
type tester interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
	Logf(string, ...any)
}

// bench is an account, a session in it and a Switcher.
type bench struct {
	t      tester
	ctx    context.Context
	server *emulator.Server
	api    *lambda.Client
	s      *Switcher
	state  string

	mu     sync.Mutex
	events []Event
	told   []string // what a user was told besides
}

// hear keeps what a user is told, for noSecrets.
func (b *bench) hear(words ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range words { // one by one, so that what pointers point to is printed
		b.told = append(b.told, fmt.Sprintf("%+v", w))
	}
}

func newBench(t *testing.T) *bench { return newBenchWith(t, emulator.Options{Delay: time.Millisecond}) }

func newBenchWith(t *testing.T, opts emulator.Options) *bench {
	t.Helper()
	ctx := context.Background()
	server, err := emulator.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	env := map[string]string{}
	for _, line := range server.Environ() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	profiles.Lock()
	profiles.count++
	profile := fmt.Sprintf("bench%d", profiles.count)
	f, err := os.OpenFile(profiles.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "[profile %s]\nregion = %s\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n",
			profile, env["AWS_REGION"], env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
		f.Close()
	}
	profiles.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	sess, err := session.Open(ctx, session.Options{Profile: profile, Write: true, Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, ctx: ctx, server: server, api: sess.Lambda(env["AWS_REGION"]), state: filepath.Join(t.TempDir(), "state")}
	b.s = New(Config{Session: sess, Region: env["AWS_REGION"], Store: store, BaseRegistry: env["OPTLIFT_BASE_REGISTRY"], StateDir: b.state})
	b.s.lag = 200 * time.Millisecond
	return b
}

func (b *bench) emit(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, e)
}

func zipOf(files map[string]string) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range sortedKeys(files) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		f := must(w.CreateHeader(h))
		must(f.Write([]byte(files[name])))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

// ok fails the test on an error and returns the answer otherwise.
func ok[T any](b *bench, v T, err error) T {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

const (
	plantedEnv   = "planted-secret-env-value"
	plantedToken = "planted-secret-event-token"
)

func (b *bench) layer(name string, files map[string]string) string {
	b.t.Helper()
	out, err := b.api.PublishLayerVersion(b.ctx, &lambda.PublishLayerVersionInput{LayerName: &name,
		Content: &types.LayerVersionContentInput{ZipFile: zipOf(files)}})
	return *ok(b, out, err).LayerVersionArn
}

// wait waits until the function can be changed.
func (b *bench) wait(name string) {
	b.t.Helper()
	r := b.s.newRun(&Snapshot{Function: name}, Choices{}, nil, nil)
	if err := r.waitActive(b.ctx, name, ""); err != nil {
		b.t.Fatal(err)
	}
}

// plain makes a function with nothing attached.
func (b *bench) plain(name string) {
	b.t.Helper()
	_, err := b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: &name,
		Role: aws.String("arn:aws:iam::123456789012:role/service/shop"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code:        &types.FunctionCode{ZipFile: zipOf(map[string]string{"index.js": "exports.handler = async () => 1"})},
		Environment: &types.Environment{Variables: map[string]string{"TOKEN": plantedEnv}},
	})
	ok(b, 0, err)
	b.wait(name)
}

// rich makes a function with everything attached that can be carried.
func (b *bench) rich(name string) {
	b.t.Helper()
	layers := []string{
		b.layer("deps", map[string]string{"nodejs/node_modules/dep/index.js": "module.exports = 1", "bin/tool": "#!/bin/sh"}),
		b.layer("more", map[string]string{"nodejs/node_modules/dep/index.js": "module.exports = 2"}),
	}
	env := func(stage string) *types.Environment {
		return &types.Environment{Variables: map[string]string{"TOKEN": plantedEnv, "STAGE": stage}}
	}
	_, err := b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: &name,
		Role: aws.String("arn:aws:iam::123456789012:role/service/shop"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code:   &types.FunctionCode{ZipFile: zipOf(map[string]string{"index.js": "exports.handler = async () => 1"})},
		Layers: layers[:1], Architectures: []types.Architecture{types.ArchitectureArm64}, Description: aws.String("the shop"),
		Environment: env("one"), MemorySize: aws.Int32(256), Timeout: aws.Int32(17),
		VpcConfig:        &types.VpcConfig{SubnetIds: []string{"subnet-0123456789abcdef0"}, SecurityGroupIds: []string{"sg-0123456789abcdef0"}},
		DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:dead")},
		TracingConfig:    &types.TracingConfig{Mode: types.TracingModeActive}, EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(1024)},
		LoggingConfig: &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelDebug},
		Tags:          map[string]string{"team": "checkout", "cost:center": "42"},
	})
	ok(b, 0, err)
	b.wait(name)
	publish := func(description string) string {
		b.t.Helper()
		out, err := b.api.PublishVersion(b.ctx, &lambda.PublishVersionInput{FunctionName: &name, Description: &description})
		v := *ok(b, out, err).Version
		r := b.s.newRun(&Snapshot{Function: name}, Choices{}, nil, nil)
		ok(b, 0, r.waitActive(b.ctx, name, v))
		return v
	}
	one := publish("first")
	_, err = b.api.UpdateFunctionCode(b.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name,
		Architectures: []types.Architecture{types.ArchitectureArm64}, ZipFile: zipOf(map[string]string{"index.js": "exports.handler = async () => 2"})})
	ok(b, 0, err)
	b.wait(name)
	_, err = b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, Layers: layers, Environment: env("two")})
	ok(b, 0, err)
	b.wait(name)
	dropped := publish("nobody uses this one")
	_, err = b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, MemorySize: aws.Int32(512)})
	ok(b, 0, err)
	b.wait(name)
	three := publish("third")
	if dropped == three || one == three {
		b.t.Fatalf("versions %s %s %s", one, dropped, three)
	}
	_, err = b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, Timeout: aws.Int32(19)})
	ok(b, 0, err)
	b.wait(name)

	_, err = b.api.CreateAlias(b.ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: &three,
		Description: aws.String("what callers use"), RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{one: 0.25}}})
	ok(b, 0, err)
	_, err = b.api.CreateAlias(b.ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("old"), FunctionVersion: &one})
	ok(b, 0, err)
	for _, in := range []*lambda.AddPermissionInput{
		{StatementId: aws.String("bucket"), Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::uploads"), SourceAccount: aws.String("123456789012")},
		{StatementId: aws.String("skill"), Principal: aws.String("alexa-appkit.amazon.com"), EventSourceToken: aws.String(plantedToken)},
		{StatementId: aws.String("topic"), Principal: aws.String("sns.amazonaws.com"), SourceArn: aws.String("arn:aws:sns:eu-central-1:123456789012:orders"), Qualifier: aws.String("live")},
		{StatementId: aws.String("rule"), Principal: aws.String("events.amazonaws.com"), Qualifier: &one},
	} {
		in.FunctionName, in.Action = &name, aws.String("lambda:InvokeFunction")
		_, err := b.api.AddPermission(b.ctx, in)
		ok(b, 0, err)
	}
	for queue, target := range map[string]string{"orders": name, "live": name + ":live", "old": name + ":" + one, "paused": name} {
		_, err := b.api.CreateEventSourceMapping(b.ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &target,
			EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:" + queue), BatchSize: aws.Int32(7), Enabled: aws.Bool(queue != "paused"),
			FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"body":{"a":[1]}}`)}}}})
		ok(b, 0, err)
	}
	_, err = b.api.CreateFunctionUrlConfig(b.ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: &name, Qualifier: aws.String("live"),
		AuthType: types.FunctionUrlAuthTypeAwsIam, InvokeMode: types.InvokeModeResponseStream, Cors: &types.Cors{AllowOrigins: []string{"https://shop.example"}}})
	ok(b, 0, err)
	_, err = b.api.PutFunctionConcurrency(b.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(5)})
	ok(b, 0, err)
	_, err = b.api.PutProvisionedConcurrencyConfig(b.ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: &name, Qualifier: aws.String("old"), ProvisionedConcurrentExecutions: aws.Int32(2)})
	ok(b, 0, err)
	_, err = b.api.PutFunctionEventInvokeConfig(b.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(120)})
	ok(b, 0, err)
	_, err = b.api.PutFunctionEventInvokeConfig(b.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, Qualifier: aws.String("live"), MaximumRetryAttempts: aws.Int32(1),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:123456789012:failed")}}})
	ok(b, 0, err)
	_, err = b.api.PutFunctionRecursionConfig(b.ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: &name, RecursiveLoop: types.RecursiveLoopAllow})
	ok(b, 0, err)
	b.settled(name)
}

// settled waits until no mapping and no provisioned concurrency is on its way.
func (b *bench) settled(name string) {
	b.t.Helper()
	err := poll(b.ctx, time.Minute, func(ctx context.Context) (bool, error) {
		snap, err := b.s.Capture(ctx, name)
		if err != nil {
			return false, err
		}
		for _, a := range snap.All(snapshot.KindMapping) {
			m := must(snapshot.Decode[types.EventSourceMappingConfiguration](a.Value))
			if s := aws.ToString(m.State); s != "Enabled" && s != "Disabled" {
				return false, nil
			}
		}
		for _, a := range snap.All(snapshot.KindProvisioned) {
			if must(snapshot.Decode[types.ProvisionedConcurrencyConfigListItem](a.Value)).Status != types.ProvisionedConcurrencyStatusEnumReady {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) capture(name string) *Snapshot {
	b.t.Helper()
	snap, err := b.s.Capture(b.ctx, name)
	return ok(b, snap, err)
}

// names lists the account's functions.
func (b *bench) names() []string {
	b.t.Helper()
	var names []string
	pages := lambda.NewListFunctionsPaginator(b.api, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(b.ctx)
		for _, f := range ok(b, page, err).Functions {
			names = append(names, *f.FunctionName)
		}
	}
	return names
}
