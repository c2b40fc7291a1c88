package layer

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// shape is a kind of archive, generated the same way every time.
type shape struct {
	name  string
	level int // of deflate; 0 is stored
	file  func(rng *rand.Rand, i int) (name string, data []byte, ok bool)
}

var shapes = []shape{
	{"many-small-files", 6, func(rng *rand.Rand, i int) (string, []byte, bool) {
		return fmt.Sprintf("nodejs/node_modules/m%03d/lib/f%05d.js", i/40, i), sourceText(rng, 200+int(rng.ExpFloat64()*1300)), i < 20000
	}},
	{"source-tree", 6, func(rng *rand.Rand, i int) (string, []byte, bool) {
		if i%50 == 0 {
			return fmt.Sprintf("python/p%d/lib%d.so", i/50, i), machine(rng, 1<<20), i < 3000
		}
		return fmt.Sprintf("python/p%d/m%d.py", i/50, i), sourceText(rng, 1000+int(rng.ExpFloat64()*15000)), i < 3000
	}},
	{"few-binaries", 6, func(rng *rand.Rand, i int) (string, []byte, bool) {
		return fmt.Sprintf("bin/tool%d", i), machine(rng, 40<<20), i < 3
	}},
	{"incompressible", 6, func(rng *rand.Rand, i int) (string, []byte, bool) {
		b := make([]byte, 150<<20)
		for k := 0; k < len(b); k += 8 {
			v := rng.Uint64()
			for j := range 8 {
				b[k+j] = byte(v >> (8 * j))
			}
		}
		return "data.bin", b, i < 1
	}},
	{"highly-compressible", 6, func(rng *rand.Rand, i int) (string, []byte, bool) {
		return fmt.Sprintf("logs/l%d.csv", i), bytes.Repeat([]byte("2026-01-01,0,0,0,0,none,none\n"), 700000), i < 10
	}},
}

func (s shape) write(b *testing.B, path string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	zw := zip.NewWriter(f)
	fw, err := flate.NewWriter(nil, s.level)
	if err != nil {
		b.Fatal(err)
	}
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { fw.Reset(w); return fw, nil })
	rng := rand.New(rand.NewPCG(7, 11))
	for i := 0; ; i++ {
		name, data, ok := s.file(rng, i)
		if !ok {
			break
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		w, err := zw.CreateHeader(h)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		b.Fatal(err)
	}
}

// sourceText is text that compresses about as program source does, 3 to 4 times.
func sourceText(rng *rand.Rand, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(strings.Repeat("  ", rng.IntN(4)))
		for range 1 + rng.IntN(8) {
			// Squaring makes a few words frequent and most of them rare.
			u := rng.Float64()
			b.WriteString(vocabulary[int(u*u*u*float64(len(vocabulary)))])
			b.WriteByte(" .(,=;"[rng.IntN(6)])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()[:size]
}

var vocabulary = func() []string {
	rng := rand.New(rand.NewPCG(13, 17))
	words := make([]string, 4000)
	for i := range words {
		w := make([]byte, 2+rng.IntN(10))
		for k := range w {
			w[k] = "etaoinshrdlucmfwypvbgkqjxz_ETA0123"[int(rng.Float64()*rng.Float64()*34)]
		}
		words[i] = string(w)
	}
	return words
}()

// machine is data that compresses about as machine code does, some 3 times:
// short repeats between bytes of uneven frequency.
func machine(rng *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+64)
	for len(b) < size {
		if len(b) > 64 && rng.IntN(3) > 0 {
			n, back := 3+int(rng.ExpFloat64()*6), 1+rng.IntN(min(len(b)-1, 1<<uint(4+rng.IntN(12))))
			for range n {
				b = append(b, b[len(b)-back])
			}
			continue
		}
		for range 1 + rng.IntN(6) {
			b = append(b, byte(rng.ExpFloat64()*20)*7)
		}
	}
	return b[:size]
}
