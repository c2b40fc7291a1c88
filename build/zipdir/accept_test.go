package zipdir_test

import (
	"bytes"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func readBytes(b []byte) (*zipdir.Directory, error) {
	return zipdir.Read("layer.zip", bytes.NewReader(b), int64(len(b)))
}

func mustRead(t testing.TB, b []byte) *zipdir.Directory {
	t.Helper()
	d, err := readBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.CheckHeaders(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.ReadLinks(); err != nil {
		t.Fatal(err)
	}
	return d
}

func content(t testing.TB, d *zipdir.Directory, e *zipdir.Entry) string {
	t.Helper()
	r, err := d.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func entryNames(d *zipdir.Directory) []string {
	var names []string
	for i := range d.Entries {
		names = append(names, d.Entries[i].Name)
	}
	return names
}

var long = strings.Repeat("hello ", 1000)

// Every archive here must be read, with these names in this order and, for
// files, a body equal to long.
func TestAccepted(t *testing.T) {
	file := ziptest.File("a/b", long)
	name255 := strings.Repeat("n", 255)
	name4096 := strings.Repeat(name255+"/", 15) + strings.Repeat("x", 256-4) + "/z/y"
	tests := []struct {
		name    string
		archive ziptest.Archive
		want    []string
	}{
		{"no entries", ziptest.Archive{}, nil},
		{"stored", ziptest.Archive{Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"deflated", ziptest.Archive{Entries: []ziptest.Entry{file.Deflated()}}, []string{"a/b"}},
		{"data descriptors", ziptest.Archive{Entries: []ziptest.Entry{file.Deflated().Streamed(), ziptest.File("c", long).Streamed()}}, []string{"a/b", "c"}},
		{"zip64 fields", ziptest.Archive{Entries: []ziptest.Entry{file.Deflated().Wide()}}, []string{"a/b"}},
		{"zip64 fields with a data descriptor", ziptest.Archive{Entries: []ziptest.Entry{file.Deflated().Wide().Streamed()}}, []string{"a/b"}},
		{"zip64 end records", ziptest.Archive{Wide: true, Entries: []ziptest.Entry{file.Wide()}}, []string{"a/b"}},
		{"zip64 end records and an end record that is not saturated", ziptest.Archive{Wide: true, Entries: []ziptest.Entry{file}, End: func(e *ziptest.End) { e.Here, e.Total = 1, 1 }}, []string{"a/b"}},
		{"comment", ziptest.Archive{Comment: "made by hand", Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"longest comment", ziptest.Archive{Comment: strings.Repeat("c", math.MaxUint16), Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"longest comment, zip64", ziptest.Archive{Wide: true, Comment: strings.Repeat("c", math.MaxUint16), Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"comment that starts like an end record", ziptest.Archive{Comment: "PK\x05\x06 is how it ends, they say, and then goes on", Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"comment that holds an empty end record", ziptest.Archive{Comment: "PK\x05\x06" + strings.Repeat("\x00", 18), Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"comment that holds an end record of a directory that is not there", ziptest.Archive{Comment: "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x40\x00\x00\x00" + strings.Repeat("\x00", 6), Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"prefix", ziptest.Archive{Prefix: "#!/bin/sh\nexit\n", Entries: []ziptest.Entry{file, ziptest.File("c", long)}}, []string{"a/b", "c"}},
		{"prefix with corrected offsets", ziptest.Archive{Prefix: "#!/bin/sh\nexit\n", Adjusted: true, Entries: []ziptest.Entry{file}}, []string{"a/b"}},
		{"prefix and zip64", ziptest.Archive{Prefix: "#!/bin/sh\nexit\n", Wide: true, Entries: []ziptest.Entry{file.Wide()}}, []string{"a/b"}},
		{"prefix with corrected offsets and zip64", ziptest.Archive{Prefix: "MZ", Adjusted: true, Wide: true, Entries: []ziptest.Entry{file.Wide()}}, []string{"a/b"}},
		{"dot prefixes", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("./a/b", long), ziptest.File("././c//d/./e", long)}}, []string{"a/b", "c/d/e"}},
		{"the root's own entry", ziptest.Archive{Entries: []ziptest.Entry{ziptest.Dir("."), ziptest.File("./x", long)}}, []string{"x"}},
		{"UTF-8 without its flag", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("é/日本", long)}}, []string{"é/日本"}},
		{"UTF-8 with its flag", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("é/日本", long).Both(func(h *ziptest.Header) { h.Flags |= 0x800 })}}, []string{"é/日本"}},
		{"names that differ only in case", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("x", long), ziptest.File("X", long)}}, []string{"x", "X"}},
		{"names that only look alike to sorting", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("a", long), ziptest.File("a-", long), ziptest.File("a0", long), ziptest.File("ab/c", long)}}, []string{"a", "a-", "a0", "ab/c"}},
		{"dots that are not dot-dot", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("...", long), ziptest.File("..a/b..", long), ziptest.File(".hidden", long)}}, []string{"...", "..a/b..", ".hidden"}},
		{"a backslash in a name", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File(`a\b`, long).DOS(), ziptest.File("a/b", long)}}, []string{`a\b`, "a/b"}},
		{"a colon in a name", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("c:d", long), ziptest.File("Foo::Bar.3pm", long)}}, []string{"c:d", "Foo::Bar.3pm"}},
		{"a component of 255 bytes", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File(name255, long)}}, []string{name255}},
		{"a name of 4096 bytes", ziptest.Archive{Entries: []ziptest.Entry{ziptest.File(name4096, long)}}, []string{name4096}},
		{"a gap between directory entries' data", ziptest.Archive{Entries: []ziptest.Entry{file.Local(func(h *ziptest.Header) { h.AddExtra(0xd935, make([]byte, 300)) }), ziptest.File("c", long)}}, []string{"a/b", "c"}},
		{"unknown extra fields and entry comments", ziptest.Archive{Entries: []ziptest.Entry{file.Central(func(h *ziptest.Header) { h.AddExtra(0x5455, []byte("12345")); h.Comment = "PK\x01\x02 PK\x05\x06" })}}, []string{"a/b"}},
		{"a directory in another order than the data", ziptest.Archive{Entries: swapped(t)}, []string{"first", "second"}},
	}
	if len(name4096) != 4096 {
		t.Fatalf("the long name has %d bytes", len(name4096))
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := test.archive.Bytes()
			d := mustRead(t, b)
			if got := entryNames(d); !slices.Equal(got, test.want) {
				t.Errorf("names %q, want %q", got, test.want)
			}
			if d.Size != int64(len(b)) || d.Unzipped != int64(len(test.want)*len(long)) {
				t.Errorf("size %d, unzipped %d", d.Size, d.Unzipped)
			}
			for i := range d.Entries {
				e := &d.Entries[i]
				if got := content(t, d, e); got != long {
					t.Errorf("%q holds %d bytes: %.20q", e.Name, len(got), got)
				}
				if found, ok := d.Lookup(e.Name); !ok || found != e {
					t.Errorf("lookup %q: %v, %v", e.Name, found, ok)
				}
			}
		})
	}
}

// swapped is two files whose central headers change places.
func swapped(t *testing.T) []ziptest.Entry {
	t.Helper()
	var first, second ziptest.Header
	return []ziptest.Entry{
		// Both local headers are written, and seen, before the second central one.
		ziptest.File("first", long).Local(func(h *ziptest.Header) { first = *h }).Central(func(h *ziptest.Header) {
			first = *h
			h.Rename("second")
			h.Offset = uint32(30 + len("first") + len(long))
		}),
		ziptest.File("second", long).Central(func(h *ziptest.Header) {
			second = *h
			*h = first
			h.Signature = second.Signature
		}),
	}
}

func TestKindsAndModes(t *testing.T) {
	attr := func(system uint16, external uint32) func(*ziptest.Header) {
		return func(h *ziptest.Header) { h.MadeBy, h.External = system<<8|20, external }
	}
	tests := []struct {
		entry ziptest.Entry
		kind  zipdir.Kind
		mode  fs.FileMode
		has   bool
	}{
		{ziptest.File("file", "x").Perm(0o640), zipdir.File, 0o640, true},
		{ziptest.File("setuid", "x").Perm(0o4755), zipdir.File, 0o4755, true},
		{ziptest.File("mode 0000", "x").Perm(0), zipdir.File, 0, true},
		{ziptest.File("no type, no mode, Unix", "x").Type(0), zipdir.File, 0, true},
		{ziptest.File("no type, Unix", "x").Type(0o600), zipdir.File, 0o600, true},
		{ziptest.File("Darwin", "x").Central(attr(19, 0o100755<<16)), zipdir.File, 0o755, true},
		{ziptest.Dir("dir").Perm(0o700), zipdir.Dir, 0o700, true},
		{ziptest.File("dir by its slash alone/", "").Type(0o755), zipdir.Dir, 0o755, true},
		{ziptest.File("dir by its slash, file by its mode/", "").Type(0o100755), zipdir.Dir, 0o755, true},
		{ziptest.File("dir by its mode alone", "").Type(0o040711), zipdir.Dir, 0o711, true},
		{ziptest.File("deflated dir/", "").Type(0o040755).Deflated(), zipdir.Dir, 0o755, true},
		{ziptest.File("DOS", "x").DOS(), zipdir.File, 0, false},
		{ziptest.Dir("DOS dir").DOS(), zipdir.Dir, 0, false},
		{ziptest.File("DOS dir by its attribute", "").Central(attr(0, 0x10)), zipdir.Dir, 0, false},
		{ziptest.File("NTFS", "x").Central(attr(11, 0x20)), zipdir.File, 0, false},
		{ziptest.File("DOS with a mode that nothing stands behind", "x").Central(attr(0, 0o100600<<16)), zipdir.File, 0, false},
		{ziptest.Link("link", "file"), zipdir.Symlink, 0o777, true},
	}
	var entries []ziptest.Entry
	for _, test := range tests {
		entries = append(entries, test.entry)
	}
	d := mustRead(t, ziptest.Bytes(entries...))
	for i, test := range tests {
		if e := d.Entries[i]; e.Kind != test.kind || e.Mode != test.mode || e.HasMode != test.has {
			t.Errorf("%q: %v %04o %v, want %v %04o %v", e.Name, e.Kind, e.Mode, e.HasMode, test.kind, test.mode, test.has)
		}
	}
}

func TestLinksAccepted(t *testing.T) {
	want := map[string]string{
		"absolute": "/etc/passwd", "a/up": "../b", "a/b/top": "../..", "dangling": "no/where", "self": "self",
		"circle1": "circle2", "circle2": "circle1", "dot": ".", "odd": "x//./y/../..", "longest": strings.Repeat("t/", 2047) + "t", "é": "日本",
	}
	var entries []ziptest.Entry
	for name, target := range want {
		entries = append(entries, ziptest.Link(name, target), ziptest.Link("deflated/"+name, target).Deflated().Streamed())
	}
	d := mustRead(t, ziptest.Bytes(entries...))
	for name, target := range want {
		for _, name := range []string{name, "deflated/" + name} {
			if e, ok := d.Lookup(name); !ok || e.Target != target || content(t, d, e) != target {
				t.Errorf("%q: %+v, want target %.40q", name, e, target)
			}
		}
	}
}

func TestImpliedDirs(t *testing.T) {
	d := mustRead(t, ziptest.Bytes(ziptest.File("a/b/c/d", ""), ziptest.Dir("a/b"), ziptest.File("e/f", ""), ziptest.File("e/g", ""), ziptest.Dir("h")))
	if got, want := d.ImpliedDirs(), []string{"a", "a/b/c", "e"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, want := range map[string]bool{"a/b": true, "a": false, "": false, "e": false, "e/f": true, "e/": false} {
		if _, ok := d.Lookup(name); ok != want {
			t.Errorf("lookup %q: %v", name, ok)
		}
	}
}

func TestManyEntries(t *testing.T) {
	const n = 70_000 // more than the end record can count
	entries := make([]ziptest.Entry, n)
	for i := range entries {
		entries[i] = ziptest.File(manyName(i), "")
	}
	d := mustRead(t, ziptest.Bytes(entries...))
	if len(d.Entries) != n {
		t.Fatalf("%d entries", len(d.Entries))
	}
	if _, ok := d.Lookup(manyName(n - 1)); !ok {
		t.Error("the last is missing")
	}
	// Exactly as many as saturate the 16-bit field, and no zip64 records.
	if d := mustRead(t, ziptest.Bytes(entries[:math.MaxUint16]...)); len(d.Entries) != math.MaxUint16 {
		t.Errorf("%d entries", len(d.Entries))
	}
}
