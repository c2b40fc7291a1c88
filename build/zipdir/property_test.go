package zipdir_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"pgregory.net/rapid"
)

type member struct {
	name   string
	body   string
	mode   fs.FileMode
	method uint16
	stream bool
}

func drawTree(t *rapid.T) []member {
	part := rapid.SampledFrom([]string{"a", "b", "lib", "é", "x.py", strings.Repeat("n", 255)})
	taken := map[string]bool{} // by path; true for what can't be a directory
	var out []member
	for range rapid.IntRange(0, 12).Draw(t, "members") {
		m := member{
			name:   strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "name"), "/"),
			mode:   fs.FileMode(rapid.SampledFrom([]int{0, 0o600, 0o644, 0o755}).Draw(t, "mode")),
			method: rapid.SampledFrom([]uint16{zip.Store, zip.Deflate}).Draw(t, "method"),
			stream: rapid.Bool().Draw(t, "stream"),
			body:   strings.Repeat(rapid.StringN(0, 9, 20).Draw(t, "body"), rapid.IntRange(0, 200).Draw(t, "times")),
		}
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			m.mode |= fs.ModeDir
			m.body = ""
		case 1:
			m.mode |= fs.ModeSymlink
			m.body = "target"
		}
		_, again := taken[m.name]
		fits := !again
		for i := range m.name {
			if m.name[i] == '/' && taken[m.name[:i]] {
				fits = false
			}
		}
		for other := range taken {
			if !m.mode.IsDir() && strings.HasPrefix(other, m.name+"/") {
				fits = false
			}
		}
		if fits {
			taken[m.name] = !m.mode.IsDir()
			out = append(out, m)
		}
	}
	return out
}

// Archives of archive/zip are read as archive/zip reads them.
func TestReadsWhatArchiveZipWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		members := drawTree(t)
		// Nothing but a prefix and an end record is no archive to us.
		if prefix := rapid.StringN(0, 9, 20).Draw(t, "prefix"); len(members) > 0 && rapid.Bool().Draw(t, "adjusted") {
			b.WriteString(prefix)
			w.SetOffset(int64(len(prefix)))
		}
		_ = w.SetComment(rapid.StringN(0, 9, 20).Draw(t, "comment"))
		for _, m := range members {
			h := &zip.FileHeader{Name: m.name, Method: m.method}
			h.SetMode(m.mode)
			if m.mode.IsDir() {
				h.Name += "/"
			}
			f, err := w.CreateHeader(h)
			if err == nil && !m.mode.IsDir() {
				_, err = io.WriteString(f, m.body)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		compare(t, b.Bytes())
	})
}

// Archives of ziptest are read as archive/zip reads them, which also shows
// that ziptest writes archives others can read.
func TestReadsWhatZiptestWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := ziptest.Archive{
			Prefix:   rapid.SampledFrom([]string{"", "#!/bin/sh\n"}).Draw(t, "prefix"),
			Adjusted: rapid.Bool().Draw(t, "adjusted"),
			Comment:  rapid.SampledFrom([]string{"", "a comment"}).Draw(t, "comment"),
			Wide:     rapid.Bool().Draw(t, "wide"),
		}
		if a.Wide {
			a.Adjusted = true // archive/zip does not look for a zip64 record that was moved
		}
		for _, m := range drawTree(t) {
			e := ziptest.File(m.name, m.body)
			switch m.mode.Type() {
			case fs.ModeDir:
				e = ziptest.Dir(m.name)
			case fs.ModeSymlink:
				e = ziptest.Link(m.name, m.body)
			}
			e = e.Perm(uint32(m.mode.Perm()))
			if m.method == zip.Deflate {
				e = e.Deflated()
			}
			if m.stream {
				e = e.Streamed()
			}
			if rapid.Bool().Draw(t, "wide entry") {
				e = e.Wide()
			}
			a.Entries = append(a.Entries, e)
		}
		if len(a.Entries) == 0 {
			a.Prefix = "" // a prefix and nothing else is no archive to us
		}
		compare(t, a.Bytes())
	})
}

func compare(t *rapid.T, b []byte) {
	want, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.ReadLinks(); err != nil {
		t.Fatal(err)
	}
	if err := got.CheckHeaders(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(got.Entries) != len(want.File) {
		t.Fatalf("%d entries, want %d", len(got.Entries), len(want.File))
	}
	for _, f := range want.File {
		e, ok := got.Lookup(strings.TrimSuffix(f.Name, "/"))
		if !ok {
			t.Fatalf("no %q", f.Name)
		}
		kind := map[fs.FileMode]zipdir.Kind{0: zipdir.File, fs.ModeDir: zipdir.Dir, fs.ModeSymlink: zipdir.Symlink}[f.Mode().Type()]
		at, err := got.DataOffset(e)
		if err != nil {
			t.Fatal(err)
		}
		wantAt, err := f.DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := got.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if kind == zipdir.Symlink && e.Target != string(body) {
			t.Fatalf("%q: target %q, want %q", f.Name, e.Target, body)
		}
		a := fmt.Sprint(e.Kind, e.Mode, e.HasMode, e.Size, e.CompressedSize, e.CRC32, at, string(ours))
		z := fmt.Sprint(kind, f.Mode().Perm(), f.CreatorVersion>>8 == 3, f.UncompressedSize64, f.CompressedSize64, f.CRC32, wantAt, string(body))
		if a != z {
			t.Fatalf("%q\n got %s\nwant %s", f.Name, a, z)
		}
	}
}
