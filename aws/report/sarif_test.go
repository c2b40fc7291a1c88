package report_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// schema is the published schema of SARIF 2.1.0, as a module that reads SARIF
// carries it.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif").Output()
	if err != nil {
		t.Fatalf("find the module of go-sarif: %v", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && s.Names[0].Name == "schema" {
			text, err = strconv.Unquote(s.Values[0].(*ast.BasicLit).Value)
		}
		return true
	})
	if err != nil || text == "" {
		t.Fatalf("no schema in %s: %v", dir, err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestSARIF(t *testing.T) {
	r := saved()
	r.Functions[1].Findings = append(r.Functions[1].Findings, account.Finding{ID: "rule-of-tomorrow", Severity: "shrug", Message: "m"})
	var out bytes.Buffer
	if err := report.WriteSARIF(&out, r, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	compiled := schema(t)
	validate := func(text []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return compiled.Validate(doc)
	}
	if err := validate(out.Bytes()); err != nil {
		t.Errorf("not valid: %v\n%s", err, out.String())
	}
	if validate(bytes.Replace(out.Bytes(), []byte(`"level": "warning"`), []byte(`"level": "alarm"`), 1)) == nil {
		t.Error("the schema takes anything")
	}
	var empty bytes.Buffer
	if err := report.WriteSARIF(&empty, &account.Report{}, ""); err != nil {
		t.Fatal(err)
	}
	if err := validate(empty.Bytes()); err != nil {
		t.Errorf("an empty report is not valid: %v", err)
	}

	// Another reader of SARIF sees what was written.
	log, err := sarif.FromBytes(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if got, want := len(run.Tool.Driver.Rules), len(account.Rules()); got != want {
		t.Errorf("%d rules, want %d", got, want)
	}
	for i, rule := range run.Tool.Driver.Rules {
		if *rule.ID != account.Rules()[i].ID || *rule.Help.Text == "" || *rule.HelpURI != account.Rules()[i].Docs {
			t.Errorf("rule %d: %+v", i, rule)
		}
	}
	if len(run.Results) != 5 {
		t.Fatalf("%d results", len(run.Results))
	}
	seen := map[string]bool{}
	for _, result := range run.Results {
		if known := *result.RuleID != "rule-of-tomorrow"; known && *run.Tool.Driver.Rules[result.RuleIndex].ID != *result.RuleID {
			t.Errorf("%s has the index of another rule", *result.RuleID)
		}
		print := result.PartialFingerprints["optlift/v1"]
		if seen[print] || print == "" {
			t.Errorf("fingerprint %q of %s is not its own", print, *result.RuleID)
		}
		seen[print] = true
	}
	lost := run.Results[3]
	if *lost.Locations[0].PhysicalLocation.ArtifactLocation.URI != r.Functions[1].ARN || lost.Level != "error" || !strings.Contains(*lost.Message.Text, "because of") {
		t.Errorf("result %+v", lost)
	}
	invocation := run.Invocations[0]
	if *invocation.ExecutionSuccessful || len(invocation.ToolExecutionNotifications) != 1 {
		t.Errorf("a region that could not be listed: %+v", invocation)
	}
}

// A finding keeps its fingerprint when only the figures in its message change.
func TestSARIFFingerprint(t *testing.T) {
	fingerprints := func(message string) string {
		r := saved()
		r.Functions[0].Findings[0].Message = message
		var out bytes.Buffer
		if err := report.WriteSARIF(&out, r, ""); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Runs []struct {
				Results []struct{ PartialFingerprints map[string]string }
			}
		}
		if err := json.Unmarshal(out.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		return log.Runs[0].Results[0].PartialFingerprints["optlift/v1"]
	}
	if a, b := fingerprints("81 %"), fingerprints("82 %"); a != b || a == "" {
		t.Errorf("%q, then %q", a, b)
	}
}
