package layer

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// deflated is data as one DEFLATE stream.
func deflated(t testing.TB, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// farBack is a stream whose first symbol copies from before its own data: from
// the tar header, if that were let through.
func farBack() []byte {
	c := headerCoder{}
	c.put(code{1 | 1<<1, 3})
	c.put(fixedLengths[10])
	c.put(distanceCode(100))
	c.put(fixedLiterals[endOfBlock])
	c.align()
	return c.out
}

// fixedSymbol is a block of the fixed code that uses a symbol without meaning.
func fixedSymbol(codes ...code) []byte {
	c := headerCoder{}
	c.put(code{1 | 1<<1, 3})
	for _, v := range codes {
		c.put(v)
	}
	c.put(fixedLiterals[endOfBlock])
	c.align()
	return c.out
}

func TestHostileData(t *testing.T) {
	text := strings.Repeat("some text of an honest file, ", 40)
	good := deflated(t, text)
	f := func() ziptest.Entry { return ziptest.File("bad/file", text).Deflated() }
	claim := func(size uint32) func(*ziptest.Header) { return func(h *ziptest.Header) { h.Size = size } }
	long := deflated(t, strings.Repeat("\x00", 3<<20))
	cases := map[string]struct {
		entry ziptest.Entry
		rule  zipdir.Rule
	}{
		"wrong CRC":                 {f().Both(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleCRC},
		"wrong CRC, stored":         {ziptest.File("bad/file", text).Both(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleCRC},
		"wrong CRC, nothing in it":  {ziptest.File("bad/file", "").Deflated().Both(func(h *ziptest.Header) { h.CRC++ }), zipdir.RuleCRC},
		"more than it claims":       {f().Both(claim(uint32(len(text) - 1))), zipdir.RuleLength},
		"less than it claims":       {f().Both(claim(uint32(len(text) + 1))), zipdir.RuleLength},
		"much more than it claims":  {f().Raw(long), zipdir.RuleLength},
		"something, claims nothing": {ziptest.File("bad/file", "").Deflated().Raw(good), zipdir.RuleLength},
		"cut off":                   {f().Raw(good[:len(good)-3]), zipdir.RuleStream},
		"no data at all":            {f().Raw([]byte{0, 0}), zipdir.RuleStream},
		"bytes behind the end":      {f().Raw(append(bytes.Clone(good), 0, 0)), zipdir.RuleStream},
		"reserved kind of block":    {f().Raw([]byte{7, 0, 0}), zipdir.RuleStream},
		"stored lengths disagree":   {f().Raw([]byte{1, 5, 0, 0, 0, 1, 2, 3, 4, 5}), zipdir.RuleStream},
		"reaches before its start":  {f().Raw(farBack()), zipdir.RuleStream},
		"symbol 286":                {f().Raw(fixedSymbol(fixedLiterals[286])), zipdir.RuleStream},
		"symbol 287":                {f().Raw(fixedSymbol(fixedLiterals[287])), zipdir.RuleStream},
		"distance 30":               {f().Raw(fixedSymbol(fixedLiterals['a'], fixedLengths[3], code{0b01111, 5})), zipdir.RuleStream},
		"distance 31":               {f().Raw(fixedSymbol(fixedLiterals['a'], fixedLengths[3], code{0b11111, 5})), zipdir.RuleStream},
		"distance 30, far from the end": {f().Raw(append(fixedSymbol(fixedLiterals['a'], fixedLengths[3], code{0b01111, 5}),
			make([]byte, 100)...)), zipdir.RuleStream},
		"another local name":   {f().Local(func(h *ziptest.Header) { h.Rename("bad/fil2") }), zipdir.RuleHeader},
		"another local size":   {f().Local(claim(1)), zipdir.RuleHeader},
		"local data elsewhere": {f().Local(func(h *ziptest.Header) { h.ExtraLen += 2000 }), zipdir.RuleOverlap},
		"whiteout":             {ziptest.File("bad/.wh.file", "x"), RuleWhiteout},
		"opaque whiteout":      {ziptest.File("bad/.wh..wh..opq", ""), RuleWhiteout},
		"directory whiteout":   {ziptest.Dir(".wh.bad"), RuleWhiteout},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, archive := range [][]byte{
				ziptest.Bytes(c.entry),
				ziptest.Bytes(ziptest.File("a", text).Deflated(), c.entry, ziptest.File("z", strings.Repeat(text, 50)).Deflated()),
			} {
				_, err := Convert(context.Background(), io.Discard, source(t, Opt, archive), Options{})
				var refusal *zipdir.Error
				if !errors.As(err, &refusal) || refusal.Rule != c.rule && !(c.rule == zipdir.RuleOverlap && refusal.Rule == zipdir.RuleHeader) {
					t.Fatalf("err %v, want %q", err, c.rule)
				}
				if refusal.Archive != "a.zip" || !strings.Contains(refusal.Entry, "bad") {
					t.Errorf("the error names %q and %q", refusal.Archive, refusal.Entry)
				}
			}
		})
	}
}

func TestBomb(t *testing.T) {
	zeros := strings.Repeat("\x00", 100<<20)
	data := deflated(t, zeros)
	var entries []ziptest.Entry
	for _, name := range []string{"a", "b", "c"} {
		entries = append(entries, ziptest.File(name, zeros).Raw(data).Both(func(h *ziptest.Header) { h.Method = 8 }))
	}
	_, err := Convert(context.Background(), io.Discard, source(t, Opt, ziptest.Bytes(entries...)), Options{})
	var refusal *zipdir.Error
	if !errors.As(err, &refusal) || refusal.Rule != zipdir.RuleBomb {
		t.Errorf("err %v", err)
	}
	if _, err := Convert(context.Background(), io.Discard, source(t, Opt, ziptest.Bytes(entries[:2]...)), Options{}); err != nil {
		t.Errorf("what Lambda would unpack is refused: %v", err)
	}
}

func TestOddButFine(t *testing.T) {
	text := strings.Repeat("text ", 1000)
	two := deflated(t, text)
	for name, a := range map[string]ziptest.Archive{
		"nothing":  {},
		"prefix":   {Prefix: "#!/bin/sh\nexit\n", Entries: []ziptest.Entry{ziptest.File("f", text).Deflated()}},
		"comment":  {Comment: strings.Repeat("c", 60000), Entries: []ziptest.Entry{ziptest.File("f", text).Deflated()}},
		"zip64":    {Wide: true, Entries: []ziptest.Entry{ziptest.File("f", text).Deflated().Wide(), ziptest.File("g", text).Wide().Streamed()}},
		"prepared": {Entries: []ziptest.Entry{ziptest.File("f", text).Raw(two).Both(func(h *ziptest.Header) { h.Method = 8 })}},
	} {
		t.Run(name, func(t *testing.T) {
			res, blob := converted(t, source(t, Opt, a.Bytes()), Options{})
			if got := sum(firstMember(t, blob)); got != res.DiffID.Hex {
				t.Errorf("diff ID %s, the tar has %s", res.DiffID, got)
			}
		})
	}
}

// Every DEFLATE stream that gives nothing, or ends within a byte in every way,
// must leave the stream after it in place.
func TestStreamEnds(t *testing.T) {
	var entries []ziptest.Entry
	for n := range 40 {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			text := strings.Repeat("ab", n)[:n]
			var b bytes.Buffer
			w, err := flate.NewWriter(&b, level)
			if err != nil {
				t.Fatal(err)
			}
			if n%3 == 0 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.WriteString(w, text); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			name := "f" + string(rune('a'+n%26)) + string(rune('0'+n/26)) + string(rune('0'+level+2))
			entries = append(entries, ziptest.File(name, text).Raw(b.Bytes()).Both(func(h *ziptest.Header) { h.Method = 8 }))
		}
	}
	archive := ziptest.Bytes(entries...)
	_, blob := converted(t, source(t, Opt, archive), Options{})
	if !bytes.Equal(firstMember(t, blob), reference(t, Opt, archive)) {
		t.Error("the tar differs from the standard library's")
	}
}

// The tools that most people unpack layers with read the same.
func TestGNU(t *testing.T) {
	for _, tool := range []string{"gzip", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not here", tool)
		}
	}
	archive := fixed()
	_, blob := converted(t, source(t, Opt, archive), Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "layer.tar.gz")
	if err := os.WriteFile(path, blob, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gzip", "-t", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("gzip -t: %v %s", err, out)
	}
	if out, err := exec.Command("tar", "-xzf", path, "-C", dir).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("tar -x: %v %s", err, out)
	}
	d := source(t, Opt, archive).Dir
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Kind != zipdir.File {
			continue
		}
		r, err := d.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "opt", e.Name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, err %v; want %d", e.Name, len(got), err, len(want))
		}
	}
}

// FuzzConvert demands of any archive: an error, or a layer that reads as one
// gzip member whose tar has the digest the result says; and the same for every
// size of chunk.
func FuzzConvert(f *testing.F) {
	f.Add(fixed(), uint16(7), false)
	f.Add(ziptest.Bytes(), uint16(1), false)
	f.Add(ziptest.Bytes(ziptest.File("bootstrap", "#!/bin/sh").DOS().Deflated(), ziptest.Link("l", "bootstrap")), uint16(100), true)
	f.Add(ziptest.Bytes(ziptest.File("a", "1").Raw(farBack()).Both(func(h *ziptest.Header) { h.Method = 8 })), uint16(0), true)
	f.Fuzz(func(t *testing.T, archive []byte, chunk uint16, task bool) {
		d, err := zipdir.Read("a.zip", bytes.NewReader(archive), int64(len(archive)))
		if err != nil || d.Unzipped > 16<<20 {
			return
		}
		src := Source{Name: "a.zip", Dir: d, Root: Opt}
		if task {
			src.Root = Task
		}
		l, err := newLayout(src, Options{})
		if err != nil {
			return
		}
		var one, two bytes.Buffer
		res, err := l.splice(context.Background(), &one, nil, usualPace())
		res2, err2 := l.splice(context.Background(), &two, nil, pace{unpackers: 1 + int(chunk%3), chunk: int(chunk) + 1, load: maxLocalHeader, section: int(chunk) * 3})
		if (err == nil) != (err2 == nil) {
			t.Fatalf("err %v; in chunks of %d err %v", err, chunk+1, err2)
		}
		if err != nil {
			return
		}
		if res.Digest != res2.Digest || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Fatalf("chunks of %d give %s, not %s", chunk+1, res2.Digest, res.Digest)
		}
		b := firstMember(t, one.Bytes())
		if sum(b) != res.DiffID.Hex || int64(len(b)) != res.Uncompressed {
			t.Fatalf("diff ID %s of %d bytes; the tar has %s, %d bytes", res.DiffID, res.Uncompressed, sum(b), len(b))
		}
	})
}

// What the coder writes, any inflater must read back.
func FuzzHeaderCoder(f *testing.F) {
	f.Add([]byte("opt/a\x00\x00\x00\x00\x00\x00\x000000644\x00"), []byte("opt/b\x00\x00\x00\x00\x00\x00\x000000644\x00"), uint16(40))
	f.Add(bytes.Repeat([]byte{0}, 1024), []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, data, before []byte, gap uint16) {
		if len(data) == 0 || len(before) > len(data) {
			return
		}
		c := headerCoder{}
		c.stored(len(before))
		c.out = append(c.out, before...)
		filler := make([]byte, gap)
		c.stored(len(filler))
		c.out = append(c.out, filler...)
		// before begins back bytes before the part of data as long as it.
		back := len(before) + len(filler) + len(data) - len(before)
		c.block(data, before, back, true)
		c.align()
		got, err := io.ReadAll(flate.NewReader(bytes.NewReader(c.out)))
		want := bytes.Join([][]byte{before, filler, data}, nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("err %v: %x, want %x", err, got, want)
		}
	})
}

// Every length and distance has the code that RFC 1951 gives it.
func TestLengthsAndDistances(t *testing.T) {
	for length := minMatch; length <= maxMatch; length++ {
		for _, distance := range []int{1, 2, 4, 5, 257, 32768} {
			c := headerCoder{}
			data := make([]byte, maxDistance)
			for i := range data {
				data[i] = byte(i * i >> 3)
			}
			c.stored(len(data))
			c.out = append(c.out, data...)
			c.put(code{1 | 1<<1, 3})
			c.put(fixedLengths[length])
			c.put(distanceCode(distance))
			c.put(fixedLiterals[endOfBlock])
			c.align()
			got, err := io.ReadAll(flate.NewReader(bytes.NewReader(c.out)))
			if err != nil || len(got) != len(data)+length {
				t.Fatalf("length %d, distance %d: %d bytes, err %v", length, distance, len(got), err)
			}
			for i := range length {
				if got[maxDistance+i] != got[maxDistance+i-distance] {
					t.Fatalf("length %d, distance %d: byte %d differs", length, distance, i)
				}
			}
		}
	}
}
