package zipdir_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func manyEntries(n int) []byte {
	entries := make([]ziptest.Entry, n)
	for i := range entries {
		entries[i] = ziptest.File(manyName(i), "")
	}
	return ziptest.Bytes(entries...)
}

func BenchmarkRead100k(b *testing.B) {
	data := manyEntries(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readBytes(data); err != nil {
			b.Fatal(err)
		}
	}
}

// archive/zip validates next to nothing and has no index by name.
func BenchmarkRead100kArchiveZip(b *testing.B) {
	data := manyEntries(100_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := zip.NewReader(bytes.NewReader(data), int64(len(data))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaders100k(b *testing.B) {
	d, err := readBytes(manyEntries(100_000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.CheckHeaders(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaders100kArchiveZip(b *testing.B) {
	data := manyEntries(100_000)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range z.File {
			if _, err := f.DataOffset(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
