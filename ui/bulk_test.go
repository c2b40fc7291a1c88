package ui

import (
	"slices"
	"strings"
	"testing"
)

// three are two functions that can be switched and one that can't.
var three = []string{"orders-api", "tiny", "legacy-export"}

// markThem marks functions, each found by its name.
func markThem(r *robot, names ...string) *robot {
	for _, name := range names {
		r.press("/").write("name:"+name).press("enter", "space", "esc")
	}
	return r
}

// bulkOf marks functions and plans their switch.
func bulkOf(t *testing.T, b *fakeBackend, w, h int, names ...string) *robot {
	return markThem(newRobot(t, b, w, h).settle().press("1"), names...).press("M").settle()
}

// acceptAll accepts the two warnings of that fleet, armed already.
func acceptAll(r *robot) *robot {
	r.press("x").write("gap").press("enter")
	if prepare != nil {
		r.press("x").write(plantedWarning).press("enter")
	}
	return r.press("x").write("async-events").press("enter")
}

// scenesOfBulk are the switch of many functions.
var scenesOfBulk = []scene{
	{"bulk-plan", func(t *testing.T, w, h int) *robot { return bulkOf(t, newFake(10), w, h, three...) }},
	{"bulk-accepted", func(t *testing.T, w, h int) *robot {
		return bulkOf(t, newFake(10), w, h, three...).press("x").write("gap").press("enter", "+")
	}},
	{"bulk-blocked", func(t *testing.T, w, h int) *robot {
		return bulkOf(t, newFake(10), w, h, "billing-sync", "legacy-export")
	}},
	{"bulk-confirm", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.armed = true
		return acceptAll(bulkOf(t, b, w, h, three...)).press("a")
	}},
	{"bulk-running", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.step = make(chan struct{})
		r := startFleet(t, b, w, h)
		for range 5 {
			b.step <- struct{}{}
		}
		return r.see("2/8 push-image  w")
	}},
	{"bulk-stopping", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.step = make(chan struct{})
		return startFleet(t, b, w, h).see("backup").press("esc")
	}},
	{"bulk-stopped", func(t *testing.T, w, h int) *robot {
		b := newFake(10)
		b.breaks = "orders-api"
		return startFleet(t, b, w, h).settle()
	}},
	{"bulk-done", func(t *testing.T, w, h int) *robot { return startFleet(t, newFake(10), w, h).settle() }},
	{"bulk-journal", func(t *testing.T, w, h int) *robot {
		return startFleet(t, newFake(10), w, h).settle().press("J").settle()
	}},
	{"bulk-rollback", func(t *testing.T, w, h int) *robot {
		return startFleet(t, newFake(10), w, h).settle().press("J").settle().press("u")
	}},
}

// startFleet begins the switch of three functions. What holds a step is let go
// when the test ends.
func startFleet(t *testing.T, b *fakeBackend, w, h int) *robot {
	t.Helper()
	b.armed = true
	r := acceptAll(bulkOf(t, b, w, h, three...))
	if b.step != nil {
		t.Cleanup(func() { close(b.step) })
	}
	return r.press("a").write("2@" + fakeAccount).press("enter")
}

// TestBulk marks three functions, reads what stands against them, accepts the
// warnings, switches them and takes them back from the journal.
func TestBulk(t *testing.T) {
	b := newFake(10)
	r := markThem(newRobot(t, b, 120, 40).settle().press("1"), three...).see("3 marked", "migrate 3")
	r.press("m").settle().see("alone: M plans the 3 that are marked").press("esc")
	r.press("M").see("Switch 2 functions of account "+fakeAccount, "one after the other", "LEFT ALONE", "layer-unreadable", "2 of 2 to be accepted")
	r.press("a").see("not now: 2 warnings to be accepted first: gap")
	r.press("-").see("not now: a wave has at least one function")
	r.press("x").write("no").press("enter").see("That is not gap").press("esc").see("2 of 2 to be accepted")
	acceptAll(r).see("all accepted").press("x").see("not now: no warning is left")
	r.press("+").see("in 1 wave of 2 at once").press("+").see("not now: all functions are in one wave").press("-")
	// The session is armed first, then the fleet confirmed.
	r.press("a").see("Allow changes to this account?").write(fakeAccount).press("enter").see("Switch 2 functions?", "Lost for good: versions")
	if len(b.did()) > 0 {
		t.Fatal("something was done before it was confirmed")
	}
	r.write("3@" + fakeAccount).press("enter").see("That is not 2@" + fakeAccount)
	r.press("esc").see("nothing was changed").press("a").write("2@" + fakeAccount).press("enter").settle()
	r.see(fakeFleet+" is switched to container images", "⊘ blocked", "✓ done", "2 of 2 functions", "3.2 s")
	r.press("c").see("not now: it is done")
	r.press("J").settle().see("3 functions", fakeFleet[:20]).press("c").see("not now: it is done")
	r.press("u").see("Roll " + fakeFleet + " back?").write("2@" + fakeAccount).press("enter").settle()
	r.see("is rolled back: the Zip functions are as they were").press("u").see("not now: it has been rolled back")
	if got := strings.Join(b.did(), ", "); got != "fleet 2@"+fakeAccount+", rollback "+fakeFleet {
		t.Fatal(got)
	}
}

// TestBulkFailsAndGoesOn fails at the first function: the second is not begun,
// until the fleet is gone on with.
func TestBulkFailsAndGoesOn(t *testing.T) {
	b := newFake(10)
	b.breaks = "orders-api"
	r := startFleet(t, b, 80, 24).settle().see("failed", "nothing new was begun", "· waiting", "optlift resume "+fakeFleet)
	r.press("c").see("Go on with").write("2@" + fakeAccount).press("enter").settle().see("is switched to container images")
	if got := b.did(); !slices.Contains(got, "resume "+fakeFleet) {
		t.Fatal(got)
	}
}

// TestBulkAsksBeforeItStops stops after the function that runs, and lets nothing
// else begin beside it.
func TestBulkAsksBeforeItStops(t *testing.T) {
	b := newFake(10)
	b.step = make(chan struct{})
	r := startFleet(t, b, 120, 40).see("backup")
	r.press("enter").see("not now: its journal is shown when all have ended")
	r.press("q").press("M").see("one migration at a time").press(":").write("migrate").press("enter").see("Switching 2 functions")
	r.press("ctrl+c").see("Leave while the account is being changed?", "way: orders-api (backup)", "Not begun: 1").press("enter")
	r.press("esc").see("Stop?", "0 of 2 functions switched", "Not begun: 1").press("esc").see("stopping at the next safe place")
	for range 3 {
		b.step <- struct{}{}
	}
	r.settle().see("was stopped", "✓ done", "· waiting", "optlift rollback")
}
