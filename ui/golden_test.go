package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
)

// scenes are the screens in the states that matter, each reached by keys.
var scenes = []struct {
	name string
	play func(t *testing.T, w, h int) *robot
}{
	{"functions", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle() }},
	{"functions-filling", func(t *testing.T, w, h int) *robot {
		b := newFake(9)
		b.hold = make(chan struct{})
		r := newRobot(t, b, w, h)
		for range 12 {
			b.hold <- struct{}{}
		}
		return r.see("3 of 9 measured")
	}},
	{"functions-loading", func(t *testing.T, w, h int) *robot {
		b := newFake(9)
		b.hold = make(chan struct{})
		return newRobot(t, b, w, h).see("Listing the functions")
	}},
	{"functions-empty", func(t *testing.T, w, h int) *robot {
		b := newFake(0)
		b.functions = nil
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-denied", func(t *testing.T, w, h int) *robot {
		b := newFake(0)
		b.functions = nil
		b.errors = []account.RegionError{{Region: fakeRegion, Message: "AccessDeniedException: lambda:ListFunctions is not allowed for role/dev; ask for lambda:ListFunctions, or choose another profile with --profile"}}
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-region-failed", func(t *testing.T, w, h int) *robot {
		b := newFake(6)
		b.regions = []string{fakeRegion, "us-east-1"}
		b.errors = []account.RegionError{{Region: "us-east-1", Message: "no answer within 10 s"}}
		return newRobot(t, b, w, h).settle()
	}},
	{"functions-filtering", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("ext:collector size>20MB")
	}},
	{"export", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle().press("e") }},
	{"function", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle().press("enter") }},
	{"function-deleted-layer", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("legacy").press("enter", "enter")
	}},
	{"opt", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("E")
	}},
	{"opt-shadowed", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("x", "down")
	}},
	{"preview", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("/").write("shared").press("enter", "down", "enter").settle()
	}},
	{"preview-hex", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("/").write("extensions/").press("enter", "down", "enter").settle()
	}},
	{"compare", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("/").write("shared").press("enter", "down", "c").settle()
	}},
	{"opt-error", func(t *testing.T, w, h int) *robot {
		b := newFake(40)
		b.openErr = errors.New("layer legacy-tools:1 of legacy-export is deleted: its content can't be read any more")
		return newRobot(t, b, w, h).settle().press("o").settle()
	}},
	{"opt-what-if", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("x", "down", "<").settle()
	}},
	{"opt-what-if-dropped", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("down", "d").settle()
	}},
	{"what-changes", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("d").settle().press("w")
	}},
	{"extract", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("e")
	}},
	{"findings", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(40), w, h).settle().press("F", "down") }},
	{"layers", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("L", "down", "down")
	}},
	{"plan", func(t *testing.T, w, h int) *robot { return migrateTo(t, newFake(10), w, h) }},
	{"plan-blocked", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.plan.Blockers = []switchover.Notice{{ID: "stack-managed", Message: "The stack billing manages this function and would undo the switch."}}
		return migrateTo(t, b, w, h).press("a")
	}},
	{"arm", func(t *testing.T, w, h int) *robot { return migrateTo(t, newFake(10), w, h).press("a") }},
	{"confirm", func(t *testing.T, w, h int) *robot {
		return migrateTo(t, newFake(10), w, h).press("a").write(fakeAccount).press("enter").see("Apply").write("orders")
	}},
	{"migrating", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed, b.step = true, make(chan struct{})
		r := migrateTo(t, b, w, h)
		t.Cleanup(func() { close(b.step) })
		r.press("a").write("orders-api").press("enter").see("▸ + backup")
		b.step <- struct{}{}
		b.step <- struct{}{}
		return r.see("▸ + push-image", "12.0 MiB")
	}},
	{"migrated", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return migrateTo(t, b, w, h).press("a").write("orders-api").press("enter").settle()
	}},
	{"journal", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.entries = []switchover.Entry{
			{ID: "20260314-092653-orders-api", Function: "orders-api", Region: fakeRegion, Account: fakeAccount, Started: epoch, State: "stopped"},
			{ID: "20260301-110000-tiny", Function: "tiny", Region: fakeRegion, Account: fakeAccount, Started: epoch.AddDate(0, 0, -13), State: "rolled-back"},
		}
		return newRobot(t, b, w, h).settle().press("J").settle()
	}},
	{"journal-empty", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(10), w, h).settle().press("J").settle()
	}},
	{"log", func(t *testing.T, w, h int) *robot {
		return newRobot(t, nastyBackend(), w, h).settle().press("!")
	}},
	{"help", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(10), w, h).settle().press("?") }},
	{"palette", func(t *testing.T, w, h int) *robot { return newRobot(t, newFake(10), w, h).settle().press(":") }},
}

func TestFrames(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {80, 24}, {160, 48}} {
		for _, s := range scenes {
			t.Run(fmt.Sprintf("%dx%d/%s", size[0], size[1], s.name), func(t *testing.T) {
				r := s.play(t, size[0], size[1])
				fits(t, r.m)
				golden.RequireEqual(t, trimmed(r.screen()))
			})
		}
	}
}

// TestSmall is what is shown where the screens do not fit, with and without work
// that must not go unseen.
func TestSmall(t *testing.T) {
	r := newRobot(t, newFake(6), 40, 10).settle()
	golden.RequireEqual(t, trimmed(r.screen()))
	b := newFake(10)
	b.armed, b.step = true, make(chan struct{})
	r = migrateTo(t, b, 80, 24).press("a").write("orders-api").press("enter").see("▸ + backup")
	t.Cleanup(func() { close(b.step) })
	r.send(tea.WindowSizeMsg{Width: 40, Height: 10})
	r.see("Migrating orders-api is under way")
	r.press("a", "u", "x") // blind keys do nothing
	r.press("ctrl+c").see("Leave while")
	fits(t, r.m)
}

// TestStyles keeps one frame with its colours, so that a change of them is seen.
func TestStyles(t *testing.T) {
	r := newRobot(t, newFake(12), 80, 24).settle()
	golden.RequireEqual(t, r.m.View().Content)
}

// trimmed drops the spaces at the ends of lines, which a diff can't show.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// fits fails unless the frame is as high as the screen at most and no line is wider.
func fits(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *model) {
	t.Helper()
	frame := m.View().Content
	lines := strings.Split(frame, "\n")
	if len(lines) > m.h {
		t.Fatalf("%d lines on a screen of %dx%d:\n%s", len(lines), m.w, m.h, ansi.Strip(frame))
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > m.w {
			t.Fatalf("line %d is %d columns wide on a screen of %dx%d:\n%s", i+1, n, m.w, m.h, ansi.Strip(l))
		}
	}
}
