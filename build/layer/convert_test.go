package layer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// source reads an archive's directory.
func source(t testing.TB, root Root, archive []byte) Source {
	t.Helper()
	d, err := zipdir.Read("a.zip", bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: "a.zip", Dir: d, Root: root}
}

// converted converts and checks the result against itself.
func converted(t testing.TB, src Source, opts Options) (Result, []byte) {
	t.Helper()
	var out bytes.Buffer
	res, err := Convert(context.Background(), &out, src, opts)
	if err != nil {
		t.Fatal(err)
	}
	if res.Size != int64(out.Len()) || res.Digest.Hex != sum(out.Bytes()) {
		t.Fatalf("the result says %d bytes, %s; they are %d, %s", res.Size, res.Digest, out.Len(), sum(out.Bytes()))
	}
	return res, out.Bytes()
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// firstMember reads what a reader sees that stops after one gzip member.
func firstMember(t testing.TB, blob []byte) []byte {
	t.Helper()
	r := bytes.NewReader(blob)
	zr, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	zr.Multistream(false)
	b, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 0 {
		t.Fatalf("%d bytes follow the first gzip member", r.Len())
	}
	return b
}

// entry is what a test looks at in a tar.
type entry struct {
	Name   string
	Type   byte
	Mode   int64
	Link   string
	Digest string
}

// list reads a tar and checks what holds for every entry of every layer.
func list(t testing.TB, b []byte, modTime time.Time) []entry {
	t.Helper()
	var all []entry
	seen := map[string]bool{}
	tr := tar.NewReader(bytes.NewReader(b))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		e := entry{Name: h.Name, Type: h.Typeflag, Mode: h.Mode, Link: h.Linkname}
		if h.Typeflag == tar.TypeReg {
			e.Digest = sum(data)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || !h.ModTime.Equal(modTime) {
			t.Fatalf("%s: owner %d:%d %q:%q, time %v", h.Name, h.Uid, h.Gid, h.Uname, h.Gname, h.ModTime)
		}
		name := strings.TrimSuffix(h.Name, "/")
		if seen[name] {
			t.Fatalf("%s is there twice", name)
		}
		if parent := path.Dir(name); parent != "." && !seen[parent] {
			t.Fatalf("%s comes before its parent directory", name)
		}
		seen[name] = true
		all = append(all, e)
	}
}

// reference makes the tar of an archive with the standard library.
func reference(t testing.TB, root Root, archive []byte) []byte {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(zr.File, func(a, b *zip.File) int {
		x, err1 := a.DataOffset()
		y, err2 := b.DataOffset()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return int(x - y)
	})
	dirs := map[string]bool{}
	parents := func(name string) {
		for p := path.Dir(name); p != "."; p = path.Dir(p) {
			dirs[p] = true
		}
	}
	parents(string(root) + "/x")
	for _, f := range zr.File {
		name := string(root) + "/" + f.Name
		parents(strings.TrimSuffix(name, "/"))
		if strings.HasSuffix(name, "/") {
			dirs[strings.TrimSuffix(name, "/")] = true
		}
	}
	var names []string
	for d := range dirs {
		names = append(names, d)
	}
	slices.Sort(names)
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	put := func(h *tar.Header, data []byte) {
		h.Size = int64(len(data))
		h.ModTime = time.Unix(0, 0)
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range names {
		put(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755}, nil)
	}
	for _, f := range zr.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name := string(root) + "/" + f.Name
		if f.Mode()&fs.ModeSymlink != 0 {
			put(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: string(data), Mode: 0o777}, nil)
			continue
		}
		mode := int64(f.Mode().Perm()) | 0o444
		if mode&0o111 != 0 {
			mode |= 0o111
		}
		if f.CreatorVersion>>8 == 0 {
			mode = 0o644
			if f.Name == "bootstrap" || root == Opt && path.Dir(f.Name) == "extensions" {
				mode = 0o755
			}
		}
		put(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, data)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// archives generates archives that the standard library can read as well.
var archives = rapid.Custom(func(t *rapid.T) []byte {
	var entries []ziptest.Entry
	seen := map[string]bool{}
	part := rapid.SampledFrom([]string{"a", "b", "extensions", "ümlaut", strings.Repeat("long", 12), "node_modules"})
	leaf := rapid.SampledFrom([]string{"x", "y.js", "bootstrap", strings.Repeat("leaf", 30), "z.so", "日本"})
	for range rapid.IntRange(0, 12).Draw(t, "entries") {
		dir := ""
		for range rapid.IntRange(0, 4).Draw(t, "depth") {
			dir += part.Draw(t, "part") + "/"
		}
		name := dir + leaf.Draw(t, "leaf")
		kind := rapid.IntRange(0, 5).Draw(t, "kind")
		if kind == 0 {
			name = dir + "dir"
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		var e ziptest.Entry
		switch kind {
		case 0:
			e = ziptest.Dir(name)
		case 1:
			e = ziptest.Link(name, rapid.SampledFrom([]string{"x", "/opt/a", "./b/../c", strings.Repeat("t", 120)}).Draw(t, "target"))
		default:
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
			body := make([]byte, rapid.SampledFrom([]int{0, 1, 511, 512, 513, 5000, 70000, 300000}).Draw(t, "size"))
			spread := rapid.SampledFrom([]int{1, 3, 30, 256}).Draw(t, "spread")
			for i := range body {
				body[i] = byte(rng.IntN(spread))
			}
			e = ziptest.File(name, string(body)).Perm(rapid.Uint32Range(0, 0o777).Draw(t, "mode"))
			if rapid.Bool().Draw(t, "deflated") {
				e = e.Deflated()
			}
			if rapid.Bool().Draw(t, "streamed") {
				e = e.Streamed()
			}
			if kind == 2 {
				e = e.DOS()
			}
		}
		entries = append(entries, e)
	}
	return ziptest.Bytes(entries...)
})

func TestSameAsStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		archive := archives.Draw(t, "archive")
		root := rapid.SampledFrom([]Root{Opt, Task}).Draw(t, "root")
		want := reference(tb{T: t}, root, archive)
		src := source(tb{T: t}, root, archive)
		l, err := newLayout(src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var first Result
		for i, p := range []pace{usualPace(), {1, 1, maxLocalHeader, 1}, {3, 3, maxLocalHeader, 1000}, {
			unpackers: rapid.IntRange(1, 4).Draw(t, "unpackers"), chunk: rapid.IntRange(1, 100000).Draw(t, "chunk"),
			load: rapid.IntRange(maxLocalHeader, 600000).Draw(t, "load"), section: rapid.IntRange(0, 600000).Draw(t, "section"),
		}} {
			if p.chunk < 8 && len(want) > 16000 {
				continue // the same again, byte by byte, only slower
			}
			var out bytes.Buffer
			res, err := l.splice(context.Background(), &out, nil, p)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = res
				got := firstMember(tb{T: t}, out.Bytes())
				if !bytes.Equal(got, want) {
					t.Fatalf("the tars differ:\n%s", cmp.Diff(list(tb{T: t}, want, time.Unix(0, 0)), list(tb{T: t}, got, time.Unix(0, 0))))
				}
				list(tb{T: t}, got, time.Unix(0, 0))
				if res.DiffID.Hex != sum(want) || res.Uncompressed != int64(len(want)) {
					t.Fatalf("diff ID %s of %d bytes, want %s of %d", res.DiffID, res.Uncompressed, sum(want), len(want))
				}
			} else if d := cmp.Diff(first, res); d != "" {
				t.Fatalf("%+v gives another result:\n%s", p, d)
			}
		}
	})
}

// tb lets helpers for testing.TB serve a rapid.T.
type tb struct {
	testing.TB
	*rapid.T
}

func (t tb) Helper()                   { t.T.Helper() }
func (t tb) Fatal(args ...any)         { t.T.Fatal(args...) }
func (t tb) Fatalf(f string, a ...any) { t.T.Fatalf(f, a...) }
func (t tb) Log(args ...any)           { t.T.Log(args...) }
func (t tb) Logf(f string, a ...any)   { t.T.Logf(f, a...) }
func (t tb) Error(args ...any)         { t.T.Error(args...) }
func (t tb) Errorf(f string, a ...any) { t.T.Errorf(f, a...) }
func (t tb) Fail()                     { t.T.Fail() }
func (t tb) FailNow()                  { t.T.FailNow() }
func (t tb) Failed() bool              { return t.T.Failed() }
func (t tb) Name() string              { return t.T.Name() }
func (t tb) Skip(args ...any)          { t.T.Skip(args...) }
func (t tb) Skipf(f string, a ...any)  { t.T.Skipf(f, a...) }
func (t tb) SkipNow()                  { t.T.SkipNow() }
func (t tb) Cleanup(f func())          { t.T.Cleanup(f) }
func (t tb) Context() context.Context  { return t.T.Context() }
func (t tb) Output() io.Writer         { return t.T.Output() }

// fixed is an archive of all kinds of entries.
func fixed() []byte {
	text := strings.Repeat("exports.handler = async () => 'up';\n", 3000)
	return ziptest.Bytes(
		ziptest.File("zz/first.js", text).Deflated(),
		ziptest.Dir("nodejs"),
		ziptest.File("nodejs/index.js", text[:7000]).Deflated().Perm(0o600),
		ziptest.File("data/stored.bin", strings.Repeat("\x00\x01\x02", 30000)),
		ziptest.File("data/empty", "").Deflated(),
		ziptest.Link("bin/run", "../zz/first.js"),
		ziptest.File("extensions/agent", "#!/bin/sh\n").DOS(),
		ziptest.File(strings.Repeat("deep/", 60)+"leaf.txt", "far down").Deflated().Streamed(),
	)
}

// The layer of testdata/fixed.zip must never change while Version stays: stores
// and registries know it by its digest.
func TestGolden(t *testing.T) {
	archive, err := os.ReadFile("testdata/fixed.zip")
	if err != nil {
		t.Fatal(err)
	}
	res, blob := converted(t, source(t, Opt, archive), Options{})
	const (
		digest = "sha256:bd46365ebe64844cfa8ef02db8a36530dc5010088c751f0eee71f6a5f283f828"
		diffID = "sha256:c30ff395f4457f3de303ca6ca67f2369d7a3a4f0a177a64ae78cda507d9aeca6"
	)
	if res.Digest.String() != digest || res.DiffID.String() != diffID {
		t.Errorf("the layer of a fixed archive is now %s, diff ID %s: if that is meant, raise Version", res.Digest, res.DiffID)
	}
	if got := res.DiffID.Hex; got != sum(firstMember(t, blob)) {
		t.Errorf("diff ID %s, the tar has %s", got, sum(firstMember(t, blob)))
	}
}

func TestOrderModesAndRepairs(t *testing.T) {
	when := time.Date(2026, 3, 4, 5, 6, 7, 999, time.FixedZone("", 3600))
	archive := ziptest.Bytes(
		ziptest.File("z", "1").Perm(0o600),
		ziptest.File("a/tool", "2").Perm(0o4710),
		ziptest.Dir("locked").Perm(0o700),
		ziptest.Dir("a").Perm(0o775),
		ziptest.File("none", "3").Perm(0),
		ziptest.File("extensions/agent", "4").DOS(),
		ziptest.File("extensions/lib/helper", "5").DOS(),
		ziptest.File("wrapper", "6").DOS(),
		ziptest.File("plain", "7").DOS(),
		ziptest.Link("link", "/nowhere"),
	)
	res, blob := converted(t, source(t, Opt, archive), Options{
		Time:        when,
		Links:       []Link{{Path: "/var/runtime/bootstrap", Target: "/opt/bootstrap"}},
		Executables: []string{"/opt/wrapper", "/opt/absent", "/opt/z"},
	})
	file := func(name string, mode int64, data string) entry {
		return entry{Name: name, Type: tar.TypeReg, Mode: mode, Digest: sum([]byte(data))}
	}
	dir := func(name string) entry { return entry{Name: name, Type: tar.TypeDir, Mode: 0o755} }
	want := []entry{
		dir("opt/"), dir("opt/a/"), dir("opt/extensions/"), dir("opt/extensions/lib/"), dir("opt/locked/"), dir("var/"), dir("var/runtime/"),
		{Name: "var/runtime/bootstrap", Type: tar.TypeSymlink, Mode: 0o777, Link: "/opt/bootstrap"},
		file("opt/z", 0o644, "1"), file("opt/a/tool", 0o755, "2"), file("opt/none", 0o444, "3"),
		file("opt/extensions/agent", 0o755, "4"), file("opt/extensions/lib/helper", 0o644, "5"),
		file("opt/wrapper", 0o755, "6"), file("opt/plain", 0o644, "7"),
		{Name: "opt/link", Type: tar.TypeSymlink, Mode: 0o777, Link: "/nowhere"},
	}
	if d := cmp.Diff(want, list(t, firstMember(t, blob), when.Truncate(time.Second))); d != "" {
		t.Error(d)
	}
	noModes := "made executable: the archive carries no modes"
	repairs := []Repair{
		{"/opt/z", 0o600, 0o644, "made readable by all"},
		{"/opt/a/tool", 0o4710, 0o755, "made readable by all, made executable by all, set-user-ID, set-group-ID and sticky bits dropped"},
		{"/opt/locked", 0o700, 0o755, "made readable and searchable by all"},
		{"/opt/none", 0, 0o444, "made readable by all"},
		{"/opt/extensions/agent", 0o644, 0o755, noModes},
		{"/opt/wrapper", 0o644, 0o755, noModes},
	}
	if d := cmp.Diff(repairs, res.Repairs); d != "" {
		t.Error(d)
	}
	if res.Files != 7 {
		t.Errorf("Files = %d, want 7", res.Files)
	}
	if got := list(t, firstMember(t, blob), when.Truncate(time.Second)); len(got) != len(want) {
		t.Errorf("%d entries", len(got))
	}
	_, blob = converted(t, source(t, Task, ziptest.Bytes(ziptest.File("bootstrap", "x").DOS(), ziptest.File("extensions/agent", "x").DOS())), Options{})
	for _, e := range list(t, firstMember(t, blob), time.Unix(0, 0)) {
		if e.Type == tar.TypeReg && (e.Mode == 0o755) != (e.Name == "var/task/bootstrap") {
			t.Errorf("%s has mode %o", e.Name, e.Mode)
		}
	}
}

func TestLinksThatDoNotFit(t *testing.T) {
	src := source(t, Opt, ziptest.Bytes(ziptest.File("a", "x"), ziptest.File("d/f", "y")))
	for _, links := range [][]Link{
		{{Path: "/opt/a", Target: "t"}}, {{Path: "/opt/a/b", Target: "t"}}, {{Path: "/opt/d", Target: "t"}},
		{{Path: "/x", Target: ""}}, {{Path: "/", Target: "t"}}, {{Path: "/x/../y", Target: "t"}}, {{Path: "/.wh.x", Target: "t"}},
		{{Path: "/x", Target: "t"}, {Path: "/x", Target: "t"}}, {{Path: "/x", Target: "t"}, {Path: "/x/y", Target: "t"}},
		{{Path: "/x/y", Target: "t"}, {Path: "/x", Target: "t"}},
	} {
		if _, err := Convert(context.Background(), io.Discard, src, Options{Links: links}); err == nil || !strings.Contains(err.Error(), "a.zip") {
			t.Errorf("%v: err %v", links, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	src := source(t, Opt, fixed())
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the user left")
	w := writerFunc(func(b []byte) (int, error) { cancel(why); return len(b), nil })
	if _, err := Convert(ctx, w, src, Options{}); !errors.Is(err, why) {
		t.Errorf("err %v", err)
	}
}

func TestWriterFails(t *testing.T) {
	src := source(t, Opt, fixed())
	full := errors.New("no space left")
	for _, w := range []writerFunc{
		func([]byte) (int, error) { return 0, full },
		func(b []byte) (int, error) { return len(b) - 1, nil },
	} {
		_, err := Convert(context.Background(), w, src, Options{})
		if !errors.Is(err, full) && !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("err %v", err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A reader that fails, or ends, in the middle must end the conversion.
func TestReaderFails(t *testing.T) {
	archive := fixed()
	src := source(t, Opt, archive)
	if err := src.Dir.ReadLinks(); err != nil {
		t.Fatal(err)
	}
	for cut := range len(archive) / 2 {
		if cut%997 != 0 {
			continue
		}
		d, err := zipdir.Read("a.zip", &cutReader{archive, int64(len(archive) + 1)}, int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.ReadLinks(); err != nil {
			t.Fatal(err)
		}
		d.ReaderAt().(*cutReader).end = int64(cut)
		_, err = Convert(context.Background(), io.Discard, Source{Name: "a.zip", Dir: d, Root: Opt}, Options{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(fmt.Sprint(err), "a.zip") {
			t.Fatalf("cut at %d: err %v", cut, err)
		}
	}
}

// cutReader has nothing from end on.
type cutReader struct {
	b   []byte
	end int64
}

func (c *cutReader) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(c.b[:min(c.end, int64(len(c.b)))]).ReadAt(p, off)
}
