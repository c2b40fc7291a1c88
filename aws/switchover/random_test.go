package switchover

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/aws/switchover/snapshot/snapshottest"
)

// randomFunctions is how many TestRandomFunctions makes. The long form is
//
//	go test ./aws/switchover -run TestRandomFunctions -functions 500 -timeout 30m
var randomFunctions = flag.Int("functions", 8, "how many random functions are migrated and rolled back")

// Any mix of settings and attachments survives the switch and the way back, but
// for what the plan lists as lost.
func TestRandomFunctions(t *testing.T) {
	t.Parallel()
	const workers = 4
	each := max(1, *randomFunctions/workers)
	if testing.Short() {
		each = 1
	}
	if err := flag.Set("rapid.checks", strconv.Itoa(each)); err != nil {
		t.Fatal(err)
	}
	for n := range workers {
		t.Run(fmt.Sprint("account ", n), func(t *testing.T) {
			t.Parallel()
			shared, dir := newBench(t), t.TempDir()
			count := 0
			rapid.Check(t, func(rt *rapid.T) {
				count++
				s := *shared.s
				b := &bench{t: rt, ctx: shared.ctx, server: shared.server, api: shared.api, s: &s, state: filepath.Join(dir, fmt.Sprint(count))}
				s.config.StateDir = b.state
				b.thereAndBack(rt, fmt.Sprintf("shop%d", count))
				if err := os.RemoveAll(b.state); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// thereAndBack migrates and rolls back one random function.
func (b *bench) thereAndBack(rt *rapid.T, name string) {
	defer b.forget(name, besideName(name))
	b.random(rt, name)
	b.settled(name)
	before := b.capture(name)
	c := Choices{Strategy: rapid.SampledFrom([]Strategy{Replace, Replace, Beside}).Draw(rt, "strategy"),
		Accept: []string{"function-url", "code-signing"}}
	plan := PlanFor(before, c)
	if len(plan.Blockers) > 0 {
		rt.Fatalf("blocked by %v", plan.Blockers)
	}
	res, err := b.s.Apply(b.ctx, before, plan, c, b.emit)
	if err != nil {
		rt.Fatalf("%+v: %v", res, err)
	}
	lost := ids(plan.Lost)
	if c.Strategy == Beside {
		b.movedBeside(before, name)
	} else {
		b.equalBut(before, true, lost)
	}
	if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		rt.Fatalf("%+v: %v", res, err)
	}
	b.equalBut(before, false, lost)
	if got := b.names(); !slices.Equal(got, []string{name}) {
		rt.Errorf("functions %v", got)
	}
	b.noSecrets()
}

// equalBut is sameAs, except for what the plan has listed as lost.
func (b *bench) equalBut(before *Snapshot, image bool, lost []string) {
	b.t.Helper()
	after := b.capture(before.Function)
	want, got := must(snapshottest.Portrait(before, image)), must(snapshottest.Portrait(after, image))
	if slices.Contains(lost, "code-signing") {
		for _, p := range []map[string]any{want, got} {
			maps.DeleteFunc(p, func(key string, _ any) bool { return strings.HasPrefix(key, snapshot.KindCodeSigning) })
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		b.t.Errorf("%s is not what it was (-before +after):\n%s", before.Function, d)
	}
	if c := must(after.ConfigOf("")); (c.PackageType == types.PackageTypeImage) != image || !image && after.CodeSHA256 != before.CodeSHA256 {
		b.t.Errorf("%s is a %s of other code", before.Function, c.PackageType)
	}
}

// dice draws parts of a function.
type dice struct{ *rapid.T }

func (d dice) yes(label string) bool { return rapid.Bool().Draw(d.T, label) }

func (d dice) number(label string, low, high int32) int32 {
	return rapid.Int32Range(low, high).Draw(d.T, label)
}

func pick[T any](d dice, label string, from ...T) T { return rapid.SampledFrom(from).Draw(d.T, label) }

// text is any text that AWS takes as a value.
func (d dice) text(label string) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune("aZ09 _-\"\\'<&{}$`;\n\té漢🙂")), 1, 30, -1).Draw(d.T, label)
}

func (d dice) environment() *types.Environment {
	if !d.yes("environment") {
		return nil
	}
	vars := map[string]string{"TOKEN": plantedEnv}
	for n := range d.number("variables", 0, 4) {
		vars[fmt.Sprintf("VAR_%d", n)] = d.text("value")
	}
	return &types.Environment{Variables: vars}
}

// kind is a runtime with what its functions need.
type kind struct {
	runtime types.Runtime
	handler string
	files   map[string]string
}

var kinds = []kind{
	{types.RuntimeNodejs22x, "index.handler", map[string]string{"index.js": "exports.handler = async () => %d"}},
	{types.RuntimePython313, "app.main", map[string]string{"app.py": "def main(event, context): return %d", "lib/x.py": ""}},
	{types.RuntimeProvidedal2023, "any.thing", map[string]string{"bootstrap": "#!/bin/sh\necho %d"}},
}

// code is one of a few archives of a kind.
func (k kind) code(variant int32) []byte {
	files := map[string]string{}
	for name, text := range k.files {
		files[name] = strings.ReplaceAll(text, "%d", fmt.Sprint(variant))
	}
	return zipOf(files)
}

// random makes a function with any mix of settings and attachments.
func (b *bench) random(rt *rapid.T, name string) {
	d := dice{rt}
	kind := pick(d, "runtime", kinds...)
	architectures := []types.Architecture{pick(d, "architecture", types.ArchitectureArm64, types.ArchitectureX8664)}
	in := &lambda.CreateFunctionInput{FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/service/shop"),
		Runtime: kind.runtime, Handler: &kind.handler, Architectures: architectures, Code: &types.FunctionCode{ZipFile: kind.code(0)},
		Environment: d.environment(), Layers: b.layersFor(d),
		MemorySize: aws.Int32(d.number("memory", 128, 10240)), Timeout: aws.Int32(d.number("timeout", 1, 900)),
	}
	if d.yes("description") {
		in.Description = aws.String(d.text("description"))
	}
	d.network(in)
	d.extras(in, name)
	if d.yes("signed") {
		out, err := b.api.CreateCodeSigningConfig(b.ctx, &lambda.CreateCodeSigningConfigInput{AllowedPublishers: &types.AllowedPublishers{
			SigningProfileVersionArns: []string{"arn:aws:signer:eu-central-1:123456789012:/signing-profiles/shop/abcdef0123"}}})
		in.CodeSigningConfigArn = ok(b, out, err).CodeSigningConfig.CodeSigningConfigArn
	}
	_, err := b.api.CreateFunction(b.ctx, in)
	ok(b, 0, err)
	b.wait(name)
	versions := b.publishSome(d, name, kind, architectures)
	aliases := b.aliasSome(d, name, versions)
	b.attachSome(d, name, versions, aliases)
}

// layersFor are up to three layers, in any order.
func (b *bench) layersFor(d dice) []string {
	var layers []string
	for _, n := range rapid.Permutation([]int{0, 1, 2}).Draw(d.T, "layers")[:d.number("layer count", 0, 3)] {
		layers = append(layers, b.layer(fmt.Sprint("layer", n), map[string]string{fmt.Sprintf("lib/of%d", n): "x", "lib/all": fmt.Sprint(n)}))
	}
	return layers
}

// network gives it a VPC, with a file system perhaps.
func (d dice) network(in *lambda.CreateFunctionInput) {
	if !d.yes("VPC") {
		return
	}
	in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-0123456789abcdef0"}, SecurityGroupIds: []string{"sg-0123456789abcdef0", "sg-0123456789abcdef1"}}
	if d.yes("IPv6") {
		in.VpcConfig.Ipv6AllowedForDualStack = aws.Bool(true)
	}
	if d.yes("file system") {
		in.FileSystemConfigs = []types.FileSystemConfig{{LocalMountPath: aws.String("/mnt/data"),
			Arn: aws.String("arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0")}}
	}
}

// extras are the settings that most functions do without.
func (d dice) extras(in *lambda.CreateFunctionInput, name string) {
	if d.yes("dead letters") {
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sns:eu-central-1:123456789012:dead")}
	}
	if d.yes("tracing") {
		in.TracingConfig = &types.TracingConfig{Mode: pick(d, "mode", types.TracingModeActive, types.TracingModePassThrough)}
	}
	if d.yes("storage") {
		in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(d.number("size", 512, 10240))}
	}
	switch pick(d, "logging", "", "text", "json", "group", "own group") {
	case "text":
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText}
	case "json":
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelError, SystemLogLevel: types.SystemLogLevelWarn}
	case "group":
		in.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("everybody")}
	case "own group":
		in.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("/aws/lambda/" + name), LogFormat: types.LogFormatJson}
	}
	if d.yes("key") {
		in.KMSKeyArn = aws.String("arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef")
	}
	if d.yes("durable") {
		in.DurableConfig = &types.DurableConfig{ExecutionTimeout: aws.Int32(d.number("execution", 60, 3600)), RetentionPeriodInDays: aws.Int32(7)}
	}
	if in.Runtime == types.RuntimePython313 && len(in.FileSystemConfigs) == 0 && in.EphemeralStorage == nil && d.yes("SnapStart") {
		in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
	}
	if n := pick(d, "tags", 0, 1, 3, maxTags-1, maxTags); n > 0 {
		in.Tags = map[string]string{}
		for i := range n {
			in.Tags[fmt.Sprintf("team:%d", i)] = "of + " + fmt.Sprint(i)
		}
	}
}

// publishSome publishes versions, each described otherwise. AWS publishes nothing
// where nothing has changed.
func (b *bench) publishSome(d dice, name string, kind kind, architectures []types.Architecture) []string {
	var versions []string
	for n := range d.number("versions", 0, 3) {
		if d.yes("other code") {
			_, err := b.api.UpdateFunctionCode(b.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &name, Architectures: architectures,
				ZipFile: kind.code(d.number("code", 0, 2))})
			ok(b, 0, err)
			b.wait(name)
		}
		if d.yes("other settings") {
			env := d.environment()
			if env == nil {
				env = &types.Environment{}
			}
			layers := b.layersFor(d)
			if layers == nil {
				layers = []string{}
			}
			_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name,
				Environment: env, Layers: layers, MemorySize: aws.Int32(pick(d, "memory", int32(128), 256)),
				Description: aws.String(pick(d, "description", "", "another"))})
			ok(b, 0, err)
			b.wait(name)
		}
		out, err := b.api.PublishVersion(b.ctx, &lambda.PublishVersionInput{FunctionName: &name, Description: aws.String(fmt.Sprintf("version %d of %s", n, name))})
		number := *ok(b, out, err).Version
		if !slices.Contains(versions, number) {
			versions = append(versions, number)
		}
		r := b.s.newRun(&Snapshot{Function: name}, Choices{}, nil, nil)
		ok(b, 0, r.waitActive(b.ctx, name, number))
	}
	if d.yes("changed since") {
		_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &name, Timeout: aws.Int32(d.number("timeout", 1, 900))})
		ok(b, 0, err)
		b.wait(name)
	}
	return versions
}

func (b *bench) aliasSome(d dice, name string, versions []string) []string {
	var aliases []string
	for n := range d.number("aliases", 0, 3) {
		if len(versions) == 0 {
			break
		}
		in := &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String(fmt.Sprint("alias", n)), FunctionVersion: aws.String(pick(d, "version", versions...))}
		if d.yes("description") {
			in.Description = aws.String(d.text("description"))
		}
		if other := pick(d, "other", versions...); other != *in.FunctionVersion && d.yes("weights") {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{other: float64(d.number("percent", 1, 99)) / 100}}
		}
		_, err := b.api.CreateAlias(b.ctx, in)
		ok(b, 0, err)
		aliases = append(aliases, *in.Name)
	}
	return aliases
}

// statements are permissions of every shape that AddPermission takes.
var statements = []lambda.AddPermissionInput{
	{Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::uploads"), SourceAccount: aws.String("123456789012")},
	{Principal: aws.String("alexa-appkit.amazon.com"), EventSourceToken: aws.String(plantedToken)},
	{Principal: aws.String("arn:aws:iam::210987654321:root")},
	{Principal: aws.String("*"), PrincipalOrgID: aws.String("o-a1b2c3d4e5")},
	{Principal: aws.String("*"), Action: aws.String("lambda:InvokeFunctionUrl"), FunctionUrlAuthType: types.FunctionUrlAuthTypeNone},
	{Principal: aws.String("events.amazonaws.com"), Action: aws.String("lambda:GetFunction")},
}

// attachSome hangs things on the function, its versions and aliases.
func (b *bench) attachSome(d dice, name string, versions, aliases []string) {
	everywhere := slices.Concat([]string{""}, versions, aliases)
	for i, st := range statements {
		for range d.number("permissions", 0, 1) {
			in := st
			in.FunctionName, in.StatementId = &name, aws.String(fmt.Sprint("sid", i))
			in.Qualifier = optional(pick(d, "of", everywhere...))
			if in.Action == nil {
				in.Action = aws.String("lambda:InvokeFunction")
			}
			_, err := b.api.AddPermission(b.ctx, &in)
			ok(b, 0, err)
		}
	}
	if d.yes("policy as a whole") {
		arn := "arn:aws:lambda:eu-central-1:123456789012:function:" + name + colon(pick(d, "of", everywhere...))
		document := `{"Version":"2012-10-17","Statement":[{"Sid":"home","Effect":"Allow","Principal":{"AWS":"210987654321"},"Action":["lambda:InvokeFunction","lambda:GetFunction"],` +
			`"Resource":"` + arn + `","Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}}}]}`
		_, err := b.api.PutResourcePolicy(b.ctx, &lambda.PutResourcePolicyInput{ResourceArn: &arn, Policy: &document})
		ok(b, 0, err)
	}
	b.mapSome(d, name, everywhere)
	b.addressSome(d, name, append([]string{""}, aliases...))
	b.limitSome(d, name, append(slices.Clone(versions), aliases...))
	for _, q := range everywhere {
		if !d.yes("async") {
			continue
		}
		in := &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &name, Qualifier: optional(q), MaximumRetryAttempts: aws.Int32(d.number("retries", 0, 2))}
		if d.yes("age") {
			in.MaximumEventAgeInSeconds = aws.Int32(d.number("age", 60, 21600))
		}
		if d.yes("destinations") {
			in.DestinationConfig = &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:sqs:eu-central-1:123456789012:done")}}
		}
		_, err := b.api.PutFunctionEventInvokeConfig(b.ctx, in)
		ok(b, 0, err)
	}
	if d.yes("recursion") {
		_, err := b.api.PutFunctionRecursionConfig(b.ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: &name, RecursiveLoop: types.RecursiveLoopAllow})
		ok(b, 0, err)
	}
}

// sources are event sources of every kind.
var sources = []lambda.CreateEventSourceMappingInput{
	{EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q"), BatchSize: aws.Int32(7), FunctionResponseTypes: []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures},
		ScalingConfig: &types.ScalingConfig{MaximumConcurrency: aws.Int32(5)}},
	{EventSourceArn: aws.String("arn:aws:kinesis:eu-central-1:123456789012:stream/s"), StartingPosition: types.EventSourcePositionTrimHorizon, BisectBatchOnFunctionError: aws.Bool(true),
		MaximumRetryAttempts: aws.Int32(3), ParallelizationFactor: aws.Int32(2), TumblingWindowInSeconds: aws.Int32(30),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:123456789012:failed")}}},
	{EventSourceArn: aws.String("arn:aws:dynamodb:eu-central-1:123456789012:table/t/stream/2026-01-01T00:00:00.000"), StartingPosition: types.EventSourcePositionLatest,
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{Pattern: aws.String(`{"eventName":["INSERT"]}`)}}}},
	{EventSourceArn: aws.String("arn:aws:kafka:eu-central-1:123456789012:cluster/c/01234567-89ab-cdef-0123-456789abcdef-1"), StartingPosition: types.EventSourcePositionLatest, Topics: []string{"orders"},
		AmazonManagedKafkaEventSourceConfig: &types.AmazonManagedKafkaEventSourceConfig{ConsumerGroupId: aws.String("group")}},
	{EventSourceArn: aws.String("arn:aws:mq:eu-central-1:123456789012:broker:b:b-0123"), Queues: []string{"orders"},
		SourceAccessConfigurations: []types.SourceAccessConfiguration{{Type: types.SourceAccessTypeBasicAuth, URI: aws.String("arn:aws:secretsmanager:eu-central-1:123456789012:secret:mq")}}},
}

func (b *bench) mapSome(d dice, name string, everywhere []string) {
	for _, source := range sources {
		if !d.yes("mapping") {
			continue
		}
		in := source
		in.FunctionName = aws.String(name + colon(pick(d, "of", everywhere...)))
		in.Enabled = aws.Bool(d.yes("enabled"))
		_, err := b.api.CreateEventSourceMapping(b.ctx, &in)
		ok(b, 0, err)
	}
}

func (b *bench) addressSome(d dice, name string, qualifiers []string) {
	for _, q := range qualifiers {
		if pick(d, "URL", true, false, false) {
			in := &lambda.CreateFunctionUrlConfigInput{FunctionName: &name, Qualifier: optional(q), AuthType: pick(d, "auth", types.FunctionUrlAuthType("").Values()...),
				InvokeMode: pick(d, "invoke mode", types.InvokeMode("").Values()...)}
			if d.yes("CORS") {
				in.Cors = &types.Cors{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "POST"}, MaxAge: aws.Int32(d.number("age", 0, 86400))}
			}
			_, err := b.api.CreateFunctionUrlConfig(b.ctx, in)
			ok(b, 0, err)
		}
	}
}

func (b *bench) limitSome(d dice, name string, qualifiers []string) {
	reserved := pick(d, "reserved", -1, 0, 9)
	if reserved >= 0 {
		_, err := b.api.PutFunctionConcurrency(b.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: aws.Int32(int32(reserved))})
		ok(b, 0, err)
	}
	if reserved == 0 || len(qualifiers) == 0 || !d.yes("provisioned") {
		return
	}
	_, err := b.api.PutProvisionedConcurrencyConfig(b.ctx, &lambda.PutProvisionedConcurrencyConfigInput{FunctionName: &name,
		Qualifier: aws.String(pick(d, "of", qualifiers...)), ProvisionedConcurrentExecutions: aws.Int32(d.number("count", 1, 4))})
	ok(b, 0, err)
}
