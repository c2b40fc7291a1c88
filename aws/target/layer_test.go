package target_test

import (
	"context"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	awsaccount "github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// A layer is named by version, by layer, by name alone, or it is a zip.
func TestLayer(t *testing.T) {
	acct := sessiontest.Start(t)
	first := acct.Layer("tools", ziptest.File("a", "1"))
	out, err := acct.Lambda.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("tools"), Content: &types.LayerVersionContentInput{ZipFile: ziptest.Bytes(ziptest.File("a", "22"), ziptest.File("b", "3"))},
		CompatibleRuntimes: []types.Runtime{types.RuntimePython313}, CompatibleArchitectures: []types.Architecture{types.ArchitectureArm64},
	})
	if err != nil {
		t.Fatal(err)
	}
	second := aws.ToString(out.LayerVersionArn)
	bare := strings.TrimSuffix(second, ":2")
	o := remote(t, acct)
	for ref, want := range map[string]string{first: first, second: second, bare: second, "tools": second, "tools:1": first} {
		var steps []string
		l, err := o.Layer(t.Context(), ref, first, func(step string) { steps = append(steps, step) })
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		size := map[string]int64{first: 1, second: 3}[want]
		if l.Source != want || l.Layer.Dir.Unzipped != size || len(l.Set.Layers) != 1 || l.Programs != nil {
			t.Errorf("%s: %s of %d bytes, %+v", ref, l.Source, l.Layer.Dir.Unzipped, l.Programs)
		}
		if want == second && (!slices.Equal(l.Runtimes, []string{"python3.13"}) || !slices.Equal(l.Architectures, []string{"arm64"})) {
			t.Errorf("%s declares %v, %v", ref, l.Runtimes, l.Architectures)
		}
		listed := slices.Contains(steps, "listing the versions of "+bare)
		if listed != (ref == bare || ref == "tools") || !slices.Contains(steps, "asking for "+want) || steps[len(steps)-1] != "reading the directory of "+want {
			t.Errorf("%s: told %q", ref, steps)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	// The caller's only region stands for a name with nothing near it.
	l, err := o.Layer(t.Context(), "tools", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if n := writes(acct); n != 1+1 {
		t.Errorf("%d writes: looking made some", n)
	}
}

// writes counts what was published.
func writes(acct *sessiontest.Account) int {
	n := 0
	for _, r := range acct.Calls() {
		if r.Service == "lambda" && !strings.HasPrefix(r.Operation, "Get") && !strings.HasPrefix(r.Operation, "List") {
			n++
		}
	}
	return n
}

func TestLayerFromZip(t *testing.T) {
	file := ziptest.Write(t, ziptest.File("lib/x.so", ziptest.Program(elf.EM_X86_64)), ziptest.File("text", "no program"))
	l, err := local(t).Layer(t.Context(), file, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Source != file || len(l.Programs) != 1 || l.Programs[0].Path != "lib/x.so" || l.Programs[0].Architecture != "x86_64" {
		t.Errorf("%+v", l.Layer)
	}
}

func TestLayersThatFail(t *testing.T) {
	acct, layers := account(t)
	gone := acct.Layer("gone", ziptest.File("a", "a"))
	acct.DeleteLayer(gone)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.zip")
	if err := os.WriteFile(text, []byte("this is no zip at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	const far = "arn:aws:lambda:eu-central-1:999999999999:layer:far"
	o := remote(t, acct)
	for ref, want := range map[string]struct {
		text    string
		noLayer bool
	}{
		gone:                           {"was deleted, or never was", false},
		strings.TrimSuffix(gone, ":1"): {"has no layer gone in eu-central-1, or no version of it any more", false},
		"nobody":                       {"has no layer nobody", false},
		"fn":                           {"fn is a function, not a layer", true},
		"fn:":                          {"ends where its version should be", true},
		"fn:live":                      {"has a version that is no number", true},
		"fn:0":                         {"has a version that is no number", true},
		"a name":                       {"is not the name of a layer", true},
		"arn:aws:s3:::bucket":          {"is not the ARN of a layer", true},
		"arn:aws:lambda:eu-central-1:123456789012:function:fn": {"is a function's ARN", true},
		"arn:aws:lambda:::awslayer:AmazonLinux1703":            {"is not the ARN of a layer", true},
		far + ":1":                     {"lambda:GetLayerVersion", false},
		far:                            {"only its own account can list the versions of " + far + "; name one, as in " + far + ":1", false},
		filepath.Join(dir, "none.zip"): {"there is no file", false},
		text:                           {text, false},
		dir + "/":                      {dir, false},
	} {
		l, err := o.Layer(t.Context(), ref, layers[0], nil)
		if err == nil {
			_ = l.Close()
			t.Errorf("%s is a layer", ref)
			continue
		}
		said := session.Explain(err)
		if !strings.Contains(said, want.text) || errors.Is(err, awsaccount.ErrNoLayer) != want.noLayer || strings.Contains(said, "X-Amz") {
			t.Errorf("%s: %s", ref, said)
		}
	}
	// Not allowed is not the same as not there.
	acct.Inject(emulator.Fault{Operation: "ListLayerVersions", Kind: emulator.AccessDenied, Count: -1})
	if _, err := o.Layer(t.Context(), "one", layers[0], nil); err == nil || !strings.Contains(session.Explain(err), "lambda:ListLayerVersions") || session.KindOf(err) != session.Denied {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	acct.ClearFaults()
	acct.Inject(emulator.Fault{Operation: "ListLayerVersions", Kind: emulator.Stall, Count: -1, Hook: func(emulator.Record) { cancel() }})
	if _, err := o.Layer(ctx, "one", layers[0], nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A function whose layers are gone or closed is opened for looking, where that is
// asked for: nothing of /opt is then taken for the whole.
func TestPartly(t *testing.T) {
	acct := sessiontest.Start(t)
	kept := acct.Layer("kept", ziptest.File("lib/x", "kept"))
	gone := acct.Layer("gone", ziptest.File("lib/y", "gone"))
	closed := acct.Layer("closed", ziptest.File("lib/z", "closed"))
	acct.Function("fn", []ziptest.Entry{ziptest.File("index.js", "code"), ziptest.Link("x", "/opt/lib/x")},
		func(in *lambda.CreateFunctionInput) { in.Layers = []string{gone, kept, closed} })
	acct.DeleteLayer(gone)
	acct.Inject(emulator.Fault{Operation: "GetLayerVersionByArn", Target: "closed", Kind: emulator.AccessDenied, Count: -1})
	o := remote(t, acct)
	if _, err := o.Open(t.Context(), "fn"); err == nil {
		t.Error("a part is taken for the whole")
	}
	o.Partly = true
	for name, open := range map[string]func(...string) (*target.Set, error){
		"open":  func(a ...string) (*target.Set, error) { return o.Open(t.Context(), a...) },
		"fetch": func(a ...string) (*target.Set, error) { return o.Fetch(t.Context(), nil, a...) },
	} {
		set, err := open("fn")
		if err != nil {
			t.Fatal(name, err)
		}
		var states []awsaccount.State
		for _, l := range set.Layers {
			if (l.Missing == nil) != (l.Dir != nil) || (l.Missing == nil) != (l.State == awsaccount.OK) {
				t.Errorf("%s: %+v", name, l)
			}
			states = append(states, l.State)
		}
		if !slices.Equal(states, []awsaccount.State{awsaccount.Deleted, awsaccount.OK, awsaccount.Denied}) {
			t.Errorf("%s: %v", name, states)
		}
		tree, err := set.Opt(t.Context())
		if err != nil || len(tree.Layers) != 3 || tree.Layers[0].Dir != nil {
			t.Errorf("%s: %+v, %v", name, tree, err)
		}
		if got := read(t, set, "/var/task/index.js"); got != "code" {
			t.Error(got)
		}
		out := filepath.Join(t.TempDir(), "out")
		if _, err := set.Extract(t.Context(), "/var/task", out, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, cat := set.Find(t.Context(), "/opt/lib/x")
		_, link := set.Find(t.Context(), "/var/task/x")
		_, part := set.Extract(t.Context(), "/opt/lib", out, nil)
		_, all := set.Extract(t.Context(), "", out, nil)
		for i, err := range []error{cat, link, part, all} {
			if err == nil || !strings.Contains(err.Error(), "what lies under /opt is not known, for layer 1 ("+gone+") is deleted") {
				t.Errorf("%s %d: %v", name, i, err)
			}
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
		// What is named by itself must be there.
		if _, err := open("fn", gone); err == nil {
			t.Errorf("%s: a layer that is gone was done without", name)
		}
	}
	// A failure that says nothing of the layer is one of the whole.
	acct.ClearFaults()
	acct.Inject(emulator.Fault{Operation: "GetLayerVersionByArn", Target: "kept", Kind: emulator.ExpiredToken, Count: -1})
	if _, err := o.Open(t.Context(), "fn"); session.KindOf(err) != session.Expired {
		t.Error("a layer that could not be read was done without:", err)
	}
}
