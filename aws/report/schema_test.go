package report_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// The schema names every field of the document, and no other, with its kind.
func TestSchema(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(report.Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	compare(t, "report", reflect.TypeFor[account.Report](), doc)
}

func compare(t *testing.T, at string, typ reflect.Type, schema map[string]any) {
	t.Helper()
	if schema["description"] == "" {
		t.Errorf("%s is not described", at)
	}
	kinds := map[string]bool{}
	switch k := schema["type"].(type) {
	case string:
		kinds[k] = true
	case []any:
		for _, one := range k {
			kinds[one.(string)] = true
		}
	default:
		if schema["const"] != float64(account.ReportSchema) {
			t.Errorf("%s has no type", at)
		}
		return
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
		// A pointer is null where a value is not known, or left out.
		if !kinds["null"] && typ.Kind() != reflect.Struct {
			t.Errorf("%s may be null", at)
		}
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
		reflect.Slice: "array", reflect.Map: "object", reflect.Struct: "object",
	}[typ.Kind()]
	if want == "" || !kinds[want] {
		t.Errorf("%s is a %s, and the schema says %v", at, typ, schema["type"])
		return
	}
	switch typ.Kind() {
	case reflect.Slice:
		items := schema["items"].(map[string]any)
		if items["description"] == nil {
			items["description"] = "an item"
		}
		compare(t, at+"[]", typ.Elem(), items)
	case reflect.Struct:
		properties := schema["properties"].(map[string]any)
		required := map[string]bool{}
		for _, name := range schema["required"].([]any) {
			required[name.(string)] = true
		}
		for i := range typ.NumField() {
			name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			sub, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("%s.%s is not in the schema", at, name)
				continue
			}
			delete(properties, name)
			if left := strings.Contains(options, "omitempty"); left == required[name] {
				t.Errorf("%s.%s: required %v, left out when empty %v", at, name, required[name], left)
			}
			compare(t, at+"."+name, typ.Field(i).Type, sub)
		}
		for name := range properties {
			t.Errorf("%s.%s is in the schema only", at, name)
		}
	}
}
