package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"

	"github.com/optlift/optlift/aws/policy"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

// program runs the program on the account of the test and returns what it printed.
func program(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	io := &streams{in: strings.NewReader(""), out: &out, err: &problems}
	if got := run(context.WithoutCancel(t.Context()), args, io); got != want {
		t.Fatalf("optlift %s exits %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	for _, secret := range []string{sessiontest.PlantedValue, sessiontest.PlantedToken} {
		if strings.Contains(out.String()+problems.String(), secret) {
			t.Errorf("optlift %s prints %s", strings.Join(args, " "), secret)
		}
	}
	return out.String()
}

// TestPolicyAllowsWhatIsCalled runs the program for real, and holds what the
// account saw against the table that policies are written from: nothing is called
// that its level does not allow, and nothing is allowed for a case that every run
// meets and that this one did not.
func TestPolicyAllowsWhatIsCalled(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	xdg.Reload()
	t.Cleanup(xdg.Reload)

	table := map[string]policy.Call{}
	for _, c := range policy.Calls() {
		table[c.Service+" "+c.Operation] = c
	}
	called := map[string]bool{}
	phase := func(level policy.Level, work func()) {
		a.ForgetCalls()
		work()
		for _, r := range a.Calls() {
			if r.Service == "download" {
				continue // by a link that Lambda has signed
			}
			name := r.Service + " " + r.Operation
			called[name] = true
			c, known := table[name]
			switch public := r.Service == "registry" && strings.HasPrefix(r.Target, "/v2/lambda/"); {
			case !known:
				t.Errorf("%s: %s on %s is not in the table", level, name, r.Target)
			case c.Level > level && !public && r.Operation != "Ping":
				t.Errorf("%s: %s on %s is allowed at level %s only", level, name, r.Target, c.Level)
			}
		}
	}
	phase(policy.Audit, func() {
		program(t, exitDone, "audit", "-o", "json")
		program(t, exitDone, "opt", "shop", "-o", "json")
		program(t, exitDone, "build", "shop", "-o", "oci:"+filepath.Join(dir, "image"))
		program(t, exitDone, "recipe", "shop", "-d", filepath.Join(dir, "recipe"))
		program(t, exitDone, "layer-image", "shop", "-o", "oci:"+filepath.Join(dir, "layers"))
	})
	phase(policy.Plan, func() {
		program(t, exitPartly, "plan", "shop") // the URL's address would change
		program(t, exitDone, "recipe", "shop", "--infra", "terraform")
	})
	phase(policy.Migrate, func() {
		program(t, exitDone, "migrate", "shop", "--accept", "function-url", "--write", "--confirm", "shop")
		id := journalID(t)
		program(t, exitDone, "rollback", id, "--write", "--confirm", "shop")
	})
	for name, c := range table {
		if c.Service != "" && c.When == "" && !called[name] {
			t.Errorf("%s is in the table for every run, but was not called", name)
		}
	}
}

func journalID(t *testing.T) string {
	t.Helper()
	_, rest, ok := strings.Cut(program(t, exitDone, "journal", "-o", "json"), `"id": "`)
	id, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatal("the journal is empty")
	}
	return id
}
