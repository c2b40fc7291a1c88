package ui

import (
	"errors"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/switchover"
)

// scenesOfRooms are the screens behind the first one.
var scenesOfRooms = []scene{
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
	{"opt-biggest", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("b", "space", "space")
	}},
	{"opt-one-layer", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("1", "E")
	}},
	{"opt-extensions", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("X", "down")
	}},
	{"opt-no-extensions", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press(":").write("opt " + arn("layer", "fonts:2")).press("enter").settle().press("X")
	}},
	{"opt-not-found", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("orders-api").press("enter", "o").settle().press("/").write("nodejs").press("enter", "down", "down", "down")
	}},
	{"opt-code", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("orders-api").press("enter", "o").settle().press("t", "E")
	}},
	{"opt-loading", func(t *testing.T, w, h int) *robot {
		b := newFake(40)
		b.opening = make(chan struct{})
		r := newRobot(t, b, w, h).settle().press("o").see("Reading the directories")
		t.Cleanup(func() { close(b.opening) })
		return r
	}},
	{"extract-marked", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("b", "space", "space", "e")
	}},
	{"preview-program", func(t *testing.T, w, h int) *robot {
		zips["tools:1"] = map[string]string{"bin/tool": "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xb7\x00\x01" + strings.Repeat("\x00", 31) + "\x40" + strings.Repeat("\x00", 200)}
		t.Cleanup(func() { delete(zips, "tools:1") })
		return newRobot(t, newFake(40), w, h).settle().press(":").write("opt "+arn("layer", "tools:1")).press("enter").settle().press("E", "down", "enter").settle()
	}},
	{"preview-empty", func(t *testing.T, w, h int) *robot {
		zips["tools:1"] = map[string]string{"empty": ""}
		t.Cleanup(func() { delete(zips, "tools:1") })
		return newRobot(t, newFake(40), w, h).settle().press(":").write("opt " + arn("layer", "tools:1")).press("enter").settle().press("enter").settle()
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
	{"opt-add", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newTold(), w, h).settle().press("o").settle().press("a").write("otel").press("tab", "backspace")
	}},
	{"opt-add-reading", func(t *testing.T, w, h int) *robot {
		layersToTry(t)
		b := newFake(40)
		r := newRobot(t, b, w, h).settle().press("o").settle()
		b.opening = make(chan struct{})
		return r.press("a").write(arn("layer", "arm-tools:1")).press("enter").see("… asking for")
	}},
	{"opt-added", func(t *testing.T, w, h int) *robot {
		layersToTry(t)
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("a").write("arm-tools").press("enter").settle()
	}},
	{"opt-add-failed", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("a").write("arn:aws:lambda:eu-west-1:123456789012:layer:nobody:7").press("enter").settle()
	}},
	{"opt-add-again", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("a").write("nobody").press("enter").settle().press("a")
	}},
	{"opt-too-many-layers", func(t *testing.T, w, h int) *robot {
		layersToTry(t)
		r := newRobot(t, newFake(40), w, h).settle().press("o").settle()
		for _, name := range []string{"arm-tools", "huge", "python-deps"} {
			r.press("a").write(name).press("enter").settle()
		}
		return r
	}},
	{"opt-replace", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newTold(), w, h).settle().press("o").settle().press("v")
	}},
	{"opt-replaced", func(t *testing.T, w, h int) *robot {
		layersToTry(t)
		return newRobot(t, newFake(40), w, h).settle().press("o").settle().press("x", "down", "v").press("enter").settle()
	}},
	{"opt-deleted-layer", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("legacy").press("enter", "o").settle()
	}},
	{"opt-no-layers", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(40), w, h).settle().press("/").write("tiny").press("enter", "o").settle()
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
	{"layers-told", func(t *testing.T, w, h int) *robot { return newRobot(t, newTold(), w, h).settle().press("L") }},
	{"function-versions", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newTold(), w, h).settle().press("/").write("orders-api").press("enter", "enter", "v").settle().press("end")
	}},
	{"plan", func(t *testing.T, w, h int) *robot { return migrateTo(t, newFake(10), w, h) }},
	{"plan-blocked", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.plan.Blockers = []switchover.Notice{{ID: "stack-managed", Message: "The stack billing manages this function and would undo the switch."}}
		return migrateTo(t, b, w, h).press("a")
	}},
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
		return r.see("▸ + push-image", "40.0 MiB")
	}},
	{"migrated", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return migrateTo(t, b, w, h).press("a").write("orders-api").press("enter").see("POINT OF NO RETURN").pass().settle()
	}},
	{"migrate-paused", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return migrateTo(t, b, w, h).press("a").write("orders-api").press("enter").see("POINT OF NO RETURN")
	}},
	{"migrate-pass", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return migrateTo(t, b, w, h).press("a").write("orders-api").press("enter").see("POINT OF NO RETURN").press("c")
	}},
	{"migrate-details", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return migrateTo(t, b, w, h).press("a").write("orders-api").press("enter").see("POINT OF NO RETURN").press("g", "down", "down", "enter")
	}},
	{"layers-from", func(t *testing.T, w, h int) *robot {
		return migrateTo(t, newFake(10), w, h).press("v").see("its zip")
	}},
	{"layers-from-refused", func(t *testing.T, w, h int) *robot {
		r := migrateTo(t, newFake(10), w, h).press("v", "i").write("ghcr.io/acme/otel:bad").press("enter").settle()
		return r.see("not taken")
	}},
	{"plan-layers-from", func(t *testing.T, w, h int) *robot {
		return migrateTo(t, newFake(10), w, h).press("v", "i").write("ghcr.io/acme/good:12").press("enter").settle().press("esc")
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
}
