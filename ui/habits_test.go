package ui

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/config"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// configured is the default configuration with changes.
func configured(change func(c *config.Config)) Options {
	c := config.Default()
	change(&c)
	return Options{Config: c}
}

// order checks that texts stand on screen one below the other.
func (r *robot) order(texts ...string) *robot {
	r.t.Helper()
	rest := r.screen()
	for _, text := range texts {
		i := strings.Index(rest, text)
		if i < 0 {
			r.t.Fatalf("%q is missing, or not below the ones before it:\n%s", text, r.screen())
		}
		rest = rest[i+len(text):]
	}
	return r
}

// line is the first line of the screen that holds a text, counted from 0.
func (r *robot) line(text string) int {
	r.t.Helper()
	for i, l := range strings.Split(r.screen(), "\n") {
		if strings.Contains(l, text) {
			return i
		}
	}
	r.t.Fatalf("%q is not on screen:\n%s", text, r.screen())
	return 0
}

// column is where a text begins in its line.
func (r *robot) column(text string) int {
	r.t.Helper()
	l := strings.Split(r.screen(), "\n")[r.line(text)]
	return ansi.StringWidth(l[:strings.Index(l, text)])
}

// click clicks on the first place where a text stands.
func (r *robot) click(text string) *robot {
	r.t.Helper()
	r.send(tea.MouseClickMsg{X: r.column(text), Y: r.line(text), Button: tea.MouseLeft})
	return r
}

func TestReboundKeys(t *testing.T) {
	r := newRobotWith(t, newFake(10), 80, 24, configured(func(c *config.Config) {
		c.Keys = keys.Bound{"layers": {"z"}, "opt": {"v", "f2"}, "back": {"backspace"}, "quit": {"Q"}, "filter": {"alt+x"}}
	})).settle()
	r.see("z layers", "v /opt", "Q quit")
	r.missing("L layers", "o /opt", "q quit")
	r.press("L").missing("layers ›").press("z").see("functions › layers")
	r.press("L", "q").see("functions › layers") // what a key meant is gone
	r.see("backspace back").press("backspace").missing("› layers")
	r.press("z").see("› layers").press("esc").missing("› layers") // esc stays
	r.press("f2").settle().see("/opt").press("esc")
	r.press("?").see("v f2", "look under /opt").press("esc")
	r.press("alt+x").write("tiny").press("enter").see("1 shown")
	r.press("Q").settle()
	if !r.quit {
		t.Fatal("Q does not leave")
	}
}

func TestBoundKeysStandInTexts(t *testing.T) {
	b := newFake(0)
	b.functions = nil
	b.errors = []account.RegionError{{Region: fakeRegion, Message: "no answer"}}
	newRobotWith(t, b, 80, 24, configured(func(c *config.Config) { c.Keys = keys.Bound{"refresh": {"f5"}} })).settle().
		see("f5 tries again").press("f5").settle().see("no answer")
}

func TestMarks(t *testing.T) {
	b := newFake(12)
	r := newRobot(t, b, 120, 30).settle()
	r.press("M").see("not now: no function is marked: Space marks the selected one")
	r.press("1", "g", "space", "space").see("2 marked · 12 functions", "M migrate 2")
	if n := strings.Count(r.screen(), "●"); n != 2 {
		t.Fatalf("%d rows have a mark", n)
	}
	r.press("6") // another order
	if n := strings.Count(r.screen(), "●"); n != 2 {
		t.Fatalf("%d rows have a mark after sorting", n)
	}
	r.press("/").write("thumb").press("enter").see("2 marked, 2 of them hidden").press("space").see("3 marked, 2 of them hidden")
	r.press("esc").see("3 marked · 12 functions")
	// A function that is gone takes its mark along.
	b.mu.Lock()
	gone := b.functions[4].Name
	b.functions = append(b.functions[:4:4], b.functions[5:]...)
	b.mu.Unlock()
	r.press("r").settle().missing(gone).see("2 marked · 11 functions")
	r.press("ctrl+a").see("11 marked").press("ctrl+a").missing("marked ·")
}

// TestBulkTakesTheMarkedFunctions hands over ARNs in the list's order, without
// images.
func TestBulkTakesTheMarkedFunctions(t *testing.T) {
	r := newRobot(t, newFake(6), 120, 30).settle()
	r.press("1", "ctrl+a")
	e := r.m.first().Do("bulk")
	if e.Open.Name != screen.Bulk || len(e.Open.Args) != 5 || e.Open.Args[0] != arn("function", "billing-sync") {
		t.Fatalf("%+v", e.Open)
	}
	if !strings.Contains(e.Note, "1 marked function is an image already") {
		t.Fatal(e.Note)
	}
}

func TestColumns(t *testing.T) {
	r := newRobot(t, newFake(10), 120, 30).settle()
	r.press("c").see("functions › columns", "[x] name", "[ ] memory")
	r.press("space").see("not now: a table without names would tell little")
	r.press("down", "space").see("[ ] runtime").press("esc").missing("RUNTIME")
	// The hidden column is at the end now, and what is shown last comes last.
	r.press("c", "G", "space").see("[x] managed").press("esc").see("MANAGED BY")
	r.press("c").press("down", "down", "<").press("enter", "y").settle()
	if !strings.Contains(r.copied, `columns = ["name", "type", "arch"`) || !strings.Contains(r.copied, `sort = "type"`) {
		t.Fatalf("copied %q", r.copied)
	}
	if _, err := config.Parse("copied", []byte(r.copied)); err != nil {
		t.Fatal(err)
	}
	r.press("esc").order("FUNCTION", "TYPE↑", "ARCH")
	r.press("c", "g", "+").press("y").settle()
	if !strings.Contains(r.copied, "name = 45") {
		t.Fatalf("copied %q", r.copied)
	}
	r.press("u").press("esc").see("RUNTIME").missing("MANAGED BY")
}

func TestConfiguredColumns(t *testing.T) {
	r := newRobotWith(t, newFake(6), 120, 30, configured(func(c *config.Config) {
		c.Layout.Columns, c.Layout.Sort, c.Layout.Widths = []string{"percent", "name", "memory"}, "name", map[string]int{"name": 9}
	})).settle()
	r.order("OF 250 MB", "FUNCTION↑", "MEMORY").see("billing-…", "512 MB").missing("RUNTIME", "REGION")
	r.press("3").order("FUNCTION", "↓MEMORY")
}

func TestSavedFilters(t *testing.T) {
	r := newRobotWith(t, newFake(40), 120, 30, configured(func(c *config.Config) {
		c.Filters = map[string]string{"big": "size>200MB", "node": "runtime:node"}
	})).settle()
	r.press("f").see("saved filters", "big", "1 function", "size>200MB", "node", "runtime:node")
	r.press("enter").see("1 shown", "/@big", "reports-render")
	r.press("esc").missing("shown")
	r.press(":").write("filter no").press("tab", "enter").see("/@node", "14 shown")
	r.press("/").write(" !@big arch:arm64").press("enter").see("5 shown")
	r.press("esc", "/").write("@small").see(`no saved filter "small", but big, node`).press("esc")
	newRobot(t, newFake(6), 120, 30).settle().press("f").see("not now: the configuration file has no filters")
}

func TestMouse(t *testing.T) {
	r := newRobot(t, newFake(40), 120, 30).settle()
	if r.m.View().MouseMode != tea.MouseModeCellMotion {
		t.Fatal("the mouse is off")
	}
	first := r.m.first()
	r.click("orders-api")
	if first.Selected().Name != "orders-api" {
		t.Fatalf("%s is selected", first.Selected().Name)
	}
	r.click("FUNCTION").see("FUNCTION↑").click("FUNCTION").see("FUNCTION↓").click("UNZIPPED").see("↓UNZIPPED")
	r.press("g")
	name := first.Selected().Name
	r.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if at := r.line("▌"); at != 7 {
		t.Fatalf("the wheel went to line %d", at)
	}
	r.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if first.Selected().Name != name {
		t.Fatalf("the wheel came back to %s", first.Selected().Name)
	}
	r.click("L layers").see("functions › layers").click("functions").missing("› layers")
	r.click("orders-api").click("orders-api").see("functions › orders-api").press("esc")
	r.press("L").click("fonts").see("layer:fonts:2").click("LAYER VERSION").see("LAYER VERSION↑").press("O").
		see("copied: https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/layers/").press("esc")
	r.press("F").click("legacy-export").click("legacy-export").see("› legacy-export").press("esc", "esc")
	// A question is not answered by a click.
	r.press("e").see("Export").click("Export").see("Export").press("esc")
	r.press("ctrl+t").see("the mouse is the terminal's")
	if r.m.View().MouseMode != tea.MouseModeNone {
		t.Fatal("the mouse is on")
	}
	r.press("g").click("orders-api")
	if first.Selected().Name == "orders-api" {
		t.Fatal("a click works with the mouse off")
	}
	off := newRobotWith(t, newFake(6), 80, 24, configured(func(c *config.Config) { c.Mouse = false })).settle()
	if off.m.View().MouseMode != tea.MouseModeNone {
		t.Fatal("the mouse is on against the configuration")
	}
	off.press("ctrl+t").see("the mouse selects")
}

func TestThemes(t *testing.T) {
	r := newRobot(t, newFake(6), 120, 30).settle()
	is := func(name string) bool { return r.m.styles.Same(theme.Named(name, true, theme.Full)) }
	r.press(":").write("theme").press("enter").see("themes", "colour-blind safe", "sixteen colours")
	r.press("down", "down")
	if !is(theme.Light) {
		t.Fatal("the selected theme is not in force")
	}
	if v := r.m.View(); v.BackgroundColor == nil || theme.IsDark(v.BackgroundColor) {
		t.Fatal("a light theme on a dark terminal does not bring its background")
	}
	r.press("esc")
	if r.m.View().BackgroundColor != nil {
		t.Fatal("the background stays")
	}
	if !is(theme.Auto) {
		t.Fatal("esc does not take the preview back")
	}
	r.press(":").write("theme").press("enter", "G", "enter").see("✓ theme none")
	if !is(theme.None) {
		t.Fatal("the theme was not kept")
	}
	r.press(":").write("theme sa").press("tab").write("-l").press("tab", "enter").see("✓ theme safe-light")
	r.press(":").write("theme pink").press("enter").see("there is no theme pink, but auto")
	if !is(theme.SafeLight) {
		t.Fatal("a misspelt theme changed the colours")
	}
}

// TestTypingHasTheTerminalsCursor looks at where the cursor stands while a filter,
// a command or an answer is typed.
func TestTypingHasTheTerminalsCursor(t *testing.T) {
	r := newRobot(t, newFake(6), 80, 24).settle()
	at := func(x, y int) {
		t.Helper()
		c := r.m.View().Cursor
		if c == nil || c.X != x || c.Y != y {
			t.Fatalf("the cursor is %+v, not at %d,%d:\n%s", c, x, y, r.screen())
		}
	}
	if r.m.View().Cursor != nil {
		t.Fatal("there is a cursor while nothing is typed")
	}
	r.press("/").write("宽é").press("left")
	at(r.column("/宽")+3, 22)
	r.press("esc", ":").write("log")
	at(r.column(":log")+4, 22)
	r.press("esc", "e")
	at(r.column("functions.csv")+len("functions.csv"), r.line("functions.csv"))
	r.press("esc")
	if r.m.View().Cursor != nil {
		t.Fatal("the cursor stays")
	}
}

func TestHistoryOutlivesTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history")
	o := Options{History: path}
	r := newRobotWith(t, newFake(6), 80, 24, o).settle()
	r.press("/").write("tiny").press("enter", ":").write("layers").press("enter", ":").write("journal").press("enter")
	if err := r.m.keep(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	next := newRobotWith(t, newFake(6), 80, 24, o).settle()
	next.press(":", "up").see(":journal").press("up").see(":layers").press("esc", "/", "up").see("/tiny")
	// What someone else wrote there reaches no terminal raw.
	if err := os.WriteFile(path, []byte(":x\x1b]52;c;ZXZpbA==\x07y\n/\x9b2Jz\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	newRobotWith(t, newFake(6), 80, 24, o).settle().missing("evil")
	if err := os.WriteFile(path, []byte(":x\x1b]52;c;ZXZpbA==\x07y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	last := newRobotWith(t, newFake(6), 80, 24, o).settle().press(":", "up").see(":xy")
	clean(t, last.m)
}

func TestConsole(t *testing.T) {
	b := newFake(6)
	b.endpoint = "http://localhost:4566"
	newRobot(t, b, 120, 30).settle().press("O").see("not now: this account is not AWS's: it is served at http://localhost:4566")
	r := newRobot(t, newFake(6), 200, 30).settle()
	var opened string
	r.m.browse = func(_ context.Context, page string) bool { opened = page; return true }
	r.press("O").settle().see("opened in the browser, and copied: https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/reports-render")
	if r.copied != opened || !strings.HasSuffix(opened, "/functions/reports-render") {
		t.Fatalf("copied %q, opened %q", r.copied, opened)
	}
	r.m.browse = func(context.Context, string) bool { return false }
	r.press("enter").see("› reports-render").press("O").settle().see("✓ copied: https://")
	r.press("J").settle().press("O").see("not now: nothing on this screen has a page")
}

func TestTitleAndProgress(t *testing.T) {
	b := newFake(9)
	b.hold = make(chan struct{})
	r := newRobot(t, b, 80, 24)
	if p := r.m.View().ProgressBar; p == nil || p.State != tea.ProgressBarIndeterminate {
		t.Fatalf("while listing: %+v", p)
	}
	for range 12 {
		b.hold <- struct{}{}
	}
	r.see("3 of 9 measured, loading")
	if p := r.m.View().ProgressBar; p == nil || p.State != tea.ProgressBarDefault || p.Value != 33 {
		t.Fatalf("while measuring: %+v", p)
	}
	r = newRobot(t, nastyBackend(), 80, 24).settle()
	if r.m.View().ProgressBar != nil {
		t.Fatal("the progress stays")
	}
	r.press("6", "6", "1", "g", "enter")
	title := r.m.View().WindowTitle
	if !strings.Contains(title, "evil") || strings.ContainsFunc(title, func(c rune) bool { return c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == 0x202e }) {
		t.Fatalf("the title is %q", title)
	}
}

// TestRefreshKeepsThePlace looks at the line of the selected row, not only at
// which it is, while rows come above it.
func TestRefreshKeepsThePlace(t *testing.T) {
	b := newFake(60)
	r := newRobot(t, b, 80, 24).settle()
	r.press("1", "G", "up", "up", "up", "up")
	name, at := r.m.first().Selected().Name, r.line("▌")
	b.mu.Lock()
	more := newFake(66).functions[60:]
	for i, f := range more {
		f.Name = "aaa-" + f.Name
		f.ARN = arn("function", f.Name)
		b.functions = append(b.functions, more[i])
	}
	b.mu.Unlock()
	r.press("r").settle().see("66 functions")
	if now := r.m.first().Selected().Name; now != name || r.line("▌") != at {
		t.Fatalf("%s in line %d became %s in line %d", name, at, now, r.line("▌"))
	}
}

func TestSuspend(t *testing.T) {
	r := newRobot(t, newFake(6), 80, 24).settle()
	_, cmd := r.m.Update(keyOf("ctrl+z"))
	if msg := first(cmd); msg == nil {
		t.Fatal("ctrl+z does nothing")
	} else if _, ok := msg.(tea.SuspendMsg); !ok {
		t.Fatalf("ctrl+z: %T", msg)
	}
	if _, cmd = r.m.Update(tea.ResumeMsg{}); cmd == nil {
		t.Fatal("nothing is asked after waking up")
	}
}

// first runs a command down to its first message.
func first(cmd tea.Cmd) tea.Msg {
	if cmd == nil {
		return nil
	}
	msg := cmd()
	if batch, ok := msg.(tea.BatchMsg); ok {
		for _, c := range batch {
			if m := first(c); m != nil {
				return m
			}
		}
		return nil
	}
	return msg
}
