package image

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// words is text that deflate makes several dynamic blocks of.
func words(seed uint64, size int) string {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for b.Len() < size {
		fmt.Fprintf(&b, "%x ", rng.IntN(1<<rng.IntN(20)))
	}
	return b.String()[:size]
}

// deflated is a body as compressors make it: with empty blocks before, between and
// behind.
func deflatedAs(t testing.TB, level int, flushed bool, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{body}
	if flushed {
		parts = []string{"", body[:len(body)/2], "", body[len(body)/2:], ""}
	}
	for _, p := range parts {
		if _, err = io.WriteString(w, p); err == nil && flushed {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// anyKind holds entries of every kind a converter meets.
func anyKind(t testing.TB) []ziptest.Entry {
	entries := []ziptest.Entry{
		ziptest.Dir("bin"), ziptest.File("bin/run", ziptest.Program(elf.EM_AARCH64)).Perm(0o755).Deflated(), ziptest.File("stored", words(1, 90_000)),
		ziptest.File("empty", ""), ziptest.File("emptyDeflated", "").Raw([]byte{3, 0}).Both(func(h *ziptest.Header) { h.Method = 8 }),
		ziptest.File("big", words(2, 900_000)).Deflated(), ziptest.File("zeros", strings.Repeat("\x00", 700_000)).Deflated(), ziptest.Link("link", "big"),
	}
	for i := range 60 { // in all positions to a byte
		body := words(uint64(10+i), 1+i*i)
		entries = append(entries, ziptest.File(fmt.Sprintf("f%d", i), body).
			Raw(deflatedAs(t, []int{-2, 0, 1, 6, 9}[i%5], i%3 == 0, body)).Both(func(h *ziptest.Header) { h.Method = 8 }))
	}
	return entries
}

func converted(t testing.TB, src layer.Source) *layer.Layer {
	t.Helper()
	l, err := openStore(t).Convert(context.Background(), src, layer.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTwinOfEveryKind(t *testing.T) {
	src := source(t, "a.zip", anyKind(t)...)
	src.Root = layer.Opt
	files := int64(0)
	s := scanTwin(context.Background(), converted(t, src), &src, func(n int64) { files += n })
	if s == nil || !s.twinOf(&src) {
		t.Fatal("the layer is not found to hold what its archive does")
	}
	if files != src.Dir.Unzipped-int64(len("big")) { // the link's target is no file's
		t.Errorf("%d bytes were compared of %d", files, src.Dir.Unzipped)
	}
	if want := []machine.Program{{Path: "bin/run", Architecture: machine.ARM}}; !cmp.Equal(s.programs, want) {
		t.Errorf("programs %v", s.programs)
	}
}

// TestTwinRefuses takes a layer for that of an archive which differs in one thing.
func TestTwinRefuses(t *testing.T) {
	body := words(3, 5000)
	entries := func(change func([]ziptest.Entry) []ziptest.Entry) layer.Source {
		list := []ziptest.Entry{ziptest.File("a", body).Deflated(), ziptest.File("b", body), ziptest.File("c", body[1:]).Deflated()}
		s := source(t, "a.zip", change(list)...)
		s.Root = layer.Opt
		return s
	}
	same := func(l []ziptest.Entry) []ziptest.Entry { return l }
	l := converted(t, entries(same))
	for name, change := range map[string]func([]ziptest.Entry) []ziptest.Entry{
		"a file less":           func(l []ziptest.Entry) []ziptest.Entry { return l[:2] },
		"other bytes, deflated": func(l []ziptest.Entry) []ziptest.Entry { l[0] = ziptest.File("a", words(4, 5000)).Deflated(); return l },
		"other bytes, stored":   func(l []ziptest.Entry) []ziptest.Entry { l[1] = ziptest.File("b", words(4, 5000)); return l },
		"other sizes":           func(l []ziptest.Entry) []ziptest.Entry { l[2] = ziptest.File("c", body).Deflated(); return l },
		"another name":          func(l []ziptest.Entry) []ziptest.Entry { l[0] = ziptest.File("A", body).Deflated(); return l },
		"a link for a file":     func(l []ziptest.Entry) []ziptest.Entry { l[0] = ziptest.Link("a", "b"); return l },
		"another CRC": func(l []ziptest.Entry) []ziptest.Entry {
			l[0] = l[0].Both(func(h *ziptest.Header) { h.CRC++ })
			return l
		},
		"another CRC of a stored file": func(l []ziptest.Entry) []ziptest.Entry {
			l[1] = l[1].Both(func(h *ziptest.Header) { h.CRC++ })
			return l
		},
		"another local header": func(l []ziptest.Entry) []ziptest.Entry {
			l[2] = l[2].Local(func(h *ziptest.Header) { h.Rename("x") })
			return l
		},
		// Not wrong, but not seen to be right: hashes have to tell.
		"another compression": func(l []ziptest.Entry) []ziptest.Entry {
			l[0] = l[0].Raw(deflatedAs(t, -2, false, body))
			return l
		},
		"another order": func(l []ziptest.Entry) []ziptest.Entry { l[0], l[2] = l[2], l[0]; return l },
	} {
		other := entries(change)
		if s := scanTwin(context.Background(), l, &other, nil); s != nil {
			t.Errorf("%s: taken for the same", name)
		}
	}
	src := entries(same)
	for name, l := range map[string]v1.Layer{
		"compressed again": plainLayer(t, ociFamily, dir("opt"), text("opt/a", body), text("opt/b", body), text("opt/c", body[1:])),
		"a hard link":      plainLayer(t, ociFamily, dir("opt"), text("opt/b", body), hardLink("opt/a", "opt/b")),
		"elsewhere":        plainLayer(t, ociFamily, dir("var"), text("var/task/b", body)),
	} {
		if s := scanTwin(context.Background(), l, &src, nil); s != nil {
			t.Errorf("%s: taken for the same", name)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if s := scanTwin(gone, l, &src, nil); s != nil {
		t.Error("cancelled, and yet an answer")
	}
}

// TestTwinSeesEveryBit flips each bit of an archive's data. Only what no reader of
// the archive would see may differ.
func TestTwinSeesEveryBit(t *testing.T) {
	body := words(5, 300)
	archive := ziptest.Bytes(
		ziptest.File("a", body).Deflated(), ziptest.File("b", body[7:99]),
		ziptest.File("c", body).Raw(deflatedAs(t, 6, true, body)).Both(func(h *ziptest.Header) { h.Method = 8 }))
	open := func(data []byte) layer.Source {
		d, err := zipdir.Read("a.zip", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		return layer.Source{Name: "a.zip", Dir: d, Root: layer.Opt}
	}
	src := open(archive)
	l := converted(t, src)
	unseen := 0
	for i := range src.Dir.Entries {
		e := &src.Dir.Entries[i]
		from, err := src.Dir.DataOffset(e)
		if err != nil {
			t.Fatal(err)
		}
		for bit := from * 8; bit < (from+e.CompressedSize)*8; bit++ {
			archive[bit/8] ^= 1 << (bit & 7)
			other := open(archive)
			if scanTwin(context.Background(), l, &other, nil) != nil {
				unseen++
				if got, err := unzipped(archive, e.Name); err != nil || got != body[:len(got)] && e.Name != "b" {
					t.Errorf("bit %d of %s is not looked at: %v", bit-from*8, e.Name, err)
				}
			}
			archive[bit/8] ^= 1 << (bit & 7)
		}
	}
	if unseen > 7*2 { // what fills the last byte of the two streams
		t.Errorf("%d bits are not looked at", unseen)
	}
}

// FuzzTwin changes an archive behind the back of its layer. What is taken for the
// same then has to be the same for others who read both.
func FuzzTwin(f *testing.F) {
	body := words(6, 700)
	names := []string{"a", "b", "c", "d"}
	archive := ziptest.Bytes(
		ziptest.File("a", body).Deflated(), ziptest.File("b", body[3:50]), ziptest.File("c", ""),
		ziptest.File("d", body[9:]).Raw(deflatedAs(f, 6, true, body[9:])).Both(func(h *ziptest.Header) { h.Method = 8 }))
	want := make(map[string]string)
	for _, n := range names {
		var err error
		if want[n], err = unzipped(archive, n); err != nil {
			f.Fatal(err)
		}
	}
	d, err := zipdir.Read("a.zip", bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		f.Fatal(err)
	}
	l := converted(f, layer.Source{Name: "a.zip", Dir: d, Root: layer.Opt})
	f.Add(0, []byte{}, 0)
	f.Add(40, []byte{1}, 1)
	f.Add(100, []byte{7, 8}, 0)
	f.Fuzz(func(t *testing.T, at int, put []byte, cut int) {
		if at < 0 || cut < 0 || at > len(archive) || cut > len(archive)-at {
			t.Skip()
		}
		changed := slices.Concat(archive[:at], put, archive[at+cut:])
		d, err := zipdir.Read("a.zip", bytes.NewReader(changed), int64(len(changed)))
		if err != nil {
			return
		}
		src := layer.Source{Name: "a.zip", Dir: d, Root: layer.Opt}
		if scanTwin(context.Background(), l, &src, nil) == nil {
			return
		}
		for _, e := range d.Entries {
			got, err := unzipped(changed, e.Name)
			if e.Kind == zipdir.File && err == nil && got != want[e.Name] {
				t.Errorf("%s is another, and not told", e.Name)
			}
		}
	})
}

func unzipped(archive []byte, name string) (string, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return "", err
	}
	f, err := z.Open(name)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return string(b), err
}

// TestTwinsProveWhatHashesDo changes images over layers that are twins.
func TestTwinsProveWhatHashesDo(t *testing.T) {
	for name, over := range map[string][]file{
		"nothing":                 nil,
		"a file less":             {text("opt/bin/.wh.run", "")},
		"other bytes":             {text("var/task/index.js", "CODE")},
		"the same bytes":          {text("var/task/index.js", "code")},
		"the shadowed copy":       {text("opt/both", "one")},
		"a hard link":             {hardLink("var/task/index.js", "opt/both")},
		"a hard link to the same": {hardLink("var/task/index.js", "var/task/index.js")},
		"another root":            {text("srv/x", ""), link("var", "opt")},
	} {
		t.Run(name, func(t *testing.T) {
			layers, code := archives(t)
			all := append([]layer.Source{}, layers...)
			for i := range all {
				all[i].Root = layer.Opt
			}
			code.Root = layer.Task
			all = append(all, *code)
			scanner := &scanner{hashes: true, known: make(map[v1.Hash]*layerScan)}
			var made []v1.Layer
			for i := range all {
				l := converted(t, all[i])
				s := scanTwin(context.Background(), l, &all[i], nil)
				if s == nil {
					t.Fatal("no twin")
				}
				s.digest = l.Result.Digest
				scanner.known[s.digest] = s
				made = append(made, l)
			}
			if over != nil {
				made = append(made, plainLayer(t, dockerFamily, over...))
			}
			img := imageOf(t, dockerFamily, v1.ConfigFile{OS: "linux", Architecture: "amd64"}, made...)
			want, err := Prove(context.Background(), img, layers, code)
			if err != nil {
				t.Fatal(err)
			}
			expected, err := expect(layers, code)
			if err == nil {
				err = expected.links(context.Background())
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := scanner.scan(context.Background(), img)
			if err != nil {
				t.Fatal(err)
			}
			got, err := proveTwins(context.Background(), scanner, img, s, expected, 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-hashes +twins):\n%s", diff)
			}
			if same := over == nil || strings.Contains(name, "same"); same != got.Equal {
				t.Errorf("equal: %v", got.Equal)
			}
		})
	}
}

func TestBlockMap(t *testing.T) {
	fill := func(list ...block) *blockMap {
		m := &blockMap{}
		for _, b := range list {
			m.add(b.bit, b.out)
		}
		return m
	}
	// An empty block that ends before the entry's first, and one that is its last.
	m := fill(block{80, 0}, block{800, 512}, block{840, 512}, block{2000, 1000}, block{2405, 1512}, block{2445, 1512}, block{3000, 2048})
	if r, ok := m.take(512, 1512, 201); !ok || r != (run{840, 2405, 2445}) {
		t.Errorf("%+v, %v", r, ok)
	}
	if len(m.list) != 2 || m.list[0].bit != 2445 {
		t.Errorf("kept %+v", m.list)
	}
	for _, size := range []int64{0, 69, 71} {
		if r, ok := m.take(1512, 2048, size); ok {
			t.Errorf("%d bytes: %+v", size, r)
		}
	}
	if r, ok := fill(block{81, 0}, block{160, 10}).take(0, 10, 10); ok {
		t.Errorf("from the middle of a byte: %+v", r)
	}
	for range maxBlocks + 1 {
		m.add(4000, 3000)
	}
	if len(m.list) > maxBlocks {
		t.Errorf("%d blocks are kept", len(m.list))
	}
	if _, ok := m.take(1512, 2048, 70); ok {
		t.Error("found in a list that is not whole")
	}
}
