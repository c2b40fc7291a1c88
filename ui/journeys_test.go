package ui

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
)

func TestListFillsIn(t *testing.T) {
	b := newFake(8)
	b.hold = make(chan struct{})
	r := newRobot(t, b, 80, 24)
	r.see("Listing the functions of eu-west-1")
	for range 3 {
		b.hold <- struct{}{}
	}
	r.see("reports-render", "0 of 3+ measured, listing")
	for range 5 {
		b.hold <- struct{}{}
	}
	r.see("0 of 8 measured")
	b.hold <- struct{}{}
	b.hold <- struct{}{}
	r.see("2 of 8 measured", "98%", "…")
	close(b.hold)
	r.settle().see("8 functions", "? deleted", "? denied").missing("measured")
}

func TestSelectionStaysWhileRowsArrive(t *testing.T) {
	b := newFake(40)
	b.hold = make(chan struct{})
	r := newRobot(t, b, 80, 24)
	for range 40 {
		b.hold <- struct{}{}
	}
	r.see("0 of 40 measured").press("down", "down", "down")
	was := r.m.first().Selected().Name
	close(b.hold)
	r.settle()
	if got := r.m.first().Selected().Name; got != was {
		t.Fatalf("the selection moved from %s to %s", was, got)
	}
	r.see("▌" + was)
}

func TestFindFunctionNearestTheLimitAndLookInside(t *testing.T) {
	r := newRobot(t, newFake(60), 80, 24).settle()
	r.see("60 functions", "READ-ONLY")
	if lines := strings.Split(r.screen(), "\n"); !strings.Contains(lines[3], "reports-render") {
		t.Fatalf("the heaviest function is not first:\n%s", r.screen())
	}
	r.press("enter").see("UNZIPPED SIZE", "of the limit", "headroom", "otel-collector:12", "python-deps:4", "near-limit", "262,144,000")
	r.press("o").settle().see("/opt", "A", "python-deps:4", "▸ python/")
	r.press("x").see("shared.py", "▲ A", "= A", "all paths")
	r.press("/").write("shared").press("enter").see("shared.py").missing("same.py")
	r.press("down", "c").settle().see("-VERSION = 1", "+VERSION = 2")
	r.press("esc").see("shared.py").press("enter").settle().see("VERSION = 2", "return name.upper()")
	r.press("esc", "esc", "x", "esc", "esc").see("60 functions")
	if len(r.m.stack) != 1 {
		t.Fatalf("esc did not lead home: %d screens", len(r.m.stack))
	}
	r.press("q")
	if r.settle(); !r.quit {
		t.Fatal("q did not leave")
	}
}

func TestFilter(t *testing.T) {
	r := newRobot(t, newFake(60), 100, 30).settle()
	r.press("/").write("size>200MB").see("1 shown").press("enter").see("reports-render", "/size>200MB")
	r.press("esc").missing("shown")
	r.press("/").write("ext:collector !worker").see("reports-render", "orders-api").missing("tiny")
	r.press("esc").press("/").write("/^(tiny|thumb)/").see("2 shown", "tiny", "thumbnails")
	r.press("esc").press("/").write("~rptrndr").see("1 shown", "reports-render")
	r.press("esc").press("/").write("size:unknown").see("2 shown", "legacy-export", "billing-sync")
	r.press("esc").press("/").write("nosuchthing").see("Nothing matches nosuchthing")
	r.press("esc").press("/").write("/(/").see("not a regular expression")
	r.press("esc").see("60 functions")
}

func TestSort(t *testing.T) {
	r := newRobot(t, newFake(20), 120, 28).settle()
	first := func() string { return strings.Fields(strings.Split(r.screen(), "\n")[3])[0] }
	r.press("1", "g")
	if got := first(); got != "▌audit-worker-12" {
		t.Fatalf("by name: %s", got)
	}
	r.press("1", "g")
	if got := first(); got != "▌users-worker-18" {
		t.Fatalf("by name, turned round: %s", got)
	}
	r.press("7", "g")
	if got := first(); got != "▌reports-render" {
		t.Fatalf("by size: %s", got)
	}
}

func TestLayers(t *testing.T) {
	r := newRobot(t, newFake(20), 120, 30).settle()
	r.press("L").see("otel-collector:12", "legacy-tools:1", "✗ deleted", "⊘ denied", "999988887777", "5 layer versions")
	r.press("/").write("state:deleted").press("enter").see("1 shown", "does not exist any more")
	r.press("u").see("legacy-export", "1 shown")
	r.press("esc", ":").write("layers").press("enter", "enter").settle().see("/opt")
}

func TestPalette(t *testing.T) {
	r := newRobot(t, newFake(10), 80, 24).settle()
	r.press(":").write("jo").press("tab").see(":journal").press("enter").settle().see("No migrations yet")
	r.press(":").write("opt reports-render").press("enter").settle().see("▸ python/")
	r.press(":").write("log").press("enter").see("nothing in this session")
	r.press(":").write("nonsense").press("enter").see("no command nonsense")
	r.press(":").press("up", "up").see(":log").press("esc")
	r.press(":").write("quit").press("enter").settle()
	if !r.quit {
		t.Fatal(":quit did not leave")
	}
}

func TestTwoEscapesInOneBreath(t *testing.T) {
	r := newRobot(t, newFake(10), 80, 24).settle().press("enter").press("o").settle()
	r.send(tea.KeyPressMsg{Code: tea.KeyEscape, Mod: tea.ModAlt})
	if len(r.m.stack) != 1 {
		t.Fatalf("%d screens are left", len(r.m.stack))
	}
}

func TestCopyGivesTheCLICall(t *testing.T) {
	r := newRobot(t, newFake(10), 120, 30).settle()
	r.press("y").settle().see("copied: aws lambda get-function")
	want := "aws lambda get-function --function-name " + arn("function", "reports-render") + " --region eu-west-1"
	if r.copied != want {
		t.Fatalf("copied %q, want %q", r.copied, want)
	}
}

// pass goes on past the point of no return.
func (r *robot) pass() *robot {
	r.t.Helper()
	return r.press("c").see("Go on past").write("orders-api").press("enter")
}

// migrateTo opens the plan of orders-api.
func migrateTo(t *testing.T, b *fakeBackend, w, h int) *robot {
	r := newRobot(t, b, w, h).settle()
	r.press("/").write("orders-api").press("enter", "m").settle()
	return r.see("Replace orders-api by itself", "LOST", "WARNINGS", "8 steps")
}

func TestMigrate(t *testing.T) {
	b := newFake(10)
	b.step = make(chan struct{})
	r := migrateTo(t, b, 100, 40)
	r.see("- delete-function", "+ create-function", "= policy")
	r.press("a").see("Allow changes to this account?").write("999").press("enter").see("That is not 123456789012")
	r.press("backspace", "backspace", "backspace").write(fakeAccount).press("enter").see("ARMED", "Apply 8 steps?", "Lost for good: versions")
	r.write("orders").press("enter").see("That is not orders-api")
	if len(b.did()) != 0 {
		t.Fatalf("applied before the name was typed: %v", b.did())
	}
	r.write("-api").press("enter").see("Migrating orders-api", "▸ + backup")
	for range 3 {
		b.step <- struct{}{}
	}
	r.see("✓ + push-image", "▸ + rehearse", "3 of 8")
	b.step <- struct{}{}
	r.see("POINT OF NO RETURN", "paused before delete-function", "nobody has noticed")
	r.press("c").see("Go on past the point of no return?").write("orders").press("enter").see("That is not orders-api").write("-api").press("enter")
	close(b.step)
	r.settle().see("orders-api now runs from a container image", "3.2 s", "20260314-092653-orders-api", "sha256:4f1c")
	if got := b.did(); !slices.Equal(got, []string{"apply orders-api"}) {
		t.Fatalf("did %v", got)
	}
	r.press("u").see("Roll orders-api back to its Zip?").write("orders-api").press("enter")
	r.settle().see("orders-api is back as it was")
	r.press("J").settle().see("20260314-092653-orders-api", "✓ done")
	r.press(":").write("functions type:image").press("enter").see("orders-api", "thumbnails", "2 shown")
}

func TestMigrationAsksBeforeItStops(t *testing.T) {
	b := newFake(10)
	b.armed = true
	b.step = make(chan struct{})
	r := migrateTo(t, b, 100, 40)
	r.press("a").write("orders-api").press("enter").see("▸ + backup")
	for range 4 {
		b.step <- struct{}{}
	}
	r.see("POINT OF NO RETURN").pass()
	b.step <- struct{}{}
	r.see("▸ + create-function", "the name does not answer")
	r.press("esc").see("Stop?", "5 of 8 steps are done", "THE FUNCTION IS DELETED")
	r.press("enter").missing("Stop?")
	r.press("esc", "esc").see("stopping at the next safe place")
	b.step <- struct{}{}
	r.settle().see("was stopped", "Stopped after 6 of 8 steps", "next     optlift resume", "or       optlift rollback")
	r.press("y").settle()
	if want := "optlift resume 20260314-092653-orders-api --write --confirm orders-api"; r.copied != want {
		t.Fatalf("copied %q, want %q", r.copied, want)
	}
	b.step = nil
	r.press("c").write("orders-api").press("enter").see("POINT OF NO RETURN").pass().settle().see("now runs from a container image")
}

func TestLeavingAsksWhileAJobRuns(t *testing.T) {
	b := newFake(10)
	b.armed = true
	b.step = make(chan struct{})
	r := migrateTo(t, b, 100, 40)
	r.press("a").write("orders-api").press("enter").see("▸ + backup")
	r.press(":").write("functions").press("enter").see("Migrating orders-api is under way")
	r.press("ctrl+c").see("Leave while the account is being changed?", "Nothing in the account has been changed").press("enter")
	if r.quit {
		t.Fatal("left without asking")
	}
	r.press(":").write("migrate").press("enter").see("Migrating orders-api")
	r.press("ctrl+c", "ctrl+c").see("stopping at the next safe place, then leaving")
	b.step <- struct{}{}
	r.until("the program to end", func() bool { return r.quit })
	if !r.m.interrupted {
		t.Fatal("a job was cut short and nobody says so")
	}
}

func TestBlockers(t *testing.T) {
	b := newFake(10)
	b.plan.Blockers = []switchover.Notice{{ID: "stack-managed", Message: "The stack billing manages this function."}}
	r := migrateTo(t, b, 100, 40)
	r.see("✗ stack-managed").press("a").see("not now: 1 blocker in the way")
	r.press("x").see("Accept this blocker?").write("stack-managed").press("enter").settle()
	r.see("accepted: stack-managed").missing("BLOCKERS")
}

func TestErrorsAreShown(t *testing.T) {
	b := newFake(0)
	b.functions = nil
	b.errors = []account.RegionError{{Region: fakeRegion, Message: "lambda:ListFunctions is not allowed for dev: ask for it"}}
	r := newRobot(t, b, 80, 24).settle()
	r.see("could not be listed", "ListFunctions is not allowed")
	r.press("!").see("eu-west-1: lambda:ListFunctions")

	b = newFake(10)
	b.openErr = errors.New("layer legacy-tools:1 is deleted")
	r = newRobot(t, b, 80, 24).settle()
	r.press("o").settle().see("could not be opened", "legacy-tools:1 is deleted", "r tries again")

	b = newFake(10)
	b.planErr = errors.New("lambda:GetPolicy is not allowed")
	r = newRobot(t, b, 80, 24).settle()
	r.press("m").settle().see("No plan could be made", "GetPolicy is not allowed")
}

func TestHelpNamesEveryKey(t *testing.T) {
	r := newRobot(t, newFake(10), 100, 60).settle()
	r.press("?").see("show the selected function", "FUNCTION", "MOVING", "COMMANDS", ":journal", "look under /opt").press("G").see("size>200MB")
}

func TestSessionLogShowsCalls(t *testing.T) {
	b := newFake(10)
	b.unsure = "every region of the partition is asked"
	r := newRobot(t, b, 120, 30)
	r.see("every region of the partition is asked").settle()
	r.press("!").see("AWS CALLS", "the last 4 of 1,204", "Lambda GetFunction", "3 tries", "2.3 s", "orders-api", "✗ Lambda GetLayerVersionByArn", "is not allowed for dev", "⊘ Lambda DeleteFunction")
	r.press("x").missing("ListFunctions").see("is not allowed for dev", "all calls")
	clean(t, r.m)
}

func TestExtract(t *testing.T) {
	r := newRobot(t, newFake(10), 100, 30).settle()
	dir := filepath.Join(t.TempDir(), "out")
	r.press("o").settle().press("/").write("shared").press("enter", "e").see("Extract", "/opt/python/ with", "Nothing that is there is overwritten")
	r.press("ctrl+u").press("enter").see("Nothing is typed").write(dir).press("enter").settle().see("extracted 4 files")
	got, err := os.ReadFile(filepath.Join(dir, "opt", "python", "shared.py"))
	if err != nil || string(got) != zips["python-deps:4"]["python/shared.py"] {
		t.Fatalf("%q, %v", got, err)
	}
	r.press("e", "ctrl+u").write(dir).press("enter").settle().see("✗ extract to")
	r.press("e").see("Extract").press("esc").missing("a directory of this machine")
}

func TestWhatIf(t *testing.T) {
	b := newFake(10)
	r := newRobot(t, b, 110, 30).settle()
	r.press("o").settle().press("/").write("shared").press("enter", "down").see("B  ▲ A", "B is used, over A different")
	// Merged earlier, B loses: the selected path is A's now, and B still what moves.
	r.press("<").settle().see("WHAT IF", "conflicts 1 → 1", "A  ▲ B", "A is used, over B different", "▸2B", "1 path changed")
	r.press("e").see("not now: these are not the layers as they are")
	r.press("w").see("OTHER CONTENT IS USED", "~ /opt/python/shared.py").press("esc")
	r.press("<").see("B is at that end already").press(">").settle().missing("WHAT IF").see("B  ▲ A")
	r.press("d").settle().see("without B", "conflicts 1 → 0 −1", "→ ")
	r.press("w").see("CONFLICTS FIXED", "✓ /opt/python/shared.py", "GONE", "- /opt/python/numpy/core.py").press("esc")
	r.press("u").settle().missing("WHAT IF").see("B  ▲ A").press("u").see("not now: the layers are as they are")
	r.press("tab", "tab", "d").settle().see("without C")
	r.press("d").settle().press("d").settle().see("No layers", "u takes the last change back, U all of them").press("d").see("not now: there are no layers left")
	r.press("u").settle().see("layers 3 → 1 of 5", "without C").press("U").missing("WHAT IF").see("B  ▲ A", "fonts:2")
	if len(b.did()) != 0 || b.Armed() {
		t.Fatal("something was done to the account")
	}
}

func TestExport(t *testing.T) {
	r := newRobot(t, newFake(20), 100, 30).settle()
	file := filepath.Join(t.TempDir(), "list.csv")
	r.press("/").write("ext:collector !worker").press("enter", "e").see("Export", "The 2 functions on screen", "functions.csv")
	r.press("ctrl+u").write(file).press("enter").settle().see("wrote 2 functions to")
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "reports-render") || strings.Contains(string(data), "tiny") {
		t.Fatalf("%s, %v", data, err)
	}
	r.press("e", "ctrl+u").write(file).press("enter").settle().see("is there already: type another name")
	r.press("e", "ctrl+u").write("x.txt").press("enter").settle().see("must end in .csv, .json or .md")
}

func TestFindings(t *testing.T) {
	r := newRobot(t, newFake(20), 100, 30).settle()
	r.press("F").see("1 error · 2 warnings · 1 note", "▌✗", "legacy-export", "layer-deleted", "→ Publish the layer's content again")
	r.press("down", "enter").see("billing-sync", "UNZIPPED SIZE").press("esc").see("▌▲", "→ Change the stack's template instead.")
	r.press("/").write("severity:note").press("enter").see("1 shown", "shadowed").press("f").see("/finding:shadowed", "reports-render", "1 shown")
	r.press("esc").press(":").write("findings nothing").press("enter").see("1 error")
}
