package find_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// finder looks into the layers of an embedded account, and counts how many of them
// are opened.
func finder(t *testing.T, a *sessiontest.Account) (*find.Finder, *atomic.Int64) {
	cache := archive.OpenCache(t.TempDir())
	opener := &target.Opener{Session: func(context.Context) (*session.Session, error) { return a.Session, nil }, Scratch: t.TempDir(), Cache: cache}
	opened := new(atomic.Int64)
	return &find.Finder{Cache: cache, Explain: session.Explain, Open: func(ctx context.Context, targets ...string) (*target.Set, error) {
		opened.Add(1)
		return opener.Open(ctx, targets...)
	}}, opened
}

func search(t *testing.T, f *find.Finder, pattern string, layers []find.Layer) map[string]find.Result {
	t.Helper()
	p, err := find.Parse(pattern)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]find.Result{}
	if err := f.Find(t.Context(), p, layers, func(r find.Result) { out[r.ARN] = r }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFind(t *testing.T) {
	a := sessiontest.Start(t)
	with := a.Layer("with", ziptest.File("python/numpy/core.py", "x"), ziptest.File("bin/tool", "y"))
	without := a.Layer("without", ziptest.File("bin/tool", "y"))
	gone := a.Layer("gone", ziptest.File("python/numpy/core.py", "x"))
	a.DeleteLayer(gone)
	foreign := strings.Replace(with, ":123456789012:", ":999988887777:", 1)
	layers := []find.Layer{{ARN: with}, {ARN: without}, {ARN: gone}, {ARN: foreign}}
	f, opened := finder(t, a)
	got := search(t, f, "numpy", layers)
	if len(got) != 4 || opened.Load() != 4 {
		t.Fatalf("%d results, %d opened", len(got), opened.Load())
	}
	if r := got[with]; r.State != account.OK || r.OnDisk || r.Total != 1 || r.Hits[0].Path != "/opt/python/numpy" {
		t.Errorf("%+v", r)
	}
	if r := got[without]; r.State != account.OK || r.Total != 0 {
		t.Errorf("%+v", r)
	}
	if r := got[gone]; r.State != account.Deleted || r.Message == "" {
		t.Errorf("%+v", r)
	}
	if r := got[foreign]; r.State != account.Denied || r.Message == "" {
		t.Errorf("%+v", r)
	}

	// What has been read once is on disk for those who know its SHA-256, and comes
	// before what must be asked for.
	set, err := f.Open(t.Context(), with)
	if err != nil {
		t.Fatal(err)
	}
	sum := set.Layers[0].SHA256
	set.Close()
	layers = []find.Layer{{ARN: gone}, {ARN: without, SHA256: base64Of(t, strings.Repeat("00", 32))}, {ARN: with, SHA256: base64Of(t, sum)}}
	opened.Store(0)
	var order []string
	p, err := find.Parse("core.py")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Find(t.Context(), p, layers, func(r find.Result) { order = append(order, r.ARN); got[r.ARN] = r }); err != nil {
		t.Fatal(err)
	}
	if opened.Load() != 2 || len(order) != 3 || order[0] != with || !got[with].OnDisk || got[with].Total != 1 || got[without].OnDisk {
		t.Errorf("%d opened, %v, %+v", opened.Load(), order, got[with])
	}
}

func TestFindTellsNoMoreThanItHolds(t *testing.T) {
	a := sessiontest.Start(t)
	var entries []ziptest.Entry
	for i := range find.MaxHits + 10 {
		entries = append(entries, ziptest.File("lib/"+strings.Repeat("a", 1+i%50)+string(rune('a'+i/50))+".so", "x"))
	}
	arn := a.Layer("many", entries...)
	f, _ := finder(t, a)
	if r := search(t, f, "*.so", []find.Layer{{ARN: arn}})[arn]; r.Total != find.MaxHits+10 || len(r.Hits) != find.MaxHits {
		t.Errorf("%d, %d hits", r.Total, len(r.Hits))
	}
}

// TestFindStops ends with its context: what was cut short is no result.
func TestFindStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &find.Finder{Cache: archive.OpenCache(""), Explain: session.Explain, Open: func(ctx context.Context, targets ...string) (*target.Set, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	p, err := find.Parse("x")
	if err != nil {
		t.Fatal(err)
	}
	err = f.Find(ctx, p, slices.Repeat([]find.Layer{{ARN: "arn"}}, 50), func(r find.Result) { t.Errorf("%+v", r) })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// base64Of turns a SHA-256 in hex into Lambda's form.
func base64Of(t *testing.T, sum string) string {
	t.Helper()
	raw, err := hex.DecodeString(sum)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}
