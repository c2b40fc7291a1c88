package doctor

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

func examine(t *testing.T, o Options) map[string]Finding {
	t.Helper()
	found := map[string]Finding{}
	if err := Examine(t.Context(), o, func(f Finding) { found[f.Check] = f }); err != nil {
		t.Fatal(err)
	}
	return found
}

func options(a *sessiontest.Account, dir string) Options {
	return Options{
		Open:         func(context.Context) (*session.Session, error) { return a.Session, nil },
		BaseRegistry: strings.TrimPrefix(a.URL(), "http://") + "/lambda", Dirs: []string{dir},
	}
}

func TestAHealthyPlace(t *testing.T) {
	a := sessiontest.Start(t)
	dir := t.TempDir()
	missing := filepath.Join(dir, "not", "there", "yet")
	a.ForgetCalls()
	found := examine(t, options(a, missing))
	for _, check := range []string{"credentials", "clock eu-central-1", "lambda eu-central-1", "registry eu-central-1", "base images"} {
		if f := found[check]; f.State != OK || f.Message == "" {
			t.Errorf("%s: %+v", check, f)
		}
	}
	if f := found["disk "+missing]; f.State != OK && f.State != Warning || !strings.Contains(f.Message, "free") {
		t.Errorf("disk: %+v", f)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, r := range a.Calls() {
		switch r.Operation {
		case "ListFunctions", "GetAuthorizationToken", "Ping", "GetManifest", "GetBlob":
		default:
			t.Errorf("called %s %s", r.Service, r.Operation)
		}
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	a := sessiontest.Start(t)
	for _, c := range []struct {
		name   string
		change func(*Options)
		check  string
		state  State
		want   string
	}{
		{"no rights", func(*Options) {
			a.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.AccessDenied})
		}, "lambda eu-central-1", Failed, "lambda:ListFunctions"},
		{"the clock is known all the same", func(*Options) {
			a.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.AccessDenied})
		}, "clock eu-central-1", OK, "agrees"},
		{"a clock that is off", func(o *Options) { o.Now = func() time.Time { return time.Now().Add(-time.Hour) } }, "clock eu-central-1", Failed, "behind"},
		{"no right to push", func(*Options) {
			a.Inject(emulator.Fault{Operation: "GetAuthorizationToken", Kind: emulator.AccessDenied})
		}, "registry eu-central-1", Warning, "ecr:GetAuthorizationToken"},
		{"a registry that breaks off", func(*Options) {
			a.Inject(emulator.Fault{Operation: "Ping", Kind: emulator.Reset, Count: -1})
		}, "registry eu-central-1", Failed, "can't be reached"},
		{"no base registry", func(o *Options) { o.BaseRegistry = "localhost:1/lambda" }, "base images", Failed, "localhost:1"},
		{"no credentials", func(o *Options) {
			o.Open = func(context.Context) (*session.Session, error) { return nil, errors.New("there are none") }
		}, "credentials", Failed, "there are none"},
		{"what follows from that is not known", func(o *Options) {
			o.Open = func(context.Context) (*session.Session, error) { return nil, errors.New("there are none") }
		}, "clock", Unknown, "credentials"},
	} {
		o := options(a, t.TempDir())
		c.change(&o)
		if f := examine(t, o)[c.check]; f.State != c.state || !strings.Contains(f.Message, c.want) {
			t.Errorf("%s: %+v", c.name, f)
		}
		a.ClearFaults()
	}
}

func TestClock(t *testing.T) {
	server := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for skew, want := range map[time.Duration]State{
		0: OK, 29 * time.Second: OK, -29 * time.Second: OK, 31 * time.Second: Warning, -4 * time.Minute: Warning, 5 * time.Minute: Failed, -24 * time.Hour: Failed,
	} {
		if f := clock("r", server.Add(skew), server, true); f.State != want || (want != OK) != (f.Next != "") {
			t.Errorf("%s: %+v", skew, f)
		}
	}
	if f := clock("r", server, time.Time{}, false); f.State != Unknown {
		t.Errorf("%+v", f)
	}
	if _, err := http.ParseTime(server.Format(http.TimeFormat)); err != nil {
		t.Error(err)
	}
}

func TestDisk(t *testing.T) {
	if os.Geteuid() != 0 { // who may write everywhere
		closed := filepath.Join(t.TempDir(), "closed")
		if err := os.Mkdir(closed, 0o500); err != nil {
			t.Fatal(err)
		}
		if f := disk(closed); f.State != Failed {
			t.Errorf("%+v", f)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := disk(file); f.State == Failed {
		t.Errorf("beside a file: %+v", f)
	}
}
