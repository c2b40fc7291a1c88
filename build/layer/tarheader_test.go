package layer

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHeadersSameAsStandardLibrary(t *testing.T) {
	names := rapid.Custom(func(t *rapid.T) string {
		n := rapid.SampledFrom([]int{1, 10, 98, 99, 100, 101, 155, 256, 300, 5000}).Draw(t, "length")
		name := strings.Repeat(rapid.SampledFrom([]string{"a", "ab/", "dir.d/leaf", strings.Repeat("x", 60) + "/", "é", "日本/"}).Draw(t, "part"), n)[:n]
		return strings.ToValidUTF8(name, "_")
	})
	rapid.Check(t, func(t *rapid.T) {
		r := record{
			name: names.Draw(t, "name"),
			typ:  rapid.SampledFrom([]byte{tar.TypeDir, tar.TypeReg, tar.TypeSymlink}).Draw(t, "type"),
			mode: fs.FileMode(rapid.Uint32Range(0, 0o777).Draw(t, "mode")),
		}
		switch r.typ {
		case tar.TypeReg:
			r.name = strings.TrimRight(r.name, "/") + "f"
			r.size = rapid.OneOf(rapid.Int64Range(0, 1<<20), rapid.Int64Range(1<<33-2, 1<<33+2), rapid.Int64Range(0, 1<<62)).Draw(t, "size")
		case tar.TypeSymlink:
			r.target = names.Draw(t, "target")
		}
		when := time.Unix(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-5, 1<<33+5)).Draw(t, "time"), 0).UTC()
		var want bytes.Buffer
		err := tar.NewWriter(&want).WriteHeader(&tar.Header{
			Typeflag: r.typ, Name: r.name, Linkname: r.target, Size: r.size, Mode: int64(r.mode), ModTime: when,
		})
		w := headerWriter{time: when}
		got, err2 := w.append([]byte("before"), &r)
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(got, append([]byte("before"), want.Bytes()...)) {
			t.Fatalf("err %v:\n%q\nthe standard library, err %v:\n%q", err2, got, err, want.Bytes())
		}
	})
}
