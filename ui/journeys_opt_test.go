package ui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rows are the paths on screen, by the row's first column of letters.
func (r *robot) rows() []string {
	var out []string
	for _, l := range strings.Split(r.screen(), "\n") {
		if fields := strings.Fields(l); len(fields) > 2 && slices.ContainsFunc(fields, func(f string) bool { return f == "0644" || f == "0755" }) {
			out = append(out, fields[len(fields)-1])
		}
	}
	return out
}

func TestBiggestFiles(t *testing.T) {
	r := newRobot(t, newFake(10), 110, 40).settle()
	r.press("o").settle().press("b").see("/opt  biggest files")
	rows := r.rows()
	if len(rows) < 8 || rows[0] != "python/numpy/core.py" || rows[1] != "extensions/collector" || rows[2] != "fonts/sans.ttf" {
		t.Fatalf("biggest first: %v", rows)
	}
	r.press("s").see("not now: the biggest files come first")
	r.press("/").write("fonts").press("enter").see("fonts/README.md").missing("numpy")
	r.press("esc", "b").see("▸ python/").missing("biggest files,")
}

func TestOnlyAPart(t *testing.T) {
	r := newRobot(t, newFake(10), 110, 40).settle()
	r.press("o").settle().press("1").see("layer A only", "shared.py", "same.py", "collector.yaml").missing("▸ fonts", "numpy")
	r.press("x").see("shadowed only, layer A only").missing("collector.yaml").press("x", "1").see("▸ fonts/")
	r.press("X").see("extensions only", "collector").missing("collector.yaml", "numpy").press("X").see("▸ fonts/")
	r.press("3").see("sans.ttf").missing("shared.py").press("0").see("▸ python/")
	r.press("t").press("X").see("not now: extensions lie under /opt").press("1").see("not now: this is the code")
}

func TestExtractMarked(t *testing.T) {
	r := newRobot(t, newFake(10), 110, 40).settle()
	dir := filepath.Join(t.TempDir(), "out")
	r.press("o").settle().press("b").press("space").see("1 marked", "● 2B").press("down", "space", "t").see("/var/task")
	r.press("n").missing("marked").press("t", "g", "space", "down", "space", "e").see("/opt/fonts/sans.ttf, /opt/python/numpy/core.py", "all of them or none")
	r.press("ctrl+u").write(dir).press("enter").settle().see("extracted 2 files").missing("2 marked")
	for _, name := range []string{"opt/python/numpy/core.py", "opt/fonts/sans.ttf"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	// A directory stands for what lies below it; marking again takes the mark away.
	r.press("b", "g", "E").press("space").see("●", "∙").press("up", "space").missing("●", "∙", "marked")
}

func TestWhatTheRuntimeFinds(t *testing.T) {
	r := newRobot(t, newFake(10), 110, 40).settle()
	r.press("/").write("orders-api").press("enter", "o").settle().see("FOUND").press("/").write("otel/").press("enter", "G")
	r.see("◂ c", "not found by nodejs22.x, which looks at /var/task/node_modules/otel first")
	r.press("esc", "t", "E").see("▸ opt").press("/").write("otel/").press("enter", "G").see("found first, not /opt/nodejs/node_modules/otel")
	// Python looks elsewhere: nothing of this is hidden from it.
	r = newRobot(t, newFake(10), 110, 40).settle()
	r.press("o").settle().press("E").see("index.js").missing("FOUND", "◂")
}

func TestCompareSideBySide(t *testing.T) {
	r := newRobot(t, newFake(10), 120, 40).settle()
	r.press("o").settle().press("/").write("shared").press("enter", "down", "c").settle()
	r.see("- 1A otel-collector:12 (shadowed)", "│ + 2B python-deps:4 (used)", "    2 - VERSION = 1", "│     2 + VERSION = 2")
	r.press("tab").see("not now: there is one other copy only")
	r.press("x").see("not now: this is a comparison")
}

// The three ways of having a layer in an image, and what they do to the plan.
func TestLayersFrom(t *testing.T) {
	b := newFake(10)
	r := migrateTo(t, b, 110, 40)
	r.see("A otel-collector:12", "its zip").press("v").see("● b", "not possible: no image of this layer's publisher")
	r.press("a").see("not now: no image of this layer's publisher is known")
	r.press("i").write("ghcr.io/acme/otel:bad").press("enter").settle().see("✗ ghcr.io/acme/otel:bad was not taken", "/opt/collector.yaml is missing", "● b")
	r.press("i").write("ghcr.io/acme/good:12").press("enter").settle().see("● a its publisher's image", "is taken from ghcr.io/acme/good:12@sha256:77aa")
	r.press("c").see("Allow changes").write(fakeAccount).press("enter").see("Publish otel-collector:12 as an image", "layers/otel-collector:12").press("enter").settle()
	r.see("● c an image of its own", "/layers/otel-collector:12@sha256:88bb")
	r.press("esc").see("STEPS", "@sha256:88bb").press("y").settle()
	want := "optlift migrate orders-api --strategy replace --layer-from " + arn("layer", "otel-collector:12") + "=" + fakeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/layers/otel-collector:12@sha256:88bb --write --confirm orders-api"
	if r.copied != want {
		t.Fatalf("copied %q", r.copied)
	}
	r.press("a").write("orders-api").press("enter").see("POINT OF NO RETURN").pass().settle().see("now runs from")
	if got := b.chose; got[arn("layer", "otel-collector:12")] == "" {
		t.Fatalf("the run was given %v", got)
	}
	// Back to the zip.
	migrateTo(t, newFake(10), 110, 40).press("v", "i").write("ghcr.io/acme/good:12").press("enter").settle().press("b").settle().press("esc").see("its zip").missing("sha256:77aa")
}

func TestPauseCanBeTurnedOff(t *testing.T) {
	b := newFake(10)
	b.armed = true
	r := migrateTo(t, b, 100, 50).see("from here on callers notice: the run pauses for your word")
	r.press("p").see("the run does not pause").press("a").missing("asks for the name again").write("orders-api").press("enter").settle().see("now runs from")
}

// Stopped where it waits, nobody has noticed anything.
func TestStopAtThePointOfNoReturn(t *testing.T) {
	b := newFake(10)
	b.armed = true
	r := migrateTo(t, b, 100, 50).press("a").write("orders-api").press("enter").see("POINT OF NO RETURN")
	r.press("g", "enter").see("archive", "sha256:5e88").press("esc").press("down", "down", "enter").see("base", "nodejs:22", "lint", "every rule", "proof", "1204 paths", "✓ PutImage").press("esc")
	r.press("c").see("Go on past").press("esc").see("nothing was changed", "POINT OF NO RETURN")
	r.press("esc").see("the run waits before delete-function").press("esc").settle().see("was stopped", "Stopped after 4 of 8 steps")
}
