package ui

import (
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
)

func TestSeveralProfiles(t *testing.T) {
	b := newFakes(8)
	b.entries = []switchover.Entry{{ID: "20260314-092653-orders-api", Function: "orders-api", Region: fakeRegion, Account: fakeAccount, Started: epoch, State: "stopped"}}
	r := newRobot(t, b, 160, 30).settle()
	r.see("prod "+fakeAccount, "test "+otherAccount, "✗ out", "READ-ONLY: start with one profile to change",
		"profile out could not be opened: the login of profile out has expired", "10 functions", "PROFILE")

	// Rows of either account, told apart by filters on both words.
	r.press("/").write("profile:test").press("enter").see("2 shown").missing("reports-render")
	r.press("/", "ctrl+u").write("account:" + fakeAccount).press("enter").see("8 shown")
	r.press("esc")

	// A call goes to the account of the function at hand.
	r.press("/").write("profile:test orders-api").press("enter", "y").see("--profile test", otherAccount)
	r.press("/", "ctrl+u").write("profile:prod orders-api").press("enter", "y").see("--profile prod", fakeAccount)

	// Nothing can be changed, in whatever way it is asked for.
	const why = "start optlift with one profile to change an account"
	r.press("m").see("not now: " + why)
	r.press("space", "M").see("not now: " + why)
	for _, line := range []string{"migrate", "arm"} {
		r.press(":").write(line).press("enter").see("not now: " + why)
	}
	r.press("enter", "m").see("not now: " + why)
	r.press("J").settle().press("c").see("not now: " + why)
	r.press("u").see("not now: " + why)
	r.press("enter").settle().press("u").see("not now: " + why)
	if done := b.did(); len(done) > 0 || r.m.armed || r.m.ask != nil {
		t.Errorf("done %v, armed %v", done, r.m.armed)
	}
}

// TestProfilesRefresh reads two accounts again of which one fails: its functions
// stay, and those of the other that are gone go.
func TestProfilesRefresh(t *testing.T) {
	v := newRobot(t, newFakes(6), 120, 30).settle().m.inv
	v.Start()
	v.Apply(account.Event{Listing: &account.Listing{Account: fakeAccount, Region: fakeRegion, Done: true}})
	v.Apply(account.Event{Region: &account.RegionError{Account: otherAccount, Profile: "test", Region: fakeRegion, Message: "throttled"}})
	v.Finish()
	if len(v.Rows()) != 2 {
		t.Fatalf("%d rows", len(v.Rows()))
	}
	for _, r := range v.Rows() {
		if !strings.Contains(r.ARN, otherAccount) {
			t.Error(r.ARN)
		}
	}
}
