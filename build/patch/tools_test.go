package patch

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// plugins has terraform validate what was patched, and the type's schema say what
// an import needs, which takes some seconds:
//
//	go test ./build/patch -run ForTerraform|Identifies -plugins DIR
//
// DIR holds the provider hashicorp/aws, as terraform providers mirror lays it out.
var plugins = flag.String("plugins", "", "directory of Terraform's providers, to hold what is written against them and schemas")

// Programs that are not ours read what was written.

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name + " is not installed here")
	}
	return path
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestTemplateForCfnLint(t *testing.T) {
	lint, dir := tool(t, "cfn-lint"), t.TempDir()
	args := []string{"--non-zero-exit-code", "error"} // the templates ask for nothing that they do not need
	for name, c := range map[string][2]string{"shop.yaml": {plain, "Shop"}, "cdk.json": {synthesized, "Shop1A2B3C4D"}} {
		got, err := Template(c[0], c[1], ref)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{"": got.Text, "import-": got.Import}
		if name == "cdk.json" { // the other one is not as it should be before it is patched
			texts["retain-"] = got.Retain
		}
		for prefix, text := range texts {
			if err := os.WriteFile(filepath.Join(dir, prefix+name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, filepath.Join(dir, prefix+name))
		}
	}
	run(t, dir, lint, args...)
}

// What an import asks for is the type's primary identifier, as the provider's own
// schema has it, and nothing else.
func TestImportIdentifies(t *testing.T) {
	if *plugins == "" {
		t.Skip("the schema is read only with -plugins")
	}
	python := tool(t, "python3")
	cmd := exec.CommandContext(t.Context(), python, "-c", `
import json, cfnlint.schema
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as m
print(json.dumps(m.get_resource_schema("us-east-1", "AWS::Lambda::Function").schema["primaryIdentifier"]))`)
	out, err := cmd.Output()
	if err != nil {
		t.Skip("cfn-lint's schemas are not installed here")
	}
	var identifier []string
	if err := json.Unmarshal(out, &identifier); err != nil {
		t.Fatal(err)
	}
	text, err := (&Stack{Function: "shop", Logical: "Shop"}).Import()
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		ResourceType, LogicalResourceId string
		ResourceIdentifier              map[string]string
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, property := range identifier {
		name := strings.TrimPrefix(property, "/properties/")
		if list[0].ResourceIdentifier[name] != "shop" || len(list[0].ResourceIdentifier) != len(identifier) {
			t.Errorf("%v is identified by %v", list[0], identifier)
		}
	}
	if list[0].ResourceType != lambdaFunction || list[0].LogicalResourceId != "Shop" || len(identifier) == 0 {
		t.Errorf("%+v, by %v", list[0], identifier)
	}
}

func TestTerraformForTerraform(t *testing.T) {
	terraform, dir := tool(t, "terraform"), t.TempDir()
	const clean = `resource "aws_lambda_function" "shop" {
  function_name    = "shop"
  role             = "arn:aws:iam::123456789012:role/shop"
  filename         = "shop.zip"
  source_code_hash = "x"
  handler          = "index.handler"
  runtime          = "nodejs22.x"

  snap_start {
    apply_on = "PublishedVersions"
  }
}
`
	got, err := Terraform("main.tf", clean, "", "shop", ref)
	if err != nil {
		t.Fatal(err)
	}
	steps := &Configuration{Function: "shop", Address: got.Name, File: "main.tf", Image: ref}
	for name, text := range map[string]string{"main.tf": got.Text, "import.tf": steps.Import()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, terraform, "fmt", "-check", "-diff")
	if *plugins == "" {
		t.Log("not validated: -plugins names no directory of providers")
		return
	}
	run(t, dir, terraform, "init", "-backend=false", "-plugin-dir="+*plugins)
	run(t, dir, terraform, "validate")
}
