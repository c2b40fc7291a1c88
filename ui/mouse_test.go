package ui

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

// The tree under /opt by the mouse: a click selects, one on a directory's mark or a
// second one folds and unfolds, the wheel moves.
func TestMouseInTheTree(t *testing.T) {
	for _, flat := range []bool{false, true} {
		r := newRobot(t, newFake(10), 120, 30).settle()
		r.press("/").write("reports-render").press("enter", "o").settle().press("C", "G").see("▸ python/")
		r.click("python/").see("▸ python/")
		r.cursorOn("python/")
		r.click("▸ python/").see("▾ python/", "numpy/").click("▾ python/").see("▸ python/").missing("numpy/")
		r.click("python/").see("▾ python/") // a second click, on the name
		r.click("▸ numpy/").see("core.py").click("core.py").missing("› core.py")
		r.cursorOn("core.py")
		r.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
		r.cursorOn("python/")
		r.click("core.py").click("core.py").settle().see("import math").press("esc")
		if flat {
			r.press("b").see("biggest files").click("shared.py")
			r.cursorOn("shared.py")
		}
		// Off by its key, and nothing lies above the tree or below it.
		r.send(tea.MouseClickMsg{X: 50, Y: 2, Button: tea.MouseLeft})
		r.send(tea.MouseClickMsg{X: 50, Y: 27, Button: tea.MouseLeft})
		at := r.line("▌")
		r.press("ctrl+t").click("collector")
		if r.line("▌") != at {
			t.Error("a click works with the mouse off")
		}
	}
}

// cursorOn fails unless the selected row holds a text.
func (r *robot) cursorOn(text string) {
	r.t.Helper()
	if r.line("▌") != r.line(text) {
		r.t.Fatalf("%s is not selected:\n%s", text, r.screen())
	}
}

// Steps of a migration, layers of a plan and functions of a fleet by the mouse.
func TestMouseInRuns(t *testing.T) {
	b := newFake(10)
	b.armed = true
	r := migrateTo(t, b, 120, 40).press("v").settle().see("its zip").click("otel-collector:12").press("esc")
	r.press("a").write("orders-api").press("enter").see("POINT OF NO RETURN").press("c").write("orders-api").press("enter").settle().see("is a container image now")
	r.click("push-image").cursorOn("push-image")
	r.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	r.cursorOn("backup")
	r.click("push-image").click("push-image").see("› push-image")
}
