package target_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// local opens nothing but files.
func local(t *testing.T) *target.Opener {
	return &target.Opener{Scratch: t.TempDir(), Session: func(context.Context) (*session.Session, error) {
		t.Error("a local zip asked for the account")
		return nil, errors.New("no account")
	}}
}

func remote(t *testing.T, a *sessiontest.Account) *target.Opener {
	return &target.Opener{
		Scratch: filepath.Join(t.TempDir(), "scratch"), Cache: archive.OpenCache(t.TempDir()),
		Session: func(context.Context) (*session.Session, error) { return a.Session, nil },
	}
}

func names(set *target.Set) (out []string) {
	for _, l := range set.Layers {
		out = append(out, l.Name)
	}
	return out
}

func read(t *testing.T, set *target.Set, path string) string {
	t.Helper()
	f, err := set.Find(t.Context(), path)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return ""
	}
	r, err := f.Open()
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return ""
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return string(b)
}

func TestLocalZips(t *testing.T) {
	one := ziptest.Write(t, ziptest.File("bin/x", "one"), ziptest.Link("bin/y", "x"), ziptest.Link("bin/z", "/opt/bin/x"))
	two := ziptest.Write(t, ziptest.File("bin/x", "two"))
	for _, open := range []func(...string) (*target.Set, error){
		func(a ...string) (*target.Set, error) { return local(t).Open(t.Context(), a...) },
		func(a ...string) (*target.Set, error) { return local(t).Fetch(t.Context(), nil, a...) },
	} {
		set, err := open(one, two)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(names(set), []string{one, two}) || set.Code != nil || set.Function != nil || set.Layers[0].Root != layer.Opt {
			t.Errorf("%+v", set)
		}
		for _, path := range []string{"bin/x", "/bin/x", "/opt/bin/x", "bin/y", "bin/z"} {
			if got := read(t, set, path); got != "two" {
				t.Errorf("%s: %q", path, got)
			}
		}
		tree, err := set.Opt(t.Context())
		if err != nil || tree.Conflicts != 1 {
			t.Error(tree, err)
		}
		if _, err := set.Find(t.Context(), "bin/none"); err == nil {
			t.Error("found what is not there")
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}
	set, err := local(t).FetchLocal(t.Context(), two, []string{one})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	b, _ := os.ReadFile(two)
	sum := sha256.Sum256(b)
	req := set.Request()
	if req.Code.Root != layer.Task || req.Code.SHA256 != hex.EncodeToString(sum[:]) || len(req.Layers) != 1 || req.Layers[0].Root != layer.Opt {
		t.Errorf("%+v", req)
	}
	if got := read(t, set, "/var/task/bin/x"); got != "two" {
		t.Error(got)
	}
}

func TestWhatIsLocal(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("plain", ziptest.Bytes(ziptest.File("a", "a")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"none.zip", "dir/none", "./none", filepath.Join(dir, "none")} {
		if _, err := local(t).Open(t.Context(), name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if set, err := local(t).Open(t.Context(), "plain"); err != nil {
		t.Error(err)
	} else {
		_ = set.Close()
	}
	asked := errors.New("asked")
	o := &target.Opener{Session: func(context.Context) (*session.Session, error) { return nil, asked }}
	for _, name := range []string{"folder", "function", "arn:aws:lambda:eu-west-1:123456789012:layer:x:1"} {
		if _, err := o.Open(t.Context(), name); !errors.Is(err, asked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Open(t.Context()); err == nil {
		t.Error("no target is accepted")
	}
}

// account has a function with two layers that reach into each other and the code.
func account(t *testing.T) (*sessiontest.Account, []string) {
	acct := sessiontest.Start(t)
	one := acct.Layer("one", ziptest.File("lib/x", "from one"), ziptest.Link("code", "/var/task"), ziptest.Link("out", "/etc/passwd"))
	two := acct.Layer("two", ziptest.File("lib/x", "from two"), ziptest.File("extensions/e", "#!").Perm(0o755))
	acct.Function("fn", []ziptest.Entry{ziptest.File("index.js", "code"), ziptest.Link("x", "/opt/lib/x"), ziptest.Link("loop", "/opt/code/loop")},
		func(in *lambda.CreateFunctionInput) { in.Layers = []string{one, two} })
	return acct, []string{one, two}
}

func TestFunction(t *testing.T) {
	acct, layers := account(t)
	o := remote(t, acct)
	for name, open := range map[string]func(...string) (*target.Set, error){
		"open":  func(a ...string) (*target.Set, error) { return o.Open(t.Context(), a...) },
		"fetch": func(a ...string) (*target.Set, error) { return o.Fetch(t.Context(), nil, a...) },
		"follow": func(a ...string) (*target.Set, error) {
			return remote(t, acct).Follow(t.Context(), nil, a...) // nothing is at hand there
		},
	} {
		set, err := open("fn")
		if err != nil {
			t.Fatal(err)
		}
		if set.Function == nil || set.Function.Name != "fn" || !slices.Equal(names(set), layers) || set.Code == nil || set.Code.Root != layer.Task {
			t.Errorf("%s: %+v", name, set)
		}
		for path, want := range map[string]string{
			"/opt/lib/x": "from two", "/var/task/index.js": "code", "/var/task/x": "from two", "/opt/code/index.js": "code", "/opt/code/x": "from two",
		} {
			if got := read(t, set, path); got != want {
				t.Errorf("%s: %s is %q", name, path, got)
			}
		}
		for _, path := range []string{"/opt/none", "/etc/passwd", "index.js", "/opt/out", "/var/task/loop", "/opt/../etc/passwd"} {
			if f, err := set.Find(t.Context(), path); err == nil {
				t.Errorf("%s: found %s", path, f.Path)
			}
		}
		for i, l := range append(slices.Clone(set.Layers), *set.Code) {
			if len(l.SHA256) != 64 || (l.File != "") != (name == "fetch") {
				t.Errorf("%s %d: %+v", name, i, l)
			}
		}
		for _, src := range set.Request().Layers {
			if (src.Verify != nil) != (name == "follow") {
				t.Errorf("%s: %s is to be verified: %t", name, src.Name, src.Verify != nil)
			}
		}
		if req := set.Request(); req.Runtime != "nodejs22.x" || req.Handler != "index.handler" || req.Architecture != "x86_64" || len(req.Layers) != 2 {
			t.Errorf("%+v", req)
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	}
	// Layers on top of a function's own, and layers alone.
	extra := ziptest.Write(t, ziptest.File("lib/x", "local"))
	set, err := o.Open(t.Context(), "fn", layers[0], extra)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, set, "/opt/lib/x"); got != "local" || !slices.Equal(names(set), []string{layers[0], layers[1], layers[0], extra}) {
		t.Error(got, names(set))
	}
	_ = set.Close()
	set, err = o.Open(t.Context(), layers[1], layers[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, set, "lib/x"); got != "from one" || set.Function != nil || set.Code != nil {
		t.Error(got)
	}
	_ = set.Close()
}

func TestTargetsThatFail(t *testing.T) {
	acct, layers := account(t)
	gone := acct.Layer("gone", ziptest.File("a", "a"))
	acct.Function("other", []ziptest.Entry{ziptest.File("index.js", "x")}, nil)
	acct.DeleteLayer(gone)
	o := remote(t, acct)
	for _, c := range []struct {
		want    string
		targets []string
	}{
		{"not found", []string{"nobody"}},
		{gone, []string{gone}},
		{gone, []string{layers[0], gone}},
		{"without its version", []string{strings.TrimSuffix(layers[0], ":1")}},
		{"both functions", []string{"fn", "other"}},
	} {
		for _, open := range []func() (*target.Set, error){
			func() (*target.Set, error) { return o.Open(t.Context(), c.targets...) },
			func() (*target.Set, error) { return o.Fetch(t.Context(), nil, c.targets...) },
			func() (*target.Set, error) { return o.Follow(t.Context(), nil, c.targets...) },
		} {
			if _, err := open(); err == nil || !strings.Contains(session.Explain(err), c.want) || strings.Contains(err.Error(), "X-Amz") {
				t.Errorf("%v: %v", c.targets, err)
			}
		}
	}
}

// A download that was altered on its way is never used.
func TestFetchVerifies(t *testing.T) {
	acct, layers := account(t)
	o := remote(t, acct)
	acct.Inject(emulator.Fault{Operation: "GetObject", Kind: emulator.Corrupt, Count: -1})
	if _, err := o.Fetch(t.Context(), nil, layers[0]); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Error(err)
	}
	acct.ClearFaults()
	acct.Inject(emulator.Fault{Operation: "GetObject", Kind: emulator.Truncate, Count: 2})
	var progress []string
	set, err := o.Fetch(t.Context(), func(name string, done, total int64) {
		if done == total {
			progress = append(progress, name)
		}
	}, layers[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = set.Close()
	if !slices.Contains(progress, layers[0]) {
		t.Error(progress)
	}
	// A copy that is at hand is used again, unless it is not what it was.
	acct.ForgetCalls()
	fetch := func() (downloads int) {
		t.Helper()
		acct.ForgetCalls()
		set, err := o.Fetch(t.Context(), nil, layers[0])
		if err != nil {
			t.Fatal(err)
		}
		_ = set.Close()
		for _, c := range acct.Calls() {
			if c.Operation == "GetObject" {
				downloads++
			}
		}
		return downloads
	}
	if n := fetch(); n != 0 {
		t.Errorf("%d downloads of what was there", n)
	}
	if err := os.WriteFile(set.Layers[0].File, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := fetch(); n != 1 {
		t.Errorf("%d downloads for a file that was altered", n)
	}
}

// An archive that arrives otherwise than it should is not verified, and not kept.
func TestFollowVerifies(t *testing.T) {
	acct, layers := account(t)
	o := remote(t, acct)
	acct.Inject(emulator.Fault{Operation: "GetObject", Kind: emulator.Corrupt, Count: -1})
	set, err := o.Follow(t.Context(), nil, layers[0])
	if err == nil { // the directory came through
		err = set.Request().Layers[0].Verify(t.Context())
		_ = set.Close()
	}
	if err == nil {
		t.Error("an altered archive is verified")
	}
	if left, _ := os.ReadDir(o.Scratch); len(left) > 0 {
		t.Error("left behind:", left)
	}
	acct.ClearFaults()
	set, err = o.Follow(t.Context(), nil, layers[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Request().Layers[0].Verify(t.Context()); err != nil {
		t.Error(err)
	}
	_ = set.Close()
	if left, _ := os.ReadDir(o.Scratch); len(left) != 1 || left[0].Name() != set.Layers[0].SHA256+".zip" {
		t.Error("the scratch directory holds", left)
	}
	// What is there is not asked for again.
	set, err = o.Follow(t.Context(), nil, layers[0])
	if err != nil {
		t.Fatal(err)
	}
	if set.Layers[0].File == "" || set.Request().Layers[0].Verify != nil {
		t.Errorf("%+v", set.Layers[0])
	}
	_ = set.Close()
	// Transfers end with ctx.
	ctx, cancel := context.WithCancel(t.Context())
	_ = os.RemoveAll(o.Scratch)
	set, err = o.Follow(ctx, nil, "fn")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := set.Request().Code.Verify(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

// A URL that ends while its archive is in use is replaced.
func TestURLExpiresInUse(t *testing.T) {
	acct, _ := account(t)
	big := strings.Repeat("0123456789", 50_000)
	arn := acct.Layer("big", ziptest.File("a", big), ziptest.File("b", "b"), ziptest.File("c", big))
	set, err := remote(t, acct).Open(t.Context(), arn)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	acct.Advance(11 * 60 * 1e9) // URLs last ten minutes
	if got := read(t, set, "a"); got != big {
		t.Error(len(got))
	}
}

func TestSetOutlivesTheContextOfOpen(t *testing.T) {
	acct, layers := account(t)
	ctx, cancel := context.WithCancel(t.Context())
	set, err := remote(t, acct).Open(ctx, layers[1])
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	cancel()
	if got := read(t, set, "lib/x"); got != "from two" {
		t.Error(got)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := remote(t, acct).Open(done, layers[1]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
