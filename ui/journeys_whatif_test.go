package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// layersToTry are what the fake's account has besides what its functions use.
func layersToTry(t testing.TB) {
	more := map[string]map[string]string{
		"python-deps:9": {"python/shared.py": zips["otel-collector:12"]["python/shared.py"], "python/same.py": "same = True\n", "python/new.py": "new = True\n"},
		"arm-tools:1":   {"bin/tool": "#!/bin/sh\n", "collector.yaml": "receivers: {}\n"},
		"huge:1":        {"data": "x"},
	}
	for name, content := range more {
		zips[name] = content
	}
	t.Cleanup(func() {
		for name := range more {
			delete(zips, name)
		}
	})
}

func TestWhatIfALayerIsAdded(t *testing.T) {
	layersToTry(t)
	b := newFake(10)
	r := newRobot(t, b, 120, 40).settle().press("o").settle()
	// By ARN: it is declared for another architecture, and hides a file.
	r.press("a").see("What if a layer came on top?", "a zip's path").write(arn("layer", "arm-tools:1")).press("enter").settle()
	r.see("WHAT IF", "of 250.0 MiB", "layers 3 → 4 of 5", "conflicts 1 → 2 +1", "with D 24 B", "4D  arm-tools:1", "▲ arm-tools:1 is declared for arm64")
	r.press("w").see("NEW CONFLICTS", "▲ /opt/collector.yaml", "WORTH KNOWING", "is declared for arm64, and the function is x86_64", "NEW", "+ /opt/bin/tool", "unzipped 15,", " bytes; must be smaller than 262,144,000", "layers 3 → 4 of 5 at most").press("esc")
	r.press("d").settle().press("w", "y").settle()
	if want := "optlift opt " + arn("function", "reports-render") + " --drop 1 --add " + arn("layer", "arm-tools:1"); r.copied != want {
		t.Fatalf("copied %q, want %q", r.copied, want)
	}
	r.press("esc", "u").settle()
	// Its own key shows what it has; moved below, it no longer hides anything.
	r.press("4").see("layer D only", "tool").missing("numpy").press("0")
	r.press("tab", "tab", "tab", "tab").see("▸4D")
	r.press("<", "<", "<").settle().see("▸4D  arm-tools:1  24 B    1A")
	// Each change is taken back by itself, esc takes back all.
	r.press("u").settle().see("1A  otel-collector:12  4.9 KiB   ▸4D")
	r.press("u", "u").settle().see("3C  fonts:2  4.4 KiB   ▸4D", "with D").press("u").settle().missing("WHAT IF")
	r.press("a").write("arm-tools").press("enter").settle().see("with D").press("d").settle().missing("WHAT IF").press("d").settle().see("without A")
	r.press("/").write("fonts").press("enter", "esc").see("WHAT IF", "esc as it is").press("esc").missing("WHAT IF").see("/opt", "esc back")
	if len(b.did()) != 0 || b.Armed() {
		t.Fatal("something was done to the account")
	}
}

func TestWhatIfALayerIsUpgraded(t *testing.T) {
	layersToTry(t)
	b := newTold()
	b.newest[0].Versions[arn("layer", "python-deps")] = 9
	r := newRobot(t, b, 120, 40).settle().press("o").settle().press("/").write("shared").press("enter", "down", "v")
	// The newest version is known, and typed already.
	r.see("What if 2B python-deps:4 were another?", "› "+arn("layer", "python-deps:9")).press("enter").settle()
	r.see("layers 3 → 3 of 5", "conflicts 1 → 0 −1", "B was python-deps:4 5.6 KiB", "2B  python-deps:9", "B  = A")
	r.press("esc", "w").see("CONFLICTS FIXED", "✓ /opt/python/shared.py", "GONE", "- /opt/python/numpy/core.py", "NEW", "+ /opt/python/new.py").press("esc")
	// By a zip of this machine, which takes the layer's place and letter.
	file, err := writeZip(t.TempDir(), "mine", map[string]string{"python/shared.py": "mine"})
	if err != nil {
		t.Fatal(err)
	}
	r.press("v", "ctrl+u").write(file).press("enter").settle().see("2B  mine.zip", "B was python-deps:4").press("u").settle().see("2B  python-deps:9").press("u").settle().missing("WHAT IF")
}

func TestTheSixthLayerIsTooMany(t *testing.T) {
	layersToTry(t)
	r := newRobot(t, newFake(10), 120, 40).settle().press("o").settle()
	for _, name := range []string{"arm-tools", "huge", "python-deps"} {
		r.press("a").write(name).press("enter").settle().see("WHAT IF")
	}
	r.see("layers 3 → 6 of 5 too many", "✗ 1 of 3: 6 layers: a function may have 5 at most")
	r.press("w").see("LAMBDA WOULD REFUSE IT", "✗ 6 layers: a function may have 5 at most", "is there more than once: a function may have one version of")
}

// A function whose layer is gone is shown as far as it can be read, and what another
// layer in its place would be.
func TestWhatIfForALayerThatIsGone(t *testing.T) {
	layersToTry(t)
	r := newRobot(t, newFake(10), 110, 30).settle().press("/").write("legacy").press("enter", "o").settle()
	r.see("1A  legacy-tools:1  ? deleted", "▲ 1A is deleted: this is only a part of what lies under /opt").press("e").see("not now:")
	r.press("v", "ctrl+u").write("huge").press("enter").settle().see("WHAT IF  ? → 1", "1A  huge:1  1 B", "A was legacy-tools:1 ?", "data").missing("is deleted")
	r.press("esc").see("? deleted").press("a").write("huge").press("enter").settle().see("WHAT IF  ? → ? a size is not known", "is deleted", "2B  huge:1")
	r.press("U", "t").see("/var/task", "index.mjs").press("e").see("Extract")
}

// What can't be tried says why, keeps what was typed, and changes nothing.
func TestWhatIfThatFails(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.zip")
	if err := os.WriteFile(text, []byte("this is no zip at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRobot(t, newFake(10), 100, 30).settle().press("o").settle()
	for typed, want := range map[string]string{
		"nobody":                        "has no layer nobody",
		filepath.Join(dir, "none.zip"):  "there is no file",
		text:                            "not a zip",
		arn("layer", "python-deps:404"): "has no layer",
	} {
		r.press("a", "ctrl+u").write(typed).press("enter").settle().see("WHAT IF  ✗ ", want, "esc leave it", "a ask again").missing("layers 3")
		r.press("a").see("What if a layer came on top?", "› ", "✗ ").press("esc").missing("WHAT IF")
	}
	r.press("!").see("has no layer nobody").press("esc")
	// The layers tried before stay as they were.
	r.press("d").settle().see("without A").press("a").write("nobody").press("enter").settle().see("without A", "✗ account").press("esc").see("without A").missing("✗ account")
	r.press("v").see("were another?").press("esc").see("without A").press("esc").missing("WHAT IF")
	r.press("t", "a").see("not now: this is the code")
}

func TestReadingALayerCanBeStopped(t *testing.T) {
	layersToTry(t)
	b := newFake(10)
	r := newRobot(t, b, 100, 30).settle().press("o").settle()
	b.opening = make(chan struct{})
	r.press("a").write("arm-tools").press("enter").see("WHAT IF  … asking for arm-tools", "esc stop reading")
	r.press("d").see("not now: a layer is being read").press("esc").see("stopped reading arm-tools").settle().missing("WHAT IF")
	// Left behind while it reads, it ends with its screen.
	r.press("a").write("arm-tools").press("enter").see("asking for").press("/").write("x").press("esc", ":").write("functions").press("enter").see("FUNCTION").settle()
	r.press("o")
	b.opening <- struct{}{}
	r.settle().see("MODE").missing("WHAT IF")
}

// What is typed is completed from the account's layers and this machine's files.
func TestLayersAreCompleted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sub/inner.zip", "one.zip", "only.txt", ".hidden.zip", "evil\x1b[31m.zip"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := newRobot(t, newTold(), 110, 40).settle().press("o").settle()
	r.press("a").settle().see("Tab "+arn("layer", "otel-collector:14")).missing("otel-collector:12\n", "legacy-tools", "999988887777")
	r.write("otel").press("tab").see("› " + arn("layer", "otel-collector:14"))
	r.press("ctrl+u").write(dir+"/").settle().see("one.zip", "sub/").missing("only.txt", "hidden", "evil")
	r.write("on").press("tab").see("one.zip").press("ctrl+u").write(dir + "/.").see(".hidden.zip")
	r.press("ctrl+u").write(dir+"/s").press("tab").settle().see("sub/inner.zip").press("tab").see("inner.zip").press("enter").settle().see("✗ ", "inner.zip")
	clean(t, r.m)
	if !strings.Contains(r.screen(), "not a zip") {
		t.Errorf("an empty file is taken for a zip:\n%s", r.screen())
	}
}

// A saved report has no archives, but zips of this machine can be tried all the
// same.
func TestWhatIfOfZipsAlone(t *testing.T) {
	dir := t.TempDir()
	one, err := writeZip(dir, "one", map[string]string{"a": "1"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := writeZip(dir, "two", map[string]string{"a": "2"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRobot(t, newFake(10), 110, 30).settle()
	r.press(":").write("opt " + one).press("enter").settle().press("a").write(two).press("enter").settle()
	r.see("WHAT IF  1 B → 2 B", "layers 1 → 2 of 5", "conflicts 0 → 1 +1")
}

// What a zip of this machine holds reaches the terminal as little as what an
// account holds.
func TestPlantedZip(t *testing.T) {
	dir := t.TempDir()
	bidi := ziptest.Write(t, ziptest.File("bin/\u202etxt.exe", nasty), ziptest.File("collector.yaml", nasty), ziptest.Link("bin/link", "\u2066x\u202e"))
	escape := ziptest.Write(t, ziptest.File("bin/\x1b]0;title\x07", "x"))
	named := filepath.Join(dir, "a\u202e\x1b[31mred.zip")
	if err := os.WriteFile(named, ziptest.Bytes(ziptest.File("a", "a")), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRobot(t, newFake(10), 110, 40).settle().press("o").settle()
	r.press("a").write(bidi).press("enter").settle().see("with D", "+1").press("E").see("exe")
	clean(t, r.m)
	r.press("w").see("txt.exe")
	clean(t, r.m)
	r.press("esc", "a").write(escape).press("enter").settle().see("✗ ")
	clean(t, r.m)
	// A name that can't be shown can't be typed either.
	r.press("esc", "a").write(dir + "/").settle().missing("red.zip")
	r.send(tea.PasteMsg{Content: named})
	clean(t, r.m)
	r.press("enter").settle().see("✗ there is no file")
	clean(t, r.m)
}
