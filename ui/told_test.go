package ui

import (
	"testing"

	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
)

// TestOneGrammar holds the screen to the words of reports: whatever a report can
// filter by and show, the screen can, too.
func TestOneGrammar(t *testing.T) {
	words := inventory.Columns()
	shown := map[string]bool{}
	for _, id := range functions.ColumnNames() {
		shown[id] = true
	}
	for _, c := range report.Columns() {
		if _, ok := words[c.ID]; !ok {
			t.Errorf("the screen's filter does not know %s", c.ID)
		}
		if !shown[c.ID] {
			t.Errorf("the screen has no column %s", c.ID)
		}
	}
}

func TestLayersTellMore(t *testing.T) {
	r := newRobot(t, newTold(), 160, 40).settle().press("L")
	r.see("NEWEST", "▲ 14", "not allowed to look", "UNDECL", "SAME", "this", "version 14 is the newest",
		"declares  nodejs22.x, python3.13 · x86_64", "used on", "on what it does not declare")
	for filter, layer := range map[string]string{
		"behind>=2": "otel-collector:12", "undeclared>0": "otel-collector:12", "publisher:datadog": "Datadog-Extension:65", "newest>13": "otel-collector:12",
		"same>0 fonts": "fonts:2", "owner:999988887777": "vendor-agent:31",
	} {
		r.press("/", "ctrl+u").write(filter).press("enter")
		if got := r.m.top().(interface{ ARN() string }).ARN(); inventory.ShortLayer(got) != layer {
			t.Errorf("%s finds %s", filter, got)
		}
	}
	r.press("/", "ctrl+u").write("fonts").press("enter").see("same archive as python-deps:4", "any runtime · any architecture")
	r.press("/", "ctrl+u").write("datadog").press("enter").see("only the account that publishes a layer can list its versions", "by Datadog", "public.ecr.aws/datadog/lambda-extension:65")
	r.press("/", "ctrl+u").write("vendor-agent").press("enter").see("denied: ", "declares  ? denied")
}

func TestVersionsAreAskedForOnDemand(t *testing.T) {
	r := newRobot(t, newTold(), 120, 60).settle().press("/").write("versions:asked orders-api").press("enter").see("1 shown")
	r.press("enter").missing("VERSIONS").see("by Datadog", "public.ecr.aws/datadog/lambda-extension:65")
	r.press("v").settle().see("VERSIONS  2", "the one that works", "ALIASES  1", "live → 2", "10% → 1")
	r.press("esc", "esc", "/").write("aliases:live=2").press("enter").see("1 shown", "orders-api")
	r.press("/", "ctrl+u").write("billing-sync").press("enter", "enter", "v").settle().see("? denied: lambda:ListVersionsByFunction is not allowed", "ALIASES  none")
}

func TestFilterWordsOfReports(t *testing.T) {
	r := newRobot(t, newTold(), 120, 30).settle()
	for filter, shown := range map[string]string{
		"headroom<10MB": "1 shown", "publisher:datadog": "1 shown", "code>=64MB": "1 shown", "checked:2026-03-14": "1 shown",
		"deprecated:2025 runtime:python3.9": "1 shown", "account:" + fakeAccount: "12 shown", "profile:nobody": "0 shown",
	} {
		r.press("/", "ctrl+u").write(filter).press("enter").see(" " + shown)
	}
}
