package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
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
	t.Setenv("AWS_SECRET_ACCESS_KEY", "planted-secret-key")
	t.Setenv("AWS_SESSION_TOKEN", "planted-session-token")

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
		program(t, exitDone, "recipe", "shop", "-d", filepath.Join(dir, "with-infra"), "--infra", "cloudformation,sam,cdk,terraform,cli")
	})
	phase(policy.Migrate, func() {
		program(t, exitDone, "migrate", "shop", "--accept", "function-url", "--write", "--confirm", "shop")
		id := journalID(t)
		program(t, exitDone, "status")
		program(t, exitDone, "refresh", "shop")
		program(t, exitDone, "rollback", id, "--write", "--confirm", "shop")
	})
	nothingPlanted(t, dir)
	for name, c := range table {
		if c.Service != "" && c.When == "" && !called[name] {
			t.Errorf("%s is in the table for every run, but was not called", name)
		}
	}
}

// nothingPlanted looks for secrets in every file that the program left: images,
// recipes, caches, journals and backups, compressed or not. A backup holds the
// function's environment, and nothing else does.
func nothingPlanted(t *testing.T, dir string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		seen++
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			if body, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		secrets := []string{"planted-secret-key", "planted-session-token", "X-Amz-Signature"}
		if !strings.HasPrefix(path, filepath.Join(dir, "state")) {
			secrets = append(secrets, sessiontest.PlantedValue, sessiontest.PlantedToken)
		}
		for _, secret := range secrets {
			if bytes.Contains(body, []byte(secret)) {
				t.Errorf("%s holds %s", path, secret)
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d files looked at: %v", seen, err)
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

// TestRunPrintsCommands: what a person would type, with nothing secret in it.
func TestRunPrintsCommands(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	t.Setenv("PATH", t.TempDir()) // no engine is here
	got := program(t, exitDone, "run", "shop", "--print", "--port", "9000", "--event", "my event.json")
	want := `optlift build shop -o docker:shop.tar
docker load -i shop.tar
docker run --rm --platform linux/arm64 -p 127.0.0.1:9000:8080 -e AWS_LAMBDA_FUNCTION_NAME=shop -e AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256 -e AWS_LAMBDA_FUNCTION_TIMEOUT=17 optlift:latest
curl --data-binary '@my event.json' http://127.0.0.1:9000/2015-03-31/functions/function/invocations
`
	if got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := program(t, exitPartly, "run", "shop", "--event", event); !strings.Contains(got, "docker run") {
		t.Errorf("without an engine: %s", got)
	}
}
