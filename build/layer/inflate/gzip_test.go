package inflate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// gzipped is data as one member, with whatever may stand in its header.
func gzipped(t testing.TB, rng *rand.Rand, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, []int{-2, 0, 1, 6}[rng.IntN(4)])
	if err != nil {
		t.Fatal(err)
	}
	if rng.IntN(2) == 0 {
		w.Name = strings.Repeat("n", rng.IntN(300))
	}
	if rng.IntN(2) == 0 {
		w.Comment = strings.Repeat("c", rng.IntN(300))
	}
	if rng.IntN(2) == 0 {
		w.Extra = bytes.Repeat([]byte{'e'}, rng.IntN(300))
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// members reads file to its end, or to what is no member.
func members(src io.Reader) (out []byte, count int, rest []byte, err error) {
	in := bufio.NewReaderSize(src, 4<<10)
	g := NewGzip()
	for {
		if err = g.Reset(in); err != nil {
			break
		}
		var b []byte
		b, err = io.ReadAll(g)
		out = append(out, b...)
		if err != nil {
			break
		}
		count++
	}
	if err == io.EOF {
		err = nil
	}
	rest, _ = io.ReadAll(in)
	return out, count, rest, err
}

func TestGzipMembers(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for range rounds(60) {
		var file, want []byte
		n := 1 + rng.IntN(3)
		for range n {
			data := sample(rng, rng.IntN(150000))
			file = append(file, gzipped(t, rng, data)...)
			want = append(want, data...)
		}
		for _, src := range []io.Reader{bytes.NewReader(file), iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(file)))} {
			got, count, rest, err := members(src)
			if err != nil || count != n || !bytes.Equal(got, want) || len(rest) != 0 {
				t.Fatalf("%d members, %d bytes, %d left, err %v; want %d members, %d bytes", count, len(got), len(rest), err, n, len(want))
			}
		}
	}
}

// A file that is changed anywhere is refused, or it is the standard library that
// does not mind either.
func TestGzipBroken(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	for range rounds(1500) {
		file := gzipped(t, rng, sample(rng, rng.IntN(3000)))
		if rng.IntN(3) == 0 {
			file = file[:rng.IntN(len(file))]
		} else {
			file[rng.IntN(len(file))] ^= 1 << rng.IntN(8)
		}
		if len(file) > 0 {
			compareGzip(t, file)
		}
	}
}

// compareGzip demands the same verdict and the same bytes as the standard library.
func compareGzip(t testing.TB, file []byte) {
	t.Helper()
	const limit = 4 << 20
	z, wantErr := gzip.NewReader(bytes.NewReader(file))
	var want []byte
	if wantErr == nil {
		if want, wantErr = io.ReadAll(io.LimitReader(z, limit)); len(want) == limit {
			return
		}
	}
	got, _, _, err := members(bytes.NewReader(file))
	if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
		t.Fatalf("err %v; the standard library says %v\nfile %x", err, wantErr, file[:min(len(file), 400)])
	}
	if errors.Is(wantErr, gzip.ErrChecksum) && !errors.Is(err, gzip.ErrChecksum) {
		t.Fatalf("err %v, want %v", err, wantErr)
	}
}

func TestGzipLongNames(t *testing.T) {
	for n := 509; n < 515; n++ {
		for _, h := range []gzip.Header{{Name: strings.Repeat("n", n)}, {Comment: strings.Repeat("c", n)}} {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Header = h
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			compareGzip(t, b.Bytes())
		}
	}
}

func FuzzGzip(f *testing.F) {
	rng := rand.New(rand.NewPCG(27, 28))
	for range 10 {
		f.Add(append(gzipped(f, rng, sample(rng, rng.IntN(300))), gzipped(f, rng, sample(rng, rng.IntN(300)))...))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 0 { // nothing is no error to the one, but is to the other
			compareGzip(t, file)
		}
	})
}

func TestGzipHeaderChecksum(t *testing.T) {
	head := []byte{0x1f, 0x8b, 8, flagCheck, 0, 0, 0, 0, 0, 255}
	sum := uint16(crc32.ChecksumIEEE(head))
	tail := []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for add, want := range []error{nil, gzip.ErrHeader} {
		file := append(append(bytes.Clone(head), byte(sum)+byte(add), byte(sum>>8)), tail...)
		if _, _, _, err := members(bytes.NewReader(file)); !errors.Is(err, want) {
			t.Errorf("err %v, want %v", err, want)
		}
	}
}

func TestGzipTrailing(t *testing.T) {
	rng := rand.New(rand.NewPCG(25, 26))
	file := gzipped(t, rng, sample(rng, 70000))
	_, count, rest, err := members(bytes.NewReader(append(file, strings.Repeat("x", 50)...)))
	// The ten bytes that are looked at are not a header.
	if !errors.Is(err, gzip.ErrHeader) || count != 1 || len(rest) != 40 {
		t.Errorf("%d members, %d bytes left, err %v", count, len(rest), err)
	}
}

func TestGzipTellsItsBlocks(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Extra = "name", []byte("extra")
	for _, part := range []string{"one", "two", "three"} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil { // ends a block, and adds an empty stored one
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z := NewGzip()
	var bits, outs []int64
	z.OnBlock(func(bit, out int64) { bits, outs = append(bits, bit), append(outs, out) })
	if err := z.Reset(bufio.NewReader(&b)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, z); err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, 3, 3, 6, 6, 11, 11}; !slices.Equal(outs, want) {
		t.Errorf("blocks begin at %v of the output, want %v", outs, want)
	}
	if head := int64(10 + 2 + len("extra") + len("name") + 1); bits[0] != head*8 || !slices.IsSorted(bits) {
		t.Errorf("blocks begin at the bits %v, the first ought to be at byte %d", bits, head)
	}
}
