package blueprint_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/blueprint"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/infra"
)

// check returns a function that ends the test on an error.
func check[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func capture(t *testing.T, a *sessiontest.Account, name string) *snapshot.Snapshot {
	t.Helper()
	return check[*snapshot.Snapshot](t)(snapshot.Capture(t.Context(), a.Lambda, a.Session.Account, sessiontest.Region, name))
}

func TestEverythingIsDescribed(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	got := check[*infra.Function](t)(blueprint.Of(capture(t, a, "shop"), "team/shop"))
	five, zero := 5, 0
	want := &infra.Function{
		Name: "shop", Region: sessiontest.Region, Account: "123456789012", Repository: "team/shop", Role: sessiontest.Role, Description: "the shop",
		Architecture: "arm64", MemoryMB: 256, TimeoutSec: 17, EphemeralMB: 1024, EnvNames: []string{"ANOTHER", "SECRET"},
		Subnets: []string{"subnet-0123456789abcdef0"}, Groups: []string{"sg-0123456789abcdef0"},
		DeadLetter: "arn:aws:sqs:eu-central-1:123456789012:dead", Tracing: "Active",
		Logging:  &infra.Logging{Format: "JSON", ApplicationLevel: "DEBUG", SystemLevel: got.Logging.SystemLevel, Group: "/aws/lambda/shop"},
		Reserved: &five, AllowRecursion: true, Tags: map[string]string{"team": "checkout"},
		Aliases: []infra.Alias{{Name: "live", Description: "what callers use", Provisioned: 2}},
		URLs:    []infra.URL{{Qualifier: "live", Auth: "AWS_IAM", InvokeMode: "BUFFERED", CORS: map[string]any{"AllowOrigins": []any{"https://shop.example"}}}},
		Async:   []infra.Async{{Retries: &zero, AgeSec: got.Async[0].AgeSec, OnFailure: "arn:aws:sqs:eu-central-1:123456789012:failed"}},
		Permissions: []infra.Permission{
			{ID: "bucket", Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com", SourceARN: "arn:aws:s3:::uploads", SourceAccount: "123456789012"},
			{ID: "skill", Action: "lambda:InvokeFunction", Principal: "alexa-appkit.amazon.com", Token: true},
			{ID: "friend", Qualifier: "live", Action: "lambda:InvokeFunction", Principal: "210987654321"},
		},
		Mappings: got.Mappings, Notes: got.Notes,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if len(got.Notes) == 0 || !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "policy of 1") }) {
		t.Errorf("notes: %v", got.Notes)
	}
	if len(got.Mappings) != 2 || got.Mappings[0].Qualifier != "live" || got.Mappings[0].Settings["Enabled"] != false || got.Mappings[1].Settings["Enabled"] != true ||
		got.Mappings[1].Settings["EventSourceArn"] != "arn:aws:sqs:eu-central-1:123456789012:orders" || got.Mappings[1].Settings["FilterCriteria"] == nil {
		t.Errorf("mappings: %+v", got.Mappings)
	}
	for key := range got.Mappings[0].Settings {
		for _, read := range []string{"UUID", "State", "LastModified", "FunctionArn", "EventSourceMappingArn"} {
			if key == read {
				t.Errorf("a mapping carries %s", key)
			}
		}
	}
	for _, kind := range infra.Kinds() {
		text := check[string](t)(infra.Write(kind, got))
		for _, secret := range []string{sessiontest.PlantedValue, sessiontest.PlantedToken} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", kind, secret)
			}
		}
		if !strings.Contains(text, "SECRET") && kind != "cli" {
			t.Errorf("%s does not ask for the variable", kind)
		}
	}
}

func TestWhatCannotBeReadIsTold(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	a.Inject(emulator.Fault{Operation: "ListAliases", Kind: emulator.AccessDenied, Count: -1})
	a.Inject(emulator.Fault{Operation: "GetFunctionConcurrency", Kind: emulator.AccessDenied, Count: -1})
	got := check[*infra.Function](t)(blueprint.Of(capture(t, a, "shop"), "shop"))
	if got.Reserved != nil || len(got.Aliases) != 0 {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"alias could not be read", "reserved concurrency could not be read"} {
		if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, want) }) {
			t.Errorf("no note says %q: %q", want, got.Notes)
		}
	}
}
