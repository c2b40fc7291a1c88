package main

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"github.com/optlift/optlift/ui"
)

// A profile whose role wants a token code asks for it on a terminal, once, before
// anything else; elsewhere it says what to type. It never waits for what can't come.
func TestMFAOnTheCommandLine(t *testing.T) {
	acct := sessiontest.Start(t)
	acct.Function("mine", []ziptest.Entry{ziptest.File("index.js", "1")}, nil)
	sts := sessiontest.ServeSTS(t)
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(`[profile base]
aws_access_key_id = AKIAEMULATOR00000000
aws_secret_access_key = secret
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
region = `+sessiontest.Region+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	os.Unsetenv("AWS_ACCESS_KEY_ID") // sessiontest brings it back
	os.Unsetenv("AWS_SECRET_ACCESS_KEY")

	const prompt = "MFA token code for profile mfa: "
	for _, c := range []struct {
		name, typed   string
		terminal      bool
		refuse        bool
		code          int
		asked         int
		out, problems string
	}{
		{name: "on a terminal", typed: "123 456\n", terminal: true, asked: 1, out: "mine"},
		{name: "piped", typed: "123456\n", code: exitFailed, problems: "aws configure export-credentials --profile mfa"},
		{name: "enter alone", typed: "\n", terminal: true, code: exitFailed, asked: 1, problems: "nothing was typed: start again"},
		{name: "the end of the input", terminal: true, code: exitFailed, asked: 1, problems: "nothing was typed"},
		{name: "a wrong code", typed: "000000\n", terminal: true, refuse: true, code: exitFailed, asked: 1, problems: "invalid MFA one time pass code. (AccessDenied): check the MFA code"},
	} {
		sts.Refuse = nil
		if c.refuse {
			sts.Refuse = func(url.Values) (string, string) {
				return "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "
			}
		}
		before := len(sts.Assumed())
		var out, problems bytes.Buffer
		io := &streams{in: strings.NewReader(c.typed), out: &out, err: &problems, inTTY: c.terminal, errTTY: c.terminal}
		code := run(t.Context(), []string{"audit", "--profile", "mfa"}, io)
		if code != c.code || strings.Count(problems.String(), prompt) != c.asked || !strings.Contains(out.String(), c.out) || !strings.Contains(problems.String(), c.problems) {
			t.Errorf("%s: exit %d\n%s\n%s", c.name, code, out.String(), problems.String())
		}
		if c.out != "" {
			if got := sts.Assumed()[before:]; len(got) != 1 || got[0].Get("TokenCode") != "123456" {
				t.Errorf("%s: sent %v", c.name, got)
			}
		}
	}

	// While the screens are open the keys are theirs, and so is the question.
	a := newApp(&streams{in: unread{t}, err: io.Discard})
	answer := errors.New("the screens are gone")
	ask := ui.Ask(func(profile string) (string, error) {
		if profile != "mfa" {
			t.Error(profile)
		}
		return "123 456", answer
	})
	a.ask.Store(&ask)
	if _, err := a.askMFA("mfa"); !errors.Is(err, session.ErrMFAOver) {
		t.Error(err)
	}
	answer = ui.ErrNotTyped
	if _, err := a.askMFA("mfa"); !errors.Is(err, ui.ErrNotTyped) {
		t.Error(err)
	}
	answer = nil
	if code, err := a.askMFA("mfa"); code != "123456" || err != nil {
		t.Error(code, err)
	}
}

// unread fails the test where somebody reads.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the keys of the screens were read")
	return 0, io.EOF
}
