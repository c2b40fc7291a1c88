package switchover

import (
	"archive/tar"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/registry"
)

// orphan is an image whose only file has no parent directory of its own, which
// Lambda finds out only after it has answered.
func orphan(t *testing.T) v1.Image {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: "var/task/index.js", Typeflag: tar.TypeReg, Mode: 0o644, Size: 1}); err != nil {
		t.Fatal(err)
	}
	must(w.Write([]byte("1")))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }))
	img := must(mutate.AppendLayers(empty.Image, l))
	return must(mutate.ConfigFile(img, func() *v1.ConfigFile {
		c := must(img.ConfigFile()).DeepCopy()
		c.OS, c.Architecture = "linux", "amd64"
		c.Config.Entrypoint = []string{"/lambda-entrypoint.sh"}
		return c
	}()))
}

// A function that became Failed can't be repaired: it is deleted and made again.
func TestAFailedFunctionIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	client := registry.New(b.s.config.Session, b.s.config.Region)
	repo, err := client.Ensure(b.ctx, "shop")
	ref, pushErr := client.Push(b.ctx, ok(b, repo, err), "", orphan(t), nil)
	ok(b, 0, pushErr)
	r := b.s.newRun(snap, Choices{}, testJournal(t, b.state), b.emit)
	if err := r.j.set(imageFact(""), ref); err != nil {
		t.Fatal(err)
	}
	in, err := r.create()
	ok(b, 0, err)
	name := "shop-again"
	in.FunctionName = &name
	for range 2 {
		if _, err := r.createAs(b.ctx, in, true); err == nil || !strings.Contains(err.Error(), "became Failed") {
			t.Fatalf("a broken image: %v", err)
		}
	}
	var made []string
	for _, c := range b.server.Calls() {
		if mutating(c) && c.Service == "lambda" && strings.Contains(c.Target, name) {
			made = append(made, c.Operation)
		}
	}
	if want := []string{"CreateFunction", "DeleteFunction", "CreateFunction"}; !slices.Equal(made, want) {
		t.Errorf("calls %v, want %v", made, want)
	}
}

// An endpoint that takes requests and never answers holds nothing for ever.
func TestASilentEndpointEndsARun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("shop")
	before := b.capture("shop")
	for _, operation := range []string{"PutManifest", "UpdateEventSourceMapping"} {
		b.server.Inject(emulator.Fault{Operation: operation, Kind: emulator.Stall})
		b.s.callTimeout = 300 * time.Millisecond
		res, err := b.apply("shop", Choices{})
		b.server.ClearFaults()
		b.s.callTimeout = time.Minute
		if err == nil || res.State != StateFailed {
			t.Fatalf("%s: %+v, %v", operation, res, err)
		}
		if _, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
			t.Fatal(err)
		}
		b.sameAs(before, false)
	}
	b.server.Inject(emulator.Fault{Operation: "GetFunctionConcurrency", Kind: emulator.Stall})
	b.s.callTimeout = 300 * time.Millisecond
	if got := ids(PlanFor(b.capture("shop"), Choices{}).Blockers); !slices.Equal(got, []string{"failed:reserved-concurrency"}) {
		t.Errorf("blockers %v", got)
	}
}
