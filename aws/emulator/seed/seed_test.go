package seed_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
)

// start serves a seeded account to the SDK's client.
func start(t *testing.T, functions int) *lambda.Client {
	t.Helper()
	s, err := emulator.Start(t.Context(), emulator.Options{Functions: functions})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return lambda.New(lambda.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(s.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEMULATOR00000000", "emulator", ""),
	})
}

func list(t *testing.T, c *lambda.Client) []types.FunctionConfiguration {
	t.Helper()
	var all []types.FunctionConfiguration
	for p := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Functions...)
	}
	return all
}

func TestExactlyAsMany(t *testing.T) {
	for _, n := range []int{1, 7, 64, 1000} {
		names := map[string]bool{}
		for _, f := range list(t, start(t, n)) {
			names[*f.FunctionName] = true
		}
		if len(names) != n {
			t.Errorf("%d functions asked for, %d made", n, len(names))
		}
	}
}

func TestTheSameEveryTime(t *testing.T) {
	describe := func() string {
		var b strings.Builder
		for _, f := range list(t, start(t, 80)) {
			var layers []string
			for _, l := range f.Layers {
				layers = append(layers, *l.Arn)
			}
			fmt.Fprintln(&b, *f.FunctionName, *f.CodeSha256, *f.Description, f.Runtime, f.Architectures, *f.MemorySize, layers)
		}
		return b.String()
	}
	if first, again := describe(), describe(); first != again {
		t.Errorf("two accounts differ:\n%s\n%s", first, again)
	}
}

func TestTheAccountHoldsAllItShould(t *testing.T) {
	c := start(t, 64)
	runtimes, architectures, layers := map[types.Runtime]int{}, map[types.Architecture]int{}, map[string]int{}
	images := 0
	for _, f := range list(t, c) {
		runtimes[f.Runtime]++
		architectures[f.Architectures[0]]++
		for _, l := range f.Layers {
			layers[*l.Arn]++
		}
		if f.PackageType == types.PackageTypeImage {
			images++
		}
	}
	for _, r := range []types.Runtime{"nodejs24.x", "nodejs22.x", "nodejs20.x", "nodejs18.x", "python3.13", "python3.12", "python3.9", "java21", "ruby3.4", "dotnet8", "provided.al2023", "provided.al2"} {
		if runtimes[r] == 0 {
			t.Errorf("no function of %s", r)
		}
	}
	if architectures[types.ArchitectureArm64] < 10 || architectures[types.ArchitectureX8664] < 10 || images != 1 {
		t.Errorf("architectures are %v, images %d", architectures, images)
	}
	shared := 0
	for _, n := range layers {
		if n > 3 {
			shared++
		}
	}
	if shared < 3 {
		t.Errorf("layers are used as %v", layers)
	}

	get := func(name string) *lambda.GetFunctionOutput {
		t.Helper()
		out, err := c.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &name})
		if err != nil {
			t.Fatal(err)
		}
		if out.Configuration.State != types.StateActive || out.Configuration.LastUpdateStatus != types.LastUpdateStatusSuccessful {
			t.Errorf("%s is %s, %s", name, out.Configuration.State, aws.ToString(out.Configuration.StateReason))
		}
		return out
	}
	if tags := get("web-storefront").Tags; tags["aws:cloudformation:stack-name"] != "web-production" || !strings.HasPrefix(tags["aws:cloudformation:stack-id"], "arn:aws:cloudformation:eu-central-1:123456789012:stack/web-production/") {
		t.Errorf("the stack's function has tags %v", tags)
	}
	if tags := get("accounts-signup-api").Tags; tags["lambda:createdBy"] != "SAM" {
		t.Errorf("the SAM function has tags %v", tags)
	}
	if description := *get("support-notes").Configuration.Description; !strings.ContainsAny(description, "\x1b") || !strings.Contains(description, "\u202e") {
		t.Errorf("the description %q is harmless", description)
	}
	if cfg := get("billing-invoice-run").Configuration; cfg.VpcConfig == nil || cfg.KMSKeyArn == nil || cfg.DeadLetterConfig == nil || len(cfg.FileSystemConfigs) != 1 || cfg.SnapStart.ApplyOn != types.SnapStartApplyOnPublishedVersions {
		t.Errorf("the invoice run has %+v", cfg)
	}
	if out := get("data-paused"); out.Concurrency == nil || *out.Concurrency.ReservedConcurrentExecutions != 0 {
		t.Errorf("the paused function has concurrency %v", out.Concurrency)
	}
	if code := get("media-thumbnails").Code; aws.ToString(code.RepositoryType) != "ECR" || !strings.Contains(*code.ResolvedImageUri, "/media/thumbnails@sha256:") {
		t.Errorf("the image function has code %+v", code)
	}

	deleted := get("billing-tax").Configuration.Layers[0].Arn
	_, err := c.GetLayerVersionByArn(t.Context(), &lambda.GetLayerVersionByArnInput{Arn: deleted})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("the deleted layer: %v", err)
	}
	_, err = c.GetLayerVersionByArn(t.Context(), &lambda.GetLayerVersionByArnInput{Arn: get("shipping-geo").Configuration.Layers[0].Arn})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("the withdrawn layer: %v", err)
	}
}

func TestAttachments(t *testing.T) {
	c := start(t, 64)
	ctx := t.Context()
	alias, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: aws.String("orders-checkout"), Name: aws.String("live")})
	if err != nil || *alias.FunctionVersion != "3" || alias.RoutingConfig.AdditionalVersionWeights["4"] != 0.1 {
		t.Errorf("alias is %+v, %v", alias, err)
	}
	for _, qualifier := range []*string{nil, aws.String("live")} {
		policy, err := c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: aws.String("orders-quote"), Qualifier: qualifier})
		if err != nil || !strings.Contains(*policy.Policy, "amazonaws.com") {
			t.Errorf("policy of %v: %v, %v", aws.ToString(qualifier), policy, err)
		}
	}
	mappings, err := c.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	for _, m := range mappings.EventSourceMappings {
		states[strings.Split(*m.EventSourceArn, ":")[2]+" "+*m.State]++
	}
	if states["sqs Enabled"] != 2 || states["kinesis Enabled"] != 1 || states["dynamodb Disabled"] != 1 {
		t.Errorf("mappings are %v", states)
	}
	url, err := c.GetFunctionUrlConfig(ctx, &lambda.GetFunctionUrlConfigInput{FunctionName: aws.String("web-session")})
	if err != nil || !strings.HasPrefix(*url.FunctionUrl, "https://") {
		t.Errorf("URL is %v, %v", url, err)
	}
	ready, err := c.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("search-suggest"), Qualifier: aws.String("live")})
	if err != nil || ready.Status != types.ProvisionedConcurrencyStatusEnumReady {
		t.Errorf("provisioned concurrency is %+v, %v", ready, err)
	}
	async, err := c.GetFunctionEventInvokeConfig(ctx, &lambda.GetFunctionEventInvokeConfigInput{FunctionName: aws.String("billing-invoice-run")})
	if err != nil || *async.MaximumRetryAttempts != 0 {
		t.Errorf("asynchronous configuration is %+v, %v", async, err)
	}
}

func TestWhatRuns(t *testing.T) {
	c := start(t, 64)
	results := map[string]struct{ payload, want string }{
		"orders-quote":        {`{"items":[{"cents":1000},{"cents":250,"quantity":2}]}`, `{"net":1990,"tax":378,"total":"23.68 EUR"}`},
		"orders-checkout":     {`{"basket":[1]}`, `{"order":"0ecfdee60243","logger":"observability 1.0.3","hook":"1.0.3"}`},
		"media-thumbnails":    {`{"pictures":["a.png"]}`, `{"thumbnails":["a-small.png"]}`},
		"billing-tax":         {`{"country":"SE"}`, `{"country":"SE","rate":25}`},
		"shipping-geo":        {`{}`, `{"country":"DE"}`},
		"data-import":         {`{"rows":[1,2,3]}`, `3`},
		"web-session":         {`{"cookie":"abc"}`, `{"session":"abc","function":"web-session"}`},
		"risk-legacy-metrics": {`{}`, `"Extension.LaunchError"`},
		"risk-wrapper":        {`{}`, `exit status 127`},
		"data-private":        {`{}`, `permission denied`},
		"billing-invoice-run": {`{}`, `can't run the runtime java21`},
	}
	for _, f := range list(t, c) {
		name := *f.FunctionName
		if name == "data-paused" {
			continue // reserved concurrency of zero
		}
		expect, special := results[name]
		out, err := c.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(expect.payload)})
		if err != nil {
			t.Errorf("invoke %s: %v", name, err)
			continue
		}
		switch got := string(out.Payload); {
		case special:
			if !strings.Contains(got, expect.want) {
				t.Errorf("%s answers %s, want %s", name, got, expect.want)
			}
		case strings.HasPrefix(string(f.Runtime), "nodejs"):
			var answer struct{ StatusCode int }
			if json.Unmarshal(out.Payload, &answer) != nil || answer.StatusCode != 200 {
				t.Errorf("%s answers %s", name, got)
			}
		case !strings.Contains(got, "Runtime.NotRunnable") || !strings.Contains(got, string(f.Runtime)):
			t.Errorf("%s answers %s", name, got)
		}
	}
}

func TestNamesOfALargeAccount(t *testing.T) {
	all := list(t, start(t, 10000))
	var names []string
	for _, f := range all {
		names = append(names, *f.FunctionName)
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != 10000 {
		t.Errorf("%d different names", n)
	}
}
