package export

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
)

func list() List {
	known := &account.Facts{Function: account.Function{ARN: "arn:b", Name: "b", Region: "eu-west-1", PackageType: "Zip", CodeSize: 7}, Total: 100, Known: true, Complete: true}
	unknown := &account.Facts{Function: account.Function{ARN: "arn:a", Name: "=a", Region: "eu-west-1", PackageType: "Zip"}}
	return List{Account: "123456789012", Regions: []string{"eu-west-1"}, Functions: []*account.Facts{known, unknown}}
}

func TestFormats(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) string {
		path := filepath.Join(dir, name)
		if err := Write(path, list()); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	rows, err := csv.NewReader(strings.NewReader(read("x.CSV"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	if all := strings.Join(rows[2], " "); !strings.Contains(all, "'=a") {
		t.Errorf("a formula is left in %q", all)
	}
	var r account.Report
	if err := json.Unmarshal([]byte(read("x.json")), &r); err != nil || len(r.Functions) != 2 {
		t.Fatal(r, err)
	}
	if r.Functions[0].Name != "b" || *r.Functions[0].UnzippedTotal != 100 || r.Functions[1].UnzippedTotal != nil {
		t.Errorf("the order or a size is wrong: %+v", r.Functions)
	}
	if md := read("x.md"); !strings.Contains(md, "| b ") || !strings.Contains(md, "unknown") {
		t.Error(md)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(path, list())
	if data, _ := os.ReadFile(path); string(data) != "mine" || err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Fatal(string(data), err)
	}
	if err := Write("functions.txt", list()); err == nil || !strings.Contains(err.Error(), Formats) {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(path, "below.csv"), list()); err == nil {
		t.Fatal("a file below a file")
	}
}
