package switchover

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

const testARN = "arn:aws:lambda:eu-central-1:123456789012:function:shop"

// sum is a base64 SHA-256 of nothing in particular.
const sum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func attached(kind, qualifier, name string, v any) snapshot.Attachment {
	return snapshot.Attachment{Kind: kind, Qualifier: qualifier, Name: name, Reading: snapshot.Present, Value: must(snapshot.Encode(v))}
}

// shop is a function without anything that stands against its switch.
func shop(change func(*types.FunctionConfiguration), attachments ...snapshot.Attachment) *Snapshot {
	c := types.FunctionConfiguration{
		FunctionName: aws.String("shop"), FunctionArn: aws.String(testARN), PackageType: types.PackageTypeZip,
		Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::123456789012:role/r"),
		State: types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful, CodeSha256: aws.String(sum), CodeSize: 1000,
		RevisionId: aws.String("rev-1"), Version: aws.String(snapshot.Latest),
		Environment: &types.EnvironmentResponse{Variables: map[string]string{"TOKEN": "hunter2-hunter2"}},
	}
	if change != nil {
		change(&c)
	}
	s := &Snapshot{Schema: 1, Account: "123456789012", Region: "eu-central-1", Function: "shop", ARN: testARN,
		Taken: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), RevisionID: "rev-1", CodeSHA256: sum,
		Config: must(snapshot.Encode(c)), Versions: []snapshot.Version{}, Attachments: attachments}
	s.Attachments = append(s.Attachments, attached(snapshot.KindCode, "", "", types.FunctionCodeLocation{RepositoryType: aws.String("S3")}))
	return s
}

// withVersions publishes copies of the configuration under numbers.
func withVersions(s *Snapshot, numbers ...string) *Snapshot {
	for _, n := range numbers {
		c := must(s.ConfigOf(""))
		c.Version = aws.String(n)
		s.Versions = append(s.Versions, snapshot.Version{Number: n, Config: must(snapshot.Encode(c))})
		s.Attachments = append(s.Attachments, attached(snapshot.KindCode, n, "", types.FunctionCodeLocation{}))
	}
	return s
}

func policyOf(qualifier string, statements ...string) snapshot.Attachment {
	document := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	return attached(snapshot.KindPolicy, qualifier, "", lambda.GetPolicyOutput{Policy: &document})
}

func alias(name, version string, weights map[string]float64) snapshot.Attachment {
	a := types.AliasConfiguration{Name: &name, FunctionVersion: &version}
	if weights != nil {
		a.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
	}
	return attached(snapshot.KindAlias, name, name, a)
}

func ids(notices []Notice) []string {
	var found []string
	for _, n := range notices {
		found = append(found, n.ID)
	}
	return found
}

func TestPreflight(t *testing.T) {
	layer := "arn:aws:lambda:eu-central-1:123456789012:layer:deps:3"
	withLayer := func(c *types.FunctionConfiguration) { c.Layers = []types.Layer{{Arn: &layer}} }
	for _, test := range []struct {
		name    string
		snap    *Snapshot
		choices Choices
		blocker string // "" is none
		warning string
		lost    string
	}{
		{name: "plain", snap: shop(nil), warning: "async-events", lost: "runtime-updates"},
		{name: "already an image", snap: shop(func(c *types.FunctionConfiguration) { c.PackageType = types.PackageTypeImage }), blocker: "already-image"},
		{name: "pending", snap: shop(func(c *types.FunctionConfiguration) { c.State = types.StatePending }), blocker: "not-active"},
		{name: "being updated", snap: shop(func(c *types.FunctionConfiguration) { c.LastUpdateStatus = types.LastUpdateStatusInProgress }), blocker: "not-active"},
		{name: "stack", snap: shop(nil, attached(snapshot.KindTags, "", "", lambda.ListTagsOutput{Tags: map[string]string{
			"aws:cloudformation:stack-name": "web", "aws:cloudformation:logical-id": "Shop"}})), blocker: "stack-managed"},
		{name: "stack, accepted", snap: shop(nil, attached(snapshot.KindTags, "", "", lambda.ListTagsOutput{Tags: map[string]string{
			"aws:cloudformation:stack-name": "web"}})), choices: Choices{Accept: []string{"stack-managed"}}, warning: "stack-managed"},
		{name: "edge replica", snap: shop(func(c *types.FunctionConfiguration) { c.MasterArn = aws.String(testARN) }), blocker: "edge"},
		{name: "edge can't be accepted", snap: shop(func(c *types.FunctionConfiguration) { c.MasterArn = aws.String(testARN) }),
			choices: Choices{Accept: []string{"edge"}}, blocker: "edge"},
		{name: "edge master", snap: shop(nil, policyOf("1", `{"Sid":"r","Effect":"Allow","Principal":{"Service":"replicator.lambda.amazonaws.com"},"Action":"lambda:GetFunction"}`)), blocker: "edge"},
		{name: "managed instances", snap: shop(func(c *types.FunctionConfiguration) { c.CapacityProviderConfig = &types.CapacityProviderConfig{} }), blocker: "managed-instances"},
		{name: "tenancy", snap: shop(func(c *types.FunctionConfiguration) { c.TenancyConfig = &types.TenancyConfig{} }), blocker: "tenancy"},
		{name: "durable running", snap: shop(nil, attached(snapshot.KindDurable, "", "", lambda.ListDurableExecutionsByFunctionOutput{})), blocker: "durable-running"},
		{name: "code signing", snap: shop(nil, attached(snapshot.KindCodeSigning, "", "", lambda.GetFunctionCodeSigningConfigOutput{CodeSigningConfigArn: aws.String("csc")})), blocker: "code-signing", lost: "code-signing"},
		{name: "snapstart", snap: shop(func(c *types.FunctionConfiguration) {
			c.SnapStart = &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		}), lost: "snapstart"},
		{name: "pinned runtime", snap: shop(nil, attached(snapshot.KindRuntime, "", "", lambda.GetRuntimeManagementConfigOutput{UpdateRuntimeOn: types.UpdateRuntimeOnManual})), lost: "runtime-pinning"},
		{name: "url", snap: shop(nil, attached(snapshot.KindURL, "", "", types.FunctionUrlConfig{FunctionUrl: aws.String("https://x.lambda-url.aws/")})), blocker: "function-url", lost: "function-url"},
		{name: "url beside", snap: shop(nil, attached(snapshot.KindURL, "", "", types.FunctionUrlConfig{})), choices: Choices{Strategy: Beside}, warning: "function-url"},
		{name: "deprecated runtime", snap: shop(func(c *types.FunctionConfiguration) { c.Runtime = types.RuntimeNodejs16x }), blocker: "runtime-deprecated"},
		{name: "deprecated runtime, accepted", snap: shop(func(c *types.FunctionConfiguration) { c.Runtime = types.RuntimeNodejs16x }),
			choices: Choices{Accept: []string{"runtime-deprecated"}}, warning: "runtime-deprecated"},
		{name: "runtime without an image", snap: shop(func(c *types.FunctionConfiguration) { c.Runtime = "nodejs8.10" }), blocker: "no-base-image"},
		{name: "unknown runtime with a base", snap: shop(func(c *types.FunctionConfiguration) { c.Runtime = "cobol85" }), choices: Choices{Base: "oci:x"}, warning: "runtime-unknown"},
		{name: "big zip", snap: shop(func(c *types.FunctionConfiguration) { c.CodeSize = maxUpload }), blocker: "zip-too-large"},
		{name: "almost big zip", snap: shop(func(c *types.FunctionConfiguration) { c.CodeSize = maxUpload - 1 }), lost: "runtime-updates"},
		{name: "environment", snap: shop(func(c *types.FunctionConfiguration) {
			c.Environment = &types.EnvironmentResponse{Error: &types.EnvironmentError{Message: aws.String("no key")}}
		}), blocker: "environment-unreadable"},
		{name: "deleted layer", snap: shop(withLayer, snapshot.Attachment{Kind: snapshot.KindLayer, Name: layer, Reading: snapshot.Absent}), blocker: "layer-deleted"},
		{name: "denied layer", snap: shop(withLayer, snapshot.Attachment{Kind: snapshot.KindLayer, Name: layer, Reading: snapshot.Denied}), blocker: "layer-denied"},
		{name: "layer that was not looked at", snap: shop(withLayer), blocker: "layer-failed"},
		{name: "layer", snap: shop(withLayer, attached(snapshot.KindLayer, "", layer, snapshot.LayerValue{CodeSha256: sum})), lost: "runtime-updates"},
		{name: "denied policy", snap: shop(nil, snapshot.Attachment{Kind: snapshot.KindPolicy, Reading: snapshot.Denied, Message: "no"}), blocker: "denied:policy"},
		{name: "denied policy, accepted", snap: shop(nil, snapshot.Attachment{Kind: snapshot.KindPolicy, Reading: snapshot.Denied}),
			choices: Choices{Accept: []string{"denied:policy"}}, warning: "denied:policy"},
		{name: "failed mappings", snap: shop(nil, snapshot.Attachment{Kind: snapshot.KindMapping, Reading: snapshot.Failed}), blocker: "failed:event-source-mapping"},
		{name: "policy of somebody deleted", snap: shop(nil, policyOf("", `{"Sid":"s","Effect":"Allow","Principal":{"AWS":"AIDAJQABLZS4A3QDU576Q"},"Action":"lambda:InvokeFunction"}`)), blocker: "policy-principal"},
		{name: "policy with a condition of its own", snap: shop(nil,
			snapshot.Attachment{Kind: snapshot.KindResourcePolicy, Reading: snapshot.Absent, Message: "the endpoint does not offer it"},
			policyOf("", `{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`)), blocker: "policy-condition"},
		{name: "policy with a condition, whole documents", snap: shop(nil, snapshot.Attachment{Kind: snapshot.KindResourcePolicy, Reading: snapshot.Absent},
			policyOf("", `{"Sid":"s","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`)), lost: "runtime-updates"},
		{name: "triggers", snap: shop(nil, policyOf("", `{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`)), warning: "triggers"},
		{name: "versions", snap: withVersions(shop(nil, alias("live", "2", nil)), "1", "2"), lost: "version-numbers"},
		{name: "alias of a version that could not be read", snap: shop(nil, alias("live", "2", map[string]float64{"1": 0.5}), snapshot.Attachment{Kind: snapshot.KindVersions, Reading: snapshot.Denied}),
			choices: Choices{Accept: []string{"denied:versions"}}, blocker: "version-unreadable"},
		{name: "code that can't be read", snap: &Snapshot{Function: "shop", Config: shop(nil).Config}, blocker: "code-unreadable"},
		{name: "dropped versions", snap: withVersions(shop(nil), "1"), lost: "versions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := PlanFor(test.snap, test.choices)
			if test.blocker == "" && len(p.Blockers) > 0 {
				t.Errorf("blocked by %v", p.Blockers)
			}
			if test.blocker != "" && !slices.Contains(ids(p.Blockers), test.blocker) {
				t.Errorf("blockers %v, want %s", p.Blockers, test.blocker)
			}
			if test.warning != "" && !slices.Contains(ids(p.Warnings), test.warning) {
				t.Errorf("warnings %v, want %s", p.Warnings, test.warning)
			}
			if test.lost != "" && !slices.Contains(ids(p.Lost), test.lost) {
				t.Errorf("lost %v, want %s", p.Lost, test.lost)
			}
		})
	}
}

// What is not there is not told: a plain function has nothing but what every
// switch has.
func TestPlainFunctionIsToldNothingElse(t *testing.T) {
	p := PlanFor(shop(nil), Choices{})
	got := strings.Join(ids(slices.Concat(p.Blockers, p.Warnings, p.Lost, p.Notes)), " ")
	if got != "gap async-events runtime-updates" {
		t.Errorf("told: %s", got)
	}
}

// Versions, weights, provisioned concurrency and a VPC need no word of the user.
func TestOrdinaryFunctionIsNotBlocked(t *testing.T) {
	s := withVersions(shop(func(c *types.FunctionConfiguration) {
		c.VpcConfig = &types.VpcConfigResponse{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}
	},
		alias("live", "2", map[string]float64{"1": 0.1}),
		attached(snapshot.KindProvisioned, "live", "", types.ProvisionedConcurrencyConfigListItem{RequestedProvisionedConcurrentExecutions: aws.Int32(2)}),
		attached(snapshot.KindReserved, "", "", lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: aws.Int32(0)}),
	), "1", "2", "3")
	p := PlanFor(s, Choices{Strategy: Replace})
	if len(p.Blockers) > 0 {
		t.Fatalf("blocked by %v", p.Blockers)
	}
	if got := s.Carried(); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("carries %v", got)
	}
	var order []string
	for _, step := range p.Steps {
		order = append(order, step.ID)
	}
	want := []string{"backup", "repository", "image:$LATEST", "rehearse", "rehearse-clean", "check-revision", "delete-function", "create-function",
		"version:1", "version:2", "reserved-concurrency", "alias:live", "provisioned-concurrency:live", "tags", "verify"}
	if !slices.Equal(order, want) {
		t.Errorf("steps %v\nwant  %v", order, want)
	}
}

// A function whose versions run other code is held still while they are made.
func TestOtherVersionsAreMadeBehindAHold(t *testing.T) {
	s := withVersions(shop(nil, alias("live", "1", nil)), "1")
	c := must(s.ConfigOf("1"))
	c.MemorySize = aws.Int32(512)
	s.Versions[0].Config = must(snapshot.Encode(c))
	var order []string
	for _, step := range PlanFor(s, Choices{}).Steps {
		order = append(order, step.ID)
	}
	text := strings.Join(order, " ")
	if !strings.Contains(text, "create-function hold version:1 latest reserved-concurrency alias:live") {
		t.Errorf("steps %s", text)
	}
}

func TestPlanHoldsNoSecretAndNoNull(t *testing.T) {
	s := withVersions(shop(nil, policyOf("", `{"Sid":"s","Effect":"Allow","Principal":{"Service":"alexa.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"lambda:EventSourceToken":"token-of-the-skill"}}}`),
		alias("evil\x1b[2Jalias", "1", nil)), "1")
	for _, strategy := range []Strategy{Replace, Beside} {
		p := PlanFor(s, Choices{Strategy: strategy})
		data := string(must(json.Marshal(p)))
		for _, secret := range []string{"hunter2", "token-of-the-skill"} {
			if strings.Contains(data+p.Text(), secret) {
				t.Errorf("%s: the plan holds %q", strategy, secret)
			}
		}
		if strings.Contains(data, "null") {
			t.Errorf("%s: the plan holds null: %s", strategy, data)
		}
		if strings.ContainsRune(data+p.Text(), '\x1b') || strings.Contains(data, "u001b") {
			t.Errorf("%s: the plan holds control characters: %q", strategy, p.Text())
		}
	}
}

func TestPlanText(t *testing.T) {
	text := PlanFor(shop(nil, attached(snapshot.KindURL, "", "", types.FunctionUrlConfig{FunctionUrl: aws.String("https://x/")})), Choices{}).Text()
	for _, want := range []string{"+ create", "- delete", "= keep", "! function-url", "x function-url", "--accept function-url", "undo: optlift rollback", "can't be applied"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}

func TestPlanSaveAndLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	s := shop(nil)
	p := PlanFor(s, Choices{Accept: []string{"x"}, Repository: "repo"})
	if err := p.Save(file); err != nil {
		t.Fatal(err)
	}
	if info := must(os.Stat(file)); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	back, err := LoadPlan(file)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back) != fmt.Sprint(p) {
		t.Errorf("saved %+v, loaded %+v", p, back)
	}
	if err := back.Matches(s); err != nil {
		t.Error(err)
	}
	s.RevisionID = "rev-2"
	if err := back.Matches(s); err == nil {
		t.Error("a plan for another revision matches")
	}
	if err := os.WriteFile(file, []byte(`{"schema":9}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPlan(file); err == nil {
		t.Error("a foreign file loads as a plan")
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 64)
	if got := besideName(long); len(got) != 64 || !strings.HasSuffix(got, "-image") {
		t.Errorf("besideName gives %q", got)
	}
	for function, want := range map[string]string{"Shop_Cart--v2": "shop-cart-v2", "_a-": "lambda-a", "x": "lambda-x", "orders": "orders"} {
		if got := repositoryName(function, Choices{}); got != want {
			t.Errorf("repositoryName(%q) = %q, want %q", function, got, want)
		}
	}
}
