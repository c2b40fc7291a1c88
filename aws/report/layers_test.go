package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

func withLayers() *account.Report {
	own := "arn:aws:lambda:eu-central-1:123456789012:layer:"
	return &account.Report{Account: "123456789012", Layers: []account.LayerVersionReport{
		{
			ARN: own + "a:1", Name: "a", Version: 1, Region: "eu-central-1", Owner: "123456789012", Size: 2048, Unzipped: ptr(int64(4096)), State: account.OK,
			Functions: []string{"arn:f", "arn:g"}, Newest: ptr(int64(3)), NewestState: account.OK,
			Undeclared:  []account.UndeclaredUse{{Function: "arn:f", Runtime: "python3.13"}, {Function: "arn:g", Runtime: "ruby3.4", Architecture: "arm64"}},
			SameContent: []account.SameContent{{ARN: own + "b:7", Same: "archive"}}, Checked: "2026-06-01T00:00:00Z",
		},
		{
			ARN: own + "b:7", Name: "b", Version: 7, Region: "eu-central-1", Owner: "123456789012", Size: 1, State: account.Deleted, Message: "gone \x1b[31m",
			Functions: []string{"arn:f"}, NewestState: account.Deleted,
		},
		{
			ARN: "arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:65", Name: "Datadog-Extension", Version: 65, Owner: "464622532012", Foreign: true,
			State: account.OK, Unzipped: ptr(int64(0)), NewestState: account.Denied, Publisher: "Datadog (extension)", Image: "public.ecr.aws/datadog/lambda-extension:65",
		},
		{ARN: own + "c:2", Name: "c", Version: 2, Owner: "123456789012", State: account.OK, Newest: ptr(int64(2))},
		{ARN: own + "d:2", Name: "d", Version: 2, Owner: "123456789012", State: account.Failed, NewestState: account.Failed},
	}}
}

func TestLayerTable(t *testing.T) {
	want := [][]string{
		{"LAYER", "REGION", "OWNER", "STATE", "ZIP", "UNZIPPED", "FUNCTIONS", "NEWEST", "NOTES", "CHECKED"},
		{"a:1", "eu-central-1", "own", "ok", "2.0 KiB", "4.0 KiB", "2", "3", "2 functions with a runtime that it does not declare; 1 function with an architecture that it does not declare; same archive as b:7", "2026-06-01T00:00:00Z"},
		{"b:7", "eu-central-1", "own", "deleted", "1 B", "unknown", "1", "none left", "-", "this audit"},
		{"Datadog-Extension:65", "", "464622532012 (Datadog (extension))", "ok", "0 B", "0 B", "0", "not allowed to look", "published as public.ecr.aws/datadog/lambda-extension:65 too", "this audit"},
		{"c:2", "", "own", "ok", "0 B", "unknown", "0", "this", "-", "this audit"},
		{"d:2", "", "own", "failed", "0 B", "unknown", "0", "unknown", "-", "this audit"},
	}
	if diff := cmp.Diff(want, report.LayerTable(withLayers())); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	var out bytes.Buffer
	if err := report.WriteLayersCSV(&out, withLayers()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"arn:aws:lambda:eu-central-1:123456789012:layer:b:7", "eu-central-1", "123456789012", "deleted", "1", "", "arn:f", "", "", ""}, lines[2]); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	out.Reset()
	if err := report.WriteLayersMarkdown(&out, withLayers()); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "| LAYER | REGION |") || !strings.Contains(text, "layer:a:1\n\n- arn:f\n- arn:g\n") || strings.Contains(text, "\x1b") {
		t.Error(text)
	}
}

// A selection keeps the layers of its functions, with all who use them.
func TestSelectionOfLayers(t *testing.T) {
	r := saved()
	if len(r.Layers) != 2 {
		t.Fatal(r.Layers)
	}
	s, err := report.ParseSelection("name=big", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Of(r).Layers; len(got) != 1 || got[0].ARN != "arn:l:a:1" {
		t.Error(got)
	}
}

func TestHistoryColumns(t *testing.T) {
	r := saved()
	r.Functions[0].History = &account.History{
		VersionsState: account.OK, Versions: []account.Version{{Version: "1"}, {Version: "2"}},
		AliasesState: account.OK, Aliases: []account.Alias{{Name: "live", Version: "2", Weights: map[string]float64{"1": 0.1}}, {Name: "old", Version: "1"}},
	}
	r.Functions[1].History = &account.History{VersionsState: account.Denied, AliasesState: account.OK}
	want := [][]string{{"VERSIONS", "ALIASES"}, {"2", "live=2+1@10% old=1"}, {"denied", "-"}, {"not asked", "not asked"}}
	if diff := cmp.Diff(want, report.Table(r, pick(t, "versions", "aliases"))); diff != "" {
		t.Errorf("histories (-want +got):\n%s", diff)
	}
}

// What a report knows of newer versions and declarations is replayed too.
func TestReplayOfLayers(t *testing.T) {
	r := saved()
	for i := range r.Functions {
		for j := range r.Functions[i].Layers {
			r.Functions[i].Layers[j].ARN = "arn:aws:lambda:eu-central-1:1:layer:x:1"
		}
	}
	r.Layers = account.NewReport("1", nil, report.Facts(r), nil).Layers
	r.Layers[0].Newest, r.Layers[0].SHA256, r.Layers[0].DeclaredRuntimes = ptr(int64(4)), "sum", []string{"nodejs22.x"}
	r.Layers[0].DeclaredArchitectures = []string{}
	var facts []*account.Facts
	var newest []*account.NewestLayers
	report.Replay(r, func(e account.Event) {
		if e.Facts != nil {
			facts = append(facts, e.Facts)
		}
		if e.Newest != nil {
			newest = append(newest, e.Newest)
		}
	})
	again := account.NewReport("1", nil, facts, nil)
	for _, n := range newest {
		again.TakeNewest(n)
	}
	l := again.Layers[0]
	if len(newest) != 1 || l.Newest == nil || *l.Newest != 4 || l.SHA256 != "sum" || len(l.Undeclared) != 1 {
		t.Errorf("%+v", l)
	}
}
