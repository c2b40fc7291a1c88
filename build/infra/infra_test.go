package infra_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/optlift/optlift/build/infra"
)

func number(n int) *int { return &n }

// whole is a function that has everything.
func whole() *infra.Function {
	return &infra.Function{
		Name: "orders", Region: "eu-central-1", Account: "123456789012", Repository: "team/orders",
		Role: "arn:aws:iam::123456789012:role/orders", Description: `takes "orders" for ${you} & 100%{me}: it's all`, Architecture: "arm64",
		MemoryMB: 512, TimeoutSec: 30, EphemeralMB: 1024, EnvNames: []string{"DB_URL", "STAGE", "db_url"},
		Subnets: []string{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"}, Groups: []string{"sg-0123456789abcdef0"}, IPv6: true,
		DeadLetter: "arn:aws:sqs:eu-central-1:123456789012:dead", Tracing: "Active",
		FileSystems: []infra.FileSystem{{ARN: "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0", Path: "/mnt/data"}},
		KMSKey:      "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
		Logging:     &infra.Logging{Format: "JSON", ApplicationLevel: "INFO", SystemLevel: "WARN", Group: "/team/orders"},
		Reserved:    number(0), AllowRecursion: true, Tags: map[string]string{"team": "shop", "cost center": "4 & 5"},
		Aliases: []infra.Alias{{Name: "live", Description: "what customers use", Provisioned: 2}, {Name: "next"}},
		Permissions: []infra.Permission{
			{ID: "bucket", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com", SourceARN: "arn:aws:s3:::uploads", SourceAccount: "123456789012"},
			{ID: "bucket", Qualifier: "live", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com", SourceARN: "arn:aws:s3:::uploads", SourceAccount: "123456789012"},
			{ID: "org", Action: "lambda:InvokeFunction", Principal: "*", OrgID: "o-0123456789"},
			{ID: "alexa", Action: "lambda:InvokeFunction", Principal: "alexa-appkit.amazon.com", Token: true},
			{ID: "url", Qualifier: "live", Action: "lambda:InvokeFunctionUrl", Principal: "*", URLAuth: "NONE"},
		},
		URLs: []infra.URL{{Qualifier: "live", Auth: "NONE", InvokeMode: "BUFFERED", CORS: map[string]any{"AllowOrigins": []any{"https://example.com"}, "MaxAge": 60}}},
		Async: []infra.Async{
			{AgeSec: number(60), Retries: number(0)},
			{Qualifier: "live", Retries: number(1), OnFailure: "arn:aws:sqs:eu-central-1:123456789012:failed", OnSuccess: "arn:aws:sns:eu-central-1:123456789012:done"},
		},
		Mappings: []infra.Mapping{
			{Settings: map[string]any{
				"EventSourceArn": "arn:aws:sqs:eu-central-1:123456789012:orders", "BatchSize": 7, "Enabled": true,
				"FilterCriteria":        map[string]any{"Filters": []any{map[string]any{"Pattern": `{"body":{"a":["${x}"]}}`}}},
				"FunctionResponseTypes": []any{"ReportBatchItemFailures"}, "ScalingConfig": map[string]any{"MaximumConcurrency": 5},
			}},
			{Qualifier: "live", Settings: map[string]any{
				"EventSourceArn":   "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks",
				"StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": true, "ParallelizationFactor": 2, "MaximumRetryAttempts": 3,
				"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": "arn:aws:sqs:eu-central-1:123456789012:failed"}},
			}},
			{Settings: map[string]any{
				"SelfManagedEventSource":     map[string]any{"Endpoints": map[string]any{"KAFKA_BOOTSTRAP_SERVERS": []any{"a.example.com:9092", "b.example.com:9092"}}},
				"Topics":                     []any{"orders"},
				"StartingPosition":           "LATEST",
				"SourceAccessConfigurations": []any{map[string]any{"Type": "SASL_SCRAM_512_AUTH", "URI": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:kafka-AbCdEf"}},
			}},
		},
		Notes: []string{"the alias live had weights;\nthey are gone"},
	}
}

func least() *infra.Function {
	return &infra.Function{
		Name: "tiny", Region: "us-gov-west-1", Account: "123456789012", Repository: "tiny", Role: "arn:aws-us-gov:iam::123456789012:role/tiny",
		Architecture: "x86_64", Image: "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/tiny@sha256:" + strings.Repeat("0a", 32),
	}
}

// tool finds a validator that is not ours, and says plainly when there is none.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not here: this output was not validated by it", name)
	}
	return path
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(name), err, out)
	}
}

func keep(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTemplatesPassCfnLint(t *testing.T) {
	lint := tool(t, "cfn-lint")
	for name, f := range map[string]*infra.Function{"whole": whole(), "least": least()} {
		t.Run(name, func(t *testing.T) {
			run(t, lint, "--regions", f.Region, "--", keep(t, "cfn.yaml", infra.CloudFormation(f)), keep(t, "sam.yaml", infra.SAM(f)))
		})
	}
}

func TestTerraformIsFormatted(t *testing.T) {
	terraform := tool(t, "terraform")
	for _, f := range []*infra.Function{whole(), least()} {
		run(t, terraform, "fmt", "-check", "-diff", keep(t, "function.tf", infra.Terraform(f)))
	}
}

func TestScriptIsAScript(t *testing.T) {
	sh := tool(t, "sh")
	for _, f := range []*infra.Function{whole(), least()} {
		run(t, sh, "-n", keep(t, "create.sh", infra.CLI(f)))
	}
}

// TestContent holds what matters against each output by its own words.
func TestContent(t *testing.T) {
	for kind, want := range map[string][]string{
		"cloudformation": {
			"NOTE: the alias live had weights; they are gone", `FunctionName: "orders"`, `PackageType: "Image"`, "ImageUri: !Ref Image",
			"ReservedConcurrentExecutions: 0", "NoEcho: true", `"DB_URL": !Ref EnvDbUrl`, `"db_url": !Ref EnvDbUrl2`, "FunctionVersion: !GetAtt Version.Version",
			"EventSourceToken: !Ref TokenAlexa", "FunctionName: !Ref AliasLive", "Qualifier: \"$LATEST\"", "KafkaBootstrapServers:", `RecursiveLoop: "Allow"`,
			"DependsOn: \"AliasLive\"", "ProvisionedConcurrentExecutions: 2", `Principal: "alexa-appkit.amazon.com"`,
		},
		"sam": {"Transform: AWS::Serverless-2016-10-31", "Type: \"AWS::Serverless::Function\"", "ImageUri: !Ref Image", `Type: "SQS"`, `Tracing: "Active"`},
		"cdk": {
			"new lambda.CfnFunction(this, 'Function', {", "imageUri: imageParameter.valueAsString", "noEcho: true", "reservedConcurrentExecutions: 0",
			"functionVersion: versionResource.attrVersion", "DB_URL: envDbUrlParameter.valueAsString", "principalOrgId:", "uri: \"arn:aws:secretsmanager",
			"ecr:BatchGetImage", "applyRemovalPolicy(RemovalPolicy.RETAIN)", "urlLiveResource.addDependency(aliasLiveResource);", `key: "cost center"`,
		},
		"terraform": {
			`package_type                   = "Image"`, "image_uri                      = var.image", "sensitive   = true", "variables = var.environment",
			`"takes \"orders\" for $${you} & 100%%{me}: it's all"`, "reserved_concurrent_executions = 0", "aws_lambda_alias.live.name", "aws_lambda_alias.live.arn",
			`KAFKA_BOOTSTRAP_SERVERS" = "a.example.com:9092,b.example.com:9092"`, "source_access_configuration {", "destination_arn = ", "event_source_token", `"permission_live_bucket"`,
		},
		"cli": {
			`--code ImageUri="$image"`, "--environment file://environment.json", "--reserved-concurrent-executions 0", "create-alias", "--qualifier live",
			`--event-source-token "${EVENT_SOURCE_TOKEN:?`, "put-provisioned-concurrency-config", `'takes "orders" for ${you} & 100%{me}: it'\''s all'`, "wait function-active-v2",
		},
	} {
		got, err := infra.Write(kind, whole())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %q", kind, w)
			}
		}
		if t.Failed() {
			t.Logf("%s:\n%s", kind, got)
		}
		again, _ := infra.Write(kind, whole())
		if again != got {
			t.Errorf("%s differs from one time to the next", kind)
		}
		if infra.File(kind) == "" {
			t.Errorf("%s has no file name", kind)
		}
	}
	if len(infra.Kinds()) != 5 {
		t.Errorf("kinds: %v", infra.Kinds())
	}
	if _, err := infra.Write("pulumi", least()); err == nil {
		t.Error("pulumi was written")
	}
}
