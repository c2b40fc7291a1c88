package ui

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/build/difference"
)

// asked exports what is on screen to a new file of a kind and reads it.
func (r *robot) asked(ending string) []byte {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "x"+ending)
	r.press("e", "ctrl+u").write(file).press("enter").settle().see("wrote ")
	data, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// csvOf reads rows, the titles first.
func csvOf(t *testing.T, data []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestWhatANewVersionBrings is the way of somebody who wants to know what an update
// of a layer changes.
func TestWhatANewVersionBrings(t *testing.T) {
	r := newRobot(t, holding(), 120, 40).settle()
	r.press("L").see("otel-collector:12", "▲ 14").press("d").see("Compare otel-collector:12 with", "version 14, the newest", "another version")
	r.press("n").settle().see("diff otel-collector:12 → 14", "7 paths", "3 added · 1 removed · 3 changed", "packages: 1 added · 1 changed", "collector.yaml")
	r.press("t").see("otel", "1.9.0", "1.14.2", "protobuf", "7.2.0", "2 packages")
	r.press("/").write("change:added").press("enter").see("1 shown · 2 packages").missing("1.14.2").press("esc")
	r.press("t", "/").write("shared").press("enter").see("1 shown · 7 paths", "70 → 79 bytes").press("esc")
	r.press("/").write("change:changed what:content shared").press("enter", "enter").settle().see("(old)", "(new)", "VERSION = 1", "VERSION = 3")
	r.press("esc", "esc").see("7 paths")
	// By size, the largest growth first; a directory can't be looked into.
	r.press("4", "g").order("protobuf/package.json", "/opt/python/same.py")
	r.press("/").write("name:protobuf").press("enter", "enter").see("not now: this is a directory").press("esc")
	r.press("/").write("!type:dir").press("enter").see("6 shown · 7 paths").press("esc")
	r.press("y").settle()
	if want := "optlift diff " + arn("layer", "otel-collector:12") + " " + arn("layer", "otel-collector:14"); r.copied != want {
		t.Fatalf("copied %q", r.copied)
	}
	var doc difference.Report
	if err := json.Unmarshal(r.asked(".json"), &doc); err != nil || doc.Schema != 1 || doc.Equal || len(doc.Files) != 7 || len(doc.Packages) != 2 || doc.Old.Target != arn("layer", "otel-collector:12") {
		t.Fatalf("%+v, %v", doc, err)
	}
	if rows := csvOf(t, r.asked(".csv")); len(rows) != 10 || rows[0][1] != "change" || rows[9][0] != "node package" || rows[9][7] != "7.2.0" {
		t.Fatalf("%q", rows)
	}
	r.press("e", "ctrl+u").write("x.txt").press("enter").see("the name must end in .csv or .json")
	r.press("esc", "esc", "esc").see("12 functions")
}

func TestDiffOfTheMarked(t *testing.T) {
	r := newRobot(t, holding(), 120, 40).settle()
	r.press("L", "space", "space").see("2 marked · 6 layer versions").press("space", "d").see("not now: 3 layer versions are marked")
	r.press("up", "space").see("2 marked") // the third one's mark goes
	r.press("d").settle().see("diff otel-collector:12 → fonts:2", "fonts/sans.ttf")
	// Clicks: a title sorts, a row is selected and then opened.
	r.click("NEW").see("↓NEW").click("sans.ttf").click("sans.ttf").settle().see("› sans.ttf").press("esc")
	r.press("esc", "n").missing("marked").press("g", "space", "down", "d").see("Compare otel-collector:12 with", "the selected one, legacy-tools:1").press("esc")

	// The order of one layer's versions is theirs, whichever was chosen first.
	r.press("esc", ":").write("layers").press("enter", "/").write("otel").press("enter", "d", "v").see("a version number")
	r.write("x").press("enter").see("x is not a version").press("d", "v").write("9").press("enter").settle().see("diff otel-collector:9 → 12")
	r.press("esc", ":").write("diff otel-collector:12 nonsense").press("enter").settle().see("diff otel-collector:12 → nonsense")
	r.press("esc", ":").write("diff otel-collector:12").press("enter").see("diff needs two")
}

// TestWhichPackages is the way of somebody who asks whether a function carries a
// package, where it comes from, and whether another version is in its way.
func TestWhichPackages(t *testing.T) {
	r := newRobot(t, holding(), 120, 40).settle()
	r.press("p").settle().see("reports-render packages", "4 packages · 1 at several versions", "numpy", "2.1.0", "▲ 2 versions", "shadowed", "pkg:pypi/numpy@2.1.0")
	r.press("/").write("versions>1 layer:2b").press("enter").see("1 shown · 4 packages", "▲ 2 versions  1.8.1 2B, 1.9.0 1A", "/opt/nodejs/node_modules/otel/package.json")
	r.press("y").settle()
	if r.copied != "pkg:npm/otel@1.8.1" {
		t.Fatalf("copied %q", r.copied)
	}
	if rows := csvOf(t, r.asked(".csv")); len(rows) != 2 || rows[1][1] != "otel" || rows[1][2] != "1.8.1" || rows[1][3] != "2" || rows[1][5] != "2" {
		t.Fatalf("%q", rows)
	}
	// The bill of materials is of all that are seen, whatever is filtered.
	var bom struct {
		Format     string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal(r.asked(".json"), &bom); err != nil || bom.Format != "CycloneDX" || len(bom.Components) != 3 {
		t.Fatalf("%+v, %v", bom, err)
	}
	r.press("enter").settle().see("reports-render /opt", "▌  2B", "▲ A", "package.json").press("p").see("1 shown · 4 packages") // it is there still
	r.press("esc", "5", "g").click("requests").click("requests").settle().see("requests-2.32.3.dist-info").press("esc")

	// Of one layer version, and of anything by name.
	r.press("esc", "L", "p").settle().see("layers › otel-collector:12 packages", "1 package").missing("c  code")
	r.press(":").write("packages orders-api").press("enter").settle().see("orders-api packages").press("esc")
	r.press(":").write("functions").press("enter", "/").write("thumb").press("enter", "p").see("not now: thumbnails already is a container image")
}

// TestPackagesStop leaves while archives arrive.
func TestPackagesStop(t *testing.T) {
	b := holding()
	b.fetching = make(chan struct{})
	r := newRobot(t, b, 80, 24).settle().press("p").see("otel-collector:12", "code of reports-render", "esc stops it").press("esc").settle().see("12 functions").missing("cancel")
	if n := r.m.jobs.Active(); n != 0 {
		t.Fatalf("%d jobs are left", n)
	}
}

// TestWhereIsIt is the way of somebody who hears of a bad library and asks which
// functions carry it.
func TestWhereIsIt(t *testing.T) {
	r := newRobot(t, holding(), 120, 40).settle()
	r.press("w").see("Find in the layers").write("otel").press("enter").settle()
	r.see("find otel", "2 paths in 2 layer versions", "4 of 6 layer versions looked into, 4 from lists on disk", "✗ 1 deleted", "⊘ 1 denied", "legacy-tools:1, vendor-agent:31", "/opt/nodejs/node_modules/otel/")
	// In its layer, with the path selected; and back with the place kept.
	r.press("down", "enter").settle().see("python-deps:4 /opt", "▌", "otel/  1 file").press("esc").see("2 paths in 2 layer versions", "▌python-deps:4")
	// As the one function that has it sees it; of several one is asked for.
	r.press("o").settle().see("reports-render /opt", "otel/").press("esc", "up", "o").see("In which function?", "5 functions have otel-collector:12", "4  orders-api")
	r.press("4").settle().see("orders-api /opt", "otel/").press("esc", "o", "u").see("functions", "5 shown").press("esc")

	r.press("L", "w").write("package:numpy@2*").press("enter").settle().see("layers › find package:numpy@2*", "numpy 2.1.0", "1 path in 1 layer version")
	if rows := csvOf(t, r.asked(".csv")); len(rows) != 2 || rows[1][0] != arn("layer", "python-deps:4") || rows[1][5] != "numpy 2.1.0" || rows[1][6] != arn("function", "reports-render") {
		t.Fatalf("%q", rows)
	}
	var doc find.Report
	if err := json.Unmarshal(r.asked(".json"), &doc); err != nil || doc.Schema != 1 || doc.Layers != 6 || doc.Searched != 4 || len(doc.Found) != 1 || len(doc.Unread) != 2 || len(doc.Unread[0].Functions) != 1 {
		t.Fatalf("%+v, %v", doc, err)
	}
	r.press("y").settle()
	if want := "optlift find 'package:numpy@2*' --region eu-west-1"; r.copied != want {
		t.Fatalf("copied %q", r.copied)
	}
	// What could not be looked into has a page of its own, and a reason.
	r.press("t").see("2 layer versions not looked into", "✗ deleted", "does not exist any more", "legacy-export").press("enter").see("not now: it could not be looked into")
	r.press("/").write("state:denied").press("enter").see("1 shown", "ask account 999988887777").press("u").see("billing-sync", "1 shown")

	r.press("esc", ":").write("find *.dll").press("enter").settle().see("No layer version that could be looked into holds *.dll").press("t").see("✗ deleted")
	r.press(":").write("find [").press("enter").see("[ is no pattern").press("esc")
}

// TestLooksOfSeveralProfiles copies commands that ask the same accounts.
func TestLooksOfSeveralProfiles(t *testing.T) {
	r := findIn(newRobot(t, newFakes(8), 120, 40), "otel").settle().press("y").settle()
	if want := "optlift find otel --profile prod,test,out --region eu-west-1"; r.copied != want {
		t.Fatalf("copied %q", r.copied)
	}
	r.press("esc", "L", "/").write("fonts").press("enter", "d", "v").write("3").press("enter").settle().press("y").settle()
	if want := "optlift diff " + arn("layer", "fonts:2") + " " + arn("layer", "fonts:3") + " --profile prod"; r.copied != want {
		t.Fatalf("copied %q", r.copied)
	}
}

// TestFindWhileItRuns shows results as they come, stops, and goes on from the start.
func TestFindWhileItRuns(t *testing.T) {
	b := holding()
	b.finding = make(chan struct{})
	r := findIn(newRobot(t, b, 120, 40), "python").see("0 of 6 layer versions", "Nothing yet")
	for range 3 {
		b.finding <- struct{}{}
	}
	r.see("3 of 6 layer versions", "otel-collector:12", "/opt/python/").press("/").write("fonts").press("enter").see("Nothing matches fonts").press("esc")
	r.press("r").see("not now: it runs").press("c").see("▲ stopped after 3 of 6 layer versions").press("c").see("not now: nothing runs")
	b.finding = nil
	r.press("r").settle().see("4 of 6 layer versions looked into", "python-deps:4").missing("stopped")
	r.click("SIZE").see("↓SIZE").order("python-deps:4", "otel-collector:12").click("otel-collector:12").click("otel-collector:12").settle().see("otel-collector:12 /opt").press("esc")

	// Leaving ends the work.
	b.finding = make(chan struct{})
	r.press("esc", ":").write("find fonts").press("enter").see("0 of 6").press("esc").settle().see("12 functions").missing("cancel")
	if n := r.m.jobs.Active(); n != 0 {
		t.Fatalf("%d jobs are left", n)
	}
}

// TestFindBeforeAllIsListed says that there is more than what was looked into.
func TestFindBeforeAllIsListed(t *testing.T) {
	b := holding()
	b.hold = make(chan struct{})
	r := newRobot(t, b, 120, 40)
	r.press(":").write("find otel").press("enter").see("Still listing the functions")
	close(b.hold)
	r.settle().see("▲ 6 came later", "r looks into them, too").press("r").settle().see("4 of 6 layer versions").missing("came later")
}

// TestDiffStops leaves while archives arrive: the work ends, and nothing of it is
// shown later.
func TestDiffStops(t *testing.T) {
	b := holding()
	b.fetching = make(chan struct{})
	r := newRobot(t, b, 80, 24).settle().press("L", "d", "n").see("esc stops it").press("esc").settle().see("› layers").missing("diff otel", "cancel")
	if n := r.m.jobs.Active(); n != 0 {
		t.Fatalf("%d jobs are left", n)
	}
	b.fetching = nil
	r.press("d", "n").settle().see("7 paths")
}

// TestRefusedLooks shows what can't be read as what it is, and asks again.
func TestRefusedLooks(t *testing.T) {
	r := layersOf(t, holding(), 100, 30, "legacy").press("d", "v").write("2").press("enter").settle()
	r.see("The two could not be compared", "It is gone, or never was", "r tries again").press("r").settle().see("r tries again")
	r.press("esc", "/", "ctrl+u").write("vendor").press("enter", "d").see("The newest version is not known")
	r.press("v").write("30").press("enter").settle().see("you are not allowed to look")
}

// TestSavedReportHoldsNoArchives says why there is nothing to look into.
func TestSavedReportHoldsNoArchives(t *testing.T) {
	b := newTold()
	b.saved = "saved report of 2026-03-14"
	const why = "not now: a saved report does not hold what archives hold"
	r := newRobot(t, b, 100, 30).settle().press("p").see(why).press("enter", "p").see(why).press("L", "d").see(why).press("p").see(why)
	for _, line := range []string{"diff a b", "packages", "packages otel-collector:12"} {
		r.press("esc", ":").write(line).press("enter").see("not now: a saved report does not hold")
	}
}
