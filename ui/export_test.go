package ui

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
)

// exported writes what is on screen to a new file and reads it as a saved report.
func exportedBy(t *testing.T, r *robot) *account.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "account.json")
	r.press("e", "ctrl+u").write(file).press("enter").see("wrote ")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := report.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sameReport compares two reports as JSON, in whatever order their functions are.
func sameReport(t *testing.T, got, want *account.Report) {
	t.Helper()
	text := func(r *account.Report) string {
		slices.SortFunc(r.Functions, func(a, b account.FunctionReport) int { return cmp.Compare(a.ARN, b.ARN) })
		data, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if g, w := text(got), text(want); g != w {
		t.Errorf("exported\n%s\nan audit prints\n%s", g, w)
	}
}

// TestExportIsTheAuditsReport holds the screen's JSON to what an audit of the same
// account prints.
func TestExportIsTheAuditsReport(t *testing.T) {
	b := newTold()
	want := account.NewReport(fakeAccount, b.regions, b.functions, nil)
	where := b.Where()
	want.Accounts = []account.AccountReport{{Account: fakeAccount, Caller: where.Caller, Regions: where.Regions}}
	for _, n := range b.newest {
		want.TakeNewest(n)
	}
	before := time.Now().Add(-time.Second)
	r := newRobot(t, b, 120, 30).settle()
	got := exportedBy(t, r)
	if at, err := time.Parse(time.RFC3339, got.Created); err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("created %q, %v", got.Created, err)
	}
	want.Created = got.Created
	sameReport(t, got, want)

	// What is filtered out is left out, but who else uses a layer stays told; and
	// what was asked for on demand is there.
	r.press("/").write("orders-api").press("enter", "enter", "v").settle().press("esc")
	selection, err := report.ParseSelection("name:orders-api", "")
	if err != nil {
		t.Fatal(err)
	}
	some := selection.Of(want)
	history, err := b.History(t.Context(), b.functions[1].ARN)
	if err != nil {
		t.Fatal(err)
	}
	some.Functions[0].History = history
	got = exportedBy(t, r)
	if len(some.Layers) != 2 || len(some.Layers[0].Functions) < 2 && len(some.Layers[1].Functions) < 2 {
		t.Fatalf("%+v", some.Layers)
	}
	sameReport(t, got, some)
}

func TestExportOfSeveralProfiles(t *testing.T) {
	b := newFakes(8)
	r := newRobot(t, b, 120, 30).settle()
	got := exportedBy(t, r)
	if len(got.Accounts) != 3 || !got.Accounts[2].Failed || len(got.Errors) != 0 || len(got.Functions) != 10 {
		t.Errorf("%+v %+v, %d functions", got.Accounts, got.Errors, len(got.Functions))
	}
	for _, f := range got.Functions {
		if want := map[string]string{fakeAccount: "prod", otherAccount: "test"}[f.Account]; f.Profile != want {
			t.Errorf("%s: profile %q", f.ARN, f.Profile)
		}
	}
}

// TestExportWhileMeasuring writes what has not been measured as unknown.
func TestExportWhileMeasuring(t *testing.T) {
	b := newTold()
	b.hold = make(chan struct{})
	t.Cleanup(func() { close(b.hold) })
	r := newRobot(t, b, 120, 30)
	for range len(b.functions) + 1 {
		b.hold <- struct{}{}
	}
	got := exportedBy(t, r.see("1 of 12 measured"))
	unknown := 0
	for _, f := range got.Functions {
		if f.CodeState == account.Unknown && f.UnzippedTotal == nil && f.ManagedBy == nil {
			unknown++
		}
		if f.Name == "orders-api" && (len(f.Layers) != 2 || f.Layers[0].State != account.OK || f.Layers[1].State != account.Unknown) {
			t.Errorf("%+v", f.Layers) // the first one was read with another function
		}
	}
	if unknown != 11 || got.Created == "" {
		t.Errorf("%d unknown, created %q", unknown, got.Created)
	}
}
