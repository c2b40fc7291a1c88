package inventory_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// bomSchema is the published schema of CycloneDX 1.6, as the library's own
// module carries it.
func bomSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatalf("find the module of cyclonedx-go: %v", err)
	}
	c := jsonschema.NewCompiler()
	const base = "http://cyclonedx.org/schema/"
	for name, file := range map[string]string{
		"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(base+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile(base + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestCycloneDX(t *testing.T) {
	inv := take(t,
		[]ziptest.Entry{ziptest.File("node_modules/a/package.json", `{"name":"a","version":"2.0.0"}`)},
		layer(t,
			ziptest.File("nodejs/node_modules/a/package.json", `{"name":"a","version":"1.0.0"}`),
			ziptest.File("nodejs/node_modules/<é>/package.json", `{"name":"<é>","version":"1&2"}`),
			ziptest.File("java/lib/plain.jar", jar(t, "A.class", "x")),
			ziptest.File("python/x.dist-info/METADATA", "\n")),
		layer(t, ziptest.File("nodejs/node_modules/a/package.json", `{"name":"a","version":"2.0.0"}`)))
	subject := inventory.Subject{Name: "thumbnails", ToolVersion: "v1"}
	var out, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&out, &again} {
		if err := inv.WriteCycloneDX(w, subject); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same packages give other bytes")
	}
	schema := bomSchema(t)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("not valid: %v\n%s", err, out.String())
	}
	doc.(map[string]any)["components"] = "none"
	if schema.Validate(doc) == nil {
		t.Error("the schema takes anything")
	}

	var bom struct {
		Metadata struct {
			Properties []struct{ Name, Value string }
		}
		Compositions []struct{ Aggregate string }
		Components   []struct {
			Name, Version, Purl string
			Evidence            struct{ Occurrences []struct{ Location string } }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &bom); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, c := range bom.Components {
		for _, o := range c.Evidence.Occurrences {
			got[c.Name+" "+c.Version+" "+c.Purl] = append(got[c.Name+" "+c.Version+" "+c.Purl], o.Location)
		}
	}
	want := map[string][]string{
		"a 2.0.0 pkg:npm/a@2.0.0":            {"/var/task/node_modules/a/package.json", "/opt/nodejs/node_modules/a/package.json"},
		"<é> 1&2 pkg:npm/%3C%C3%A9%3E@1%262": {"/opt/nodejs/node_modules/<é>/package.json"},
		"plain  ":                            {"/opt/java/lib/plain.jar"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if len(bom.Metadata.Properties) != 1 || !strings.Contains(bom.Metadata.Properties[0].Value, "x.dist-info/METADATA") || bom.Compositions[0].Aggregate != "incomplete" {
		t.Errorf("what is unread is not told: %+v, %+v", bom.Metadata, bom.Compositions)
	}
}
