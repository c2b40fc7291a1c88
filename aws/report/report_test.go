package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

func ptr[T any](v T) *T { return &v }

// saved is a report with a function of every kind: large, unknown, an image.
func saved() *account.Report {
	big, unknown, image := int64(account.UnzippedLimit/10*9), "because of <this> | that", "Image"
	r := &account.Report{
		Schema: 1, Account: "1", Regions: []string{"eu-central-1", "us-east-1"},
		Errors: []account.RegionError{{Region: "us-east-1", Message: "denied\x1b[31m"}},
		Functions: []account.FunctionReport{
			{
				ARN: "arn:aws:lambda:eu-central-1:1:function:big", Name: "big", Region: "eu-central-1", PackageType: "Zip", Runtime: "nodejs22.x", Architecture: "arm64",
				CodeSize: 2048, UnzippedCode: ptr(int64(4096)), UnzippedTotal: &big, Percent: ptr(90.0), Limit: account.UnzippedLimit,
				Layers:     []account.LayerReport{{ARN: "arn:l:a:1", Size: 9, Unzipped: ptr(int64(10)), State: account.OK, Checked: "2026-06-01T00:00:00Z"}},
				Extensions: []account.Extension{{Name: "agent", Kind: "external", Executable: true, Source: "arn:l:a:1"}},
				Findings: []account.Finding{
					{ID: "size-over-80", Severity: account.Warning, Message: "m1", Remedy: "r1"},
					{ID: "layout", Severity: account.Warning, Message: "m2", Remedy: "r2"}, {ID: "layout", Severity: account.Warning, Message: "m3", Remedy: "r2"},
				},
				ManagedBy: ptr("CloudFormation stack s"), LastModified: "2026-01-02T03:04:05Z", Handler: "index.handler", Description: "d", MemoryMB: 512, TimeoutSec: 3,
				EnvNames: []string{"LEVEL"}, CodeState: account.OK, Checked: "2026-06-01T10:00:00Z",
			},
			{
				ARN: "arn:aws:lambda:eu-central-1:1:function:=lost", Name: "=lost", Region: "eu-central-1", PackageType: "Zip", Runtime: "python3.13", Architecture: "x86_64",
				CodeSize: 100, Limit: account.UnzippedLimit, Layers: []account.LayerReport{{ARN: "arn:l:b:1", State: account.Deleted, Message: "gone"}}, Extensions: []account.Extension{},
				Findings:  []account.Finding{{ID: "code-unreadable", Severity: account.Error, Message: unknown, Remedy: "r"}},
				CodeState: account.Failed, CodeMessage: "torn", EnvError: "KMS", MemoryMB: 128,
			},
			{
				ARN: "arn:aws:lambda:eu-central-1:1:function:pic", Name: "pic", Region: "eu-central-1", PackageType: image, Architecture: "arm64", CodeSize: 9999, Limit: account.UnzippedLimit,
				Layers: []account.LayerReport{}, Extensions: []account.Extension{}, Findings: []account.Finding{}, ManagedBy: ptr(""), CodeState: account.Unknown, MemoryMB: 1024, EnvNames: []string{},
			},
		},
	}
	for i := range r.Functions {
		r.Functions[i].Account = "1"
	}
	r.Functions[0].Headroom = ptr(int64(account.UnzippedLimit/10 - 1))
	r.Functions[0].RuntimeDeprecated, r.Functions[1].RuntimeDeprecated = "2027-04-30", "2029-06-30"
	r.Layers = account.NewReport(r.Account, r.Regions, report.Facts(r), nil).Layers
	return r
}

func pick(t *testing.T, ids ...string) []report.Column {
	t.Helper()
	c, err := report.Pick(ids)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTable(t *testing.T) {
	want := [][]string{
		{"FUNCTION", "REGION", "TYPE", "RUNTIME", "ARCH", "LAYERS", "EXTENSIONS", "UNZIPPED", "LIMIT", "FINDINGS"},
		{"big", "eu-central-1", "Zip", "nodejs22.x", "arm64", "1", "1", "225 MiB", "90.0%", "size-over-80, layout ×2"},
		{"=lost", "eu-central-1", "Zip", "python3.13", "x86_64", "1", "unknown", "unknown", "unknown", "code-unreadable"},
		{"pic", "eu-central-1", "Image", "-", "arm64", "0", "-", "-", "-", "-"},
	}
	if diff := cmp.Diff(want, report.Table(saved(), pick(t, report.DefaultTable()...))); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	want = [][]string{{"MANAGED BY", "UNZIPPED", "LAYERS"}, {"CloudFormation stack s", "225 MiB", "1"}, {"unknown", "unknown", "1"}, {"-", "-", "0"}}
	if diff := cmp.Diff(want, report.Table(saved(), pick(t, "managed", "SIZE", " layer"))); diff != "" {
		t.Errorf("columns asked for (-want +got):\n%s", diff)
	}
	if _, err := report.Pick([]string{"name", "colour"}); err == nil || !strings.Contains(err.Error(), `"colour"`) || !strings.Contains(err.Error(), "unzipped") {
		t.Errorf("got %v", err)
	}
}

func TestHeadroom(t *testing.T) {
	r := saved()
	r.Functions = append(r.Functions, r.Functions[0])
	r.Functions[3].Headroom = ptr(int64(-1024))
	want := [][]string{{"HEADROOM", "SUPPORT ENDS"}, {"25 MiB", "2027-04-30"}, {"unknown", "2029-06-30"}, {"-", "-"}, {"-1.0 KiB", "2027-04-30"}}
	if diff := cmp.Diff(want, report.Table(r, pick(t, "headroom", "deprecated"))); diff != "" {
		t.Errorf("headroom (-want +got):\n%s", diff)
	}
}

func TestCSV(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteCSV(&out, saved(), pick(t, report.DefaultCSV()...)); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"arn", "name", "region", "packageType", "runtime", "architecture", "codeSize", "unzippedCode", "layers", "unzippedTotal", "limit", "percent", "extensions", "findings", "managedBy", "checked"},
		{"arn:aws:lambda:eu-central-1:1:function:big", "big", "eu-central-1", "Zip", "nodejs22.x", "arm64", "2048", "4096", "arn:l:a:1", "235929600", "262144000", "90.00", "agent", "size-over-80 layout layout", "CloudFormation stack s", "2026-06-01T00:00:00Z"},
		{"arn:aws:lambda:eu-central-1:1:function:=lost", "'=lost", "eu-central-1", "Zip", "python3.13", "x86_64", "100", "", "arn:l:b:1", "", "262144000", "", "unknown", "code-unreadable", "unknown", ""},
		{"arn:aws:lambda:eu-central-1:1:function:pic", "pic", "eu-central-1", "Image", "", "arm64", "9999", "", "", "", "262144000", "", "", "", "", ""},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	var out bytes.Buffer
	if err := report.WriteMarkdown(&out, saved(), pick(t, "name", "unzipped")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| FUNCTION | UNZIPPED |\n| --- | --- |\n| big | 225 MiB |\n| =lost | unknown |\n", "**us-east-1 could not be listed:** denied\\[31m",
		"\n\nThe state of 1 layer version and of code and tags of 1 function is as an earlier audit was told, the oldest of it at 2026-06-01T00:00:00Z.\n\n",
		"- **error** code-unreadable: because of &lt;this> \\| that. Remedy: r.\n", "\n## big (eu-central-1)\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "## pic") || strings.Contains(out.String(), "\x1b") {
		t.Error(out.String())
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct{ filter, sort, want string }{
		{"", "", "big =lost pic"},
		{"runtime:node", "", "big"},
		{"!runtime:node", "", "=lost pic"},
		{"percent>80", "", "big"},
		{"size:unknown", "", "=lost"},
		{"size:none", "", "pic"},
		{"unzipped>200mb layer:a", "", "big"},
		{"layers>0", "name", "=lost big"},
		{"finding:error", "", "=lost"},
		{"finding=layout", "", "big"},
		{"ext:agent", "", "big"},
		{"managed:stack", "", "big"},
		{"env:level", "", "big"},
		{"~bg", "", "big"},
		{"handler=index.handler", "", "big"},
		{"/^(big|pic)$/", "", ""},
		{"", "-name", "pic big =lost"},
		{"", "percent", "big =lost pic"},
		{"", "-percent", "big =lost pic"},
		{"", "-findings", "=lost big pic"},
		{"", "type,-memory", "pic big =lost"},
		{"", "runtime", "big =lost pic"},
		{"", "-runtime", "=lost big pic"},
	} {
		s, err := report.ParseSelection(c.filter, c.sort)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		r := saved()
		var got []string
		for _, f := range s.Of(r).Functions {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		if r.Functions[0].Name != "big" || len(r.Functions) != 3 {
			t.Errorf("%+v: the report itself was changed", c)
		}
	}
	s, err := report.ParseSelection("nothing-is-called-so", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Of(saved()).Functions; got == nil || len(got) != 0 {
		t.Errorf("no function: %v", got)
	}
	for _, bad := range [][2]string{{"colour>3", ""}, {"/(/", ""}, {"", "colour"}, {"runtime>3", ""}} {
		if _, err := report.ParseSelection(bad[0], bad[1]); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestLoad(t *testing.T) {
	want := saved()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := report.Load(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a report that was saved and read (-want +got):\n%s", diff)
	}
	// A report of before there were layers in it.
	older := saved()
	older.Layers = nil
	if text, err = json.Marshal(older); err != nil {
		t.Fatal(err)
	}
	if got, err = report.Load(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.Layers) != 2 {
		t.Errorf("an older report (-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "functions", "another document": `{"schema":1,"layers":[]}`, "a list": "[]", "newer": `{"schema":2,"functions":[]}`,
		"two": string(text) + string(text), "cut off": string(text[:len(text)/2]),
	} {
		if _, err := report.Load(strings.NewReader(text)); err == nil {
			t.Errorf("%s is taken for a report", name)
		}
	}
}

// What an audit tells survives being saved, read and saved again.
func TestFacts(t *testing.T) {
	want := saved()
	facts := report.Facts(want)
	got := account.NewReport(want.Account, want.Regions, facts, want.Errors)
	slices.SortFunc(want.Functions, func(a, b account.FunctionReport) int { return strings.Compare(a.Name, b.Name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report of facts of a report (-want +got):\n%s", diff)
	}
	for _, f := range facts {
		if !f.Complete || (f.Name == "=lost") == f.Known && f.PackageType != "Image" {
			t.Errorf("%s: %+v", f.Name, f)
		}
	}
}

func TestReplay(t *testing.T) {
	r := saved()
	var facts []*account.Facts
	var errs []account.RegionError
	listed, done := map[string]bool{}, map[string]int{}
	report.Replay(r, func(e account.Event) {
		switch {
		case e.Listed != nil:
			listed[e.Listed.ARN] = true
		case e.Facts != nil:
			if !listed[e.Facts.ARN] {
				t.Errorf("%s is measured before it is listed", e.Facts.Name)
			}
			facts = append(facts, e.Facts)
		case e.Region != nil:
			errs = append(errs, *e.Region)
		case e.Listing.Done:
			done[e.Listing.Region] = e.Listing.Found
		}
	})
	if diff := cmp.Diff(account.NewReport(r.Account, r.Regions, report.Facts(r), r.Errors), account.NewReport(r.Account, r.Regions, facts, errs)); diff != "" {
		t.Errorf("the audit replayed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"eu-central-1": 3, "us-east-1": 0}, done); diff != "" {
		t.Errorf("listings (-want +got):\n%s", diff)
	}
}
