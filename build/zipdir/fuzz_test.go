package zipdir_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// FuzzRead reads whatever comes and holds what is accepted to its promises.
func FuzzRead(f *testing.F) {
	file := ziptest.File("a/b", "hello hello hello")
	for _, a := range []ziptest.Archive{
		{},
		{Entries: []ziptest.Entry{file, ziptest.Dir("a"), ziptest.Link("l", "a/b")}},
		{Entries: []ziptest.Entry{file.Deflated().Streamed(), ziptest.Link("l", "a/b").Deflated()}},
		{Entries: []ziptest.Entry{file.Wide(), ziptest.File("./c", "").DOS()}, Wide: true},
		{Entries: []ziptest.Entry{file.Deflated()}, Prefix: "#!\n", Comment: "PK\x05\x06"},
		{Entries: []ziptest.Entry{file.Wide().Streamed().Deflated(), ziptest.File("é\\", "")}, Prefix: "MZ", Wide: true, Adjusted: true},
		{Entries: []ziptest.Entry{file, file}},
		{Entries: []ziptest.Entry{ziptest.File("../x", ""), ziptest.Dir(".")}},
	} {
		f.Add(a.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := readBytes(b)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		var sum int64
		for i := range d.Entries {
			e := &d.Entries[i]
			sum += e.Size
			if i > 0 && d.Entries[i-1].HeaderOffset >= e.HeaderOffset {
				t.Fatalf("entry %d out of order", i)
			}
			checkName(t, e.Name)
			if found, ok := d.Lookup(e.Name); !ok || found != e {
				t.Fatalf("%q is not found as itself", e.Name)
			}
			for dir := e.Name; strings.Contains(dir, "/"); {
				dir = dir[:strings.LastIndexByte(dir, '/')]
				if p, ok := d.Lookup(dir); ok && p.Kind != zipdir.Dir {
					t.Fatalf("%q lies under %q", e.Name, dir)
				}
			}
		}
		if sum != d.Unzipped {
			t.Fatalf("unzipped %d, sum %d", d.Unzipped, sum)
		}
		for _, dir := range d.ImpliedDirs() {
			checkName(t, dir)
		}
		if err := d.ReadLinks(); err != nil {
			checkRefusal(t, err)
		}
		headers, each := d.CheckHeaders(t.Context()), error(nil)
		if headers != nil {
			checkRefusal(t, headers)
		}
		for i := range d.Entries {
			if _, each = d.DataOffset(&d.Entries[i]); each != nil {
				break
			}
		}
		if (headers == nil) != (each == nil) || headers != nil && headers.Error() != each.Error() {
			t.Fatalf("all headers at once: %v; one by one: %v", headers, each)
		}
		_ = d.CheckBomb(zipdir.DefaultLimits())
		budget := int64(1 << 20)
		for i := range d.Entries {
			e := &d.Entries[i]
			if budget -= e.Size; budget < 0 {
				break
			}
			r, err := d.Open(e)
			if err != nil {
				checkRefusal(t, err)
				continue
			}
			n, err := io.Copy(io.Discard, r)
			r.Close()
			if err != nil {
				checkRefusal(t, err)
			}
			if n > e.Size || (err == nil && n != e.Size) {
				t.Fatalf("%q: %d bytes of %d, %v", e.Name, n, e.Size, err)
			}
		}
	})
}

func checkName(t *testing.T, name string) {
	t.Helper()
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || len(part) > 255 || strings.ContainsFunc(part, unicode.IsControl) || !strings.Contains(strings.ToValidUTF8(part, ""), part) {
			t.Fatalf("accepted the name %q", name)
		}
	}
}

// checkRefusal: bytes in memory never fail to be read, so every error is a
// refusal, and it is fit for a terminal.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var refusal *zipdir.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("no refusal: %v", err)
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Fatalf("not fit for a terminal: %q", err.Error())
	}
}
