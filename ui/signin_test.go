package ui

import (
	"context"
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
)

// before is what is known of an account before anybody is asked.
func before(b *fakeBackend) *fakeBackend {
	b.signing = make(chan struct{})
	b.where = &Where{Profile: "prod", Regions: []string{fakeRegion}}
	return b
}

// refused is an account whose login has expired, as often as there are refusals.
func refused(b *fakeBackend, n int) *fakeBackend {
	b = before(b)
	b.signing = nil
	for range n {
		b.refusals = append(b.refusals, &Refusal{
			Title: "The login has expired", Why: []string{`Profile "prod" is not logged in through SSO, or its login has expired.`},
			Type: []string{"aws sso login --profile prod"}, Err: errors.New("the login of prod has expired"),
		})
	}
	return b
}

// The first frame needs no answer: what is known is on it, and what is not is
// said to be on its way.
func TestFirstFrameNeedsNoAnswer(t *testing.T) {
	b := before(newFake(12))
	r := newRobot(t, b, 80, 24)
	r.see("signing in …", "prod", fakeRegion, "READ-ONLY", "Signing in with profile prod …").missing(fakeAccount, "0 functions")
	// What needs no account works, and what does says why it can't.
	for _, k := range []string{"L", "J", "F"} {
		r.press(k).see("not now: there is no account yet")
	}
	r.press("r").see("not now: there is no account yet")
	for _, line := range []string{"migrate", "arm", "opt x", "layers", "journal", "console", "filter"} {
		r.press(":").write(line).press("enter").see("not now: ")
	}
	r.press("o").see("not now: no function is selected")
	r.press("?").see("› help").press("esc")
	r.press("!").see("› log").press("esc")
	r.press("c").see("columns").press("esc")
	r.press("/").write("work")
	close(b.signing)
	r.settle().press("enter").see(fakeAccount, "6 shown · 12 functions").missing("signing in")
	if r.m.ticking || r.m.jobs.Active() != 0 {
		t.Error("something still ticks")
	}
}

// A login that fails is a state of the screen, which says what to type and can be
// tried again; nothing ticks in it.
func TestSignInTriedAgain(t *testing.T) {
	r := newRobot(t, refused(newFake(8), 2), 80, 24).settle()
	r.see("The login has expired", "is not logged in through SSO", "in another terminal: aws sso login --profile prod", "r tries again", "r try again", "NO ACCOUNT", "prod").missing(fakeAccount)
	if r.m.ticking || r.m.jobs.Active() != 0 || r.m.progress() != nil {
		t.Error("something still ticks")
	}
	r.press("J").see("not now: there is no account: r on the first screen tries again")
	r.press("!").see("The login has expired").press("esc")
	r.press("r").see("Signing in with profile prod …").settle().see("The login has expired")
	r.press(":").write("refresh").press("enter").settle().see(fakeAccount, "8 functions", "READ-ONLY").missing("expired", "try again")
}

// Who leaves without an account is told why there was none, as without a screen.
func TestLeftWithoutAnAccount(t *testing.T) {
	b := refused(newFake(1), 1)
	m := newModel(t.Context(), b, Options{})
	options, keyboard := headless(t, t.Context())
	seen := make(chan struct{})
	_, err := run(t.Context(), m, Options{Farewell: &strings.Builder{}}, append(options, tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		if m.refused != nil && seen != nil {
			close(seen)
			seen = nil
			go keyboard.Write([]byte("q"))
		}
		return msg
	}))...)
	if err == nil || err.Error() != "the login of prod has expired" {
		t.Error(err)
	}
}

func TestLeaveWhileSigningIn(t *testing.T) {
	b := before(newFake(1))
	b.codes = []string{"prod"}
	close(b.signing)
	m := newModel(t.Context(), b, Options{})
	options, keyboard := headless(t, t.Context())
	sent := false
	interrupted, err := run(t.Context(), m, Options{Farewell: &strings.Builder{}}, append(options, tea.WithFilter(func(_ tea.Model, msg tea.Msg) tea.Msg {
		if m.ask != nil && !sent {
			sent = true
			go keyboard.Write([]byte("\x1b[99;5u\x1b[99;5u")) // ctrl+c: the question, then the program
		}
		return msg
	}))...)
	if interrupted || err != nil && !errors.Is(err, ErrNotTyped) {
		t.Error(interrupted, err)
	}
	if m.jobs.Active() != 0 {
		t.Error("a job is left that waits for a code")
	}
}

func TestTokenCode(t *testing.T) {
	b := before(newFake(6))
	b.codes = []string{"prod", ""}
	b.signing = nil
	r := newRobot(t, b, 80, 24)
	r.see("The role of profile prod can be used with a token code only.").write("777111").press("enter")
	r.see("The role in use can be").write("777222").press("enter").settle().see("6 functions").missing("777111", "777222")
	if got := strings.Join(b.typed, " "); got != "777111 777222" {
		t.Error(got)
	}
	// Not typed is a refusal like others. A question waits for what is being typed.
	b = before(newFake(6))
	b.codes = []string{"prod"}
	r = newRobot(t, b, 80, 24).press("/").write("tiny")
	b.signing <- struct{}{}
	r.until("the code to be waited for", func() bool { return len(r.m.unasked) == 1 })
	r.see("/tiny").missing("Token code").press("enter").see("Token code").press("esc").settle().see("Not signed in", "nothing was typed", "r tries again")
	b.signing = nil
	b.codes = nil
	r.press("r").settle().see("6 functions")
}

// The embedded account, a saved report and several profiles are opened on the
// screen, too, and an account that will be armed says so at once.
func TestWaysToAnAccount(t *testing.T) {
	for _, c := range []struct {
		where Where
		armed bool
		want  []string
	}{
		{Where{Demo: true}, false, []string{"starting …", "demo account", "READ-ONLY", "Starting the demo account …"}},
		{Where{Saved: "saved report"}, false, []string{"reading …", "saved report", "Reading the saved report …"}},
		{Where{Profile: "prod"}, true, []string{"signing in …", "ARMED once it is there"}},
		{Where{Accounts: []account.AccountReport{{Profile: "prod"}, {Profile: "test"}}}, false, []string{"signing in …", "prod test", "READ-ONLY with several profiles", "Signing in with 2 profiles …"}},
	} {
		b := before(newFakes(6))
		b.where, b.armed = &c.where, c.armed
		r := newRobot(t, b, 100, 24).see(c.want...)
		close(b.signing)
		r.settle().see("8 functions", "✗ out")
	}
}

// Every frame of the way to an account fits every screen, whatever is typed.
func TestSigningInFitsAnySize(t *testing.T) {
	long := strings.Repeat("very long and 宽 "+nasty, 9)
	for w := 20; w < 130; w += 7 {
		for h := 5; h < 40; h += 5 {
			b := before(newFake(6))
			b.where.Profile = long
			b.refusals = []error{&Refusal{Title: long, Why: []string{long, long}, Type: []string{long, long}, Next: long, Err: context.DeadlineExceeded}}
			r := newRobot(t, b, w, h)
			fits(t, r.m)
			clean(t, r.m)
			b.signing <- struct{}{}
			r.settle()
			fits(t, r.m)
			clean(t, r.m)
		}
	}
}

// scenesOfSignIn are the ways to an account.
var scenesOfSignIn = []scene{
	{"signing-in", func(t *testing.T, w, h int) *robot { return newRobot(t, before(newFake(9)), w, h).see("Signing in") }},
	{"signing-in-profiles", func(t *testing.T, w, h int) *robot {
		b := before(newFakes(9))
		b.where = &Where{Accounts: []account.AccountReport{{Profile: "prod"}, {Profile: "test"}, {Profile: "out"}}}
		return newRobot(t, b, w, h).see("Signing in")
	}},
	{"signing-in-armed", func(t *testing.T, w, h int) *robot {
		b := before(newFake(9))
		b.armed = true
		return newRobot(t, b, w, h).see("Signing in")
	}},
	{"signing-in-demo", func(t *testing.T, w, h int) *robot {
		b := before(newFake(9))
		b.where = &Where{Demo: true}
		return newRobot(t, b, w, h).see("Starting")
	}},
	{"sign-in-expired", func(t *testing.T, w, h int) *robot { return newRobot(t, refused(newFake(9), 1), w, h).settle() }},
	{"sign-in-no-credentials", func(t *testing.T, w, h int) *robot {
		b := refused(newFake(9), 1)
		b.refusals[0] = &Refusal{Title: "No credentials", Why: []string{`No usable AWS credentials (profile "prod").`},
			Type: []string{"aws configure --profile prod", "aws sso login --profile prod"}, Err: errors.New("none")}
		return newRobot(t, b, w, h).settle()
	}},
	{"sign-in-unreachable", func(t *testing.T, w, h int) *robot {
		b := refused(newFake(9), 1)
		b.refusals[0] = &Refusal{Title: "AWS can't be reached", Why: []string{"STS GetCallerIdentity in eu-west-1: cannot find sts.eu-west-1.amazonaws.com."},
			Next: "Check the region, the network, and AWS_CA_BUNDLE and HTTPS_PROXY where a proxy is used.", Err: errors.New("none")}
		return newRobot(t, b, w, h).settle()
	}},
	{"sign-in-no-region", func(t *testing.T, w, h int) *robot {
		b := refused(newFake(9), 1)
		b.where.Regions = nil
		b.refusals[0] = &Refusal{Title: "Not signed in", Why: []string{"No AWS region: set AWS_REGION, give --region, or add a region to the profile."}, Err: errors.New("none")}
		return newRobot(t, b, w, h).settle()
	}},
	{"sign-in-code", func(t *testing.T, w, h int) *robot {
		b := before(newFake(9))
		b.signing, b.codes = nil, []string{"prod"}
		return newRobot(t, b, w, h).see("Token code").write("1234")
	}},
}
