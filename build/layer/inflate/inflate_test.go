package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// all decodes one stream in pieces of at most chunk bytes of output and feed
// bytes of input at a time; with plain, by the loop that is all Go.
func all(stream []byte, chunk, feed, limit int, plain bool) (out []byte, d *Decoder, err error) {
	d = new(Decoder)
	d.Reset()
	d.plain = plain
	dst := make([]byte, Window+chunk+Slack)
	w := 0
	given, r := 0, 0
	for !d.Done() && len(out) < limit {
		given = min(len(stream), max(given, r+MinInput+feed))
		w0 := w
		w, r, err = d.Decode(dst, w, stream[:given], r, given == len(stream))
		if err != nil {
			return append(out, dst[w0:w]...), d, err
		}
		out = append(out, dst[w0:w]...)
		if w > Window {
			copy(dst, dst[w-Window:w])
			w = Window
		}
	}
	return out, d, nil
}

// rounds is n, or fewer in a short run, as beside the race detector, which makes
// the loops many times slower.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// reference decodes with the standard library.
func reference(stream []byte, limit int) ([]byte, int, error) {
	br := bytes.NewReader(stream)
	var out bytes.Buffer
	_, err := io.Copy(&out, io.LimitReader(flate.NewReader(br), int64(limit)))
	return out.Bytes(), len(stream) - br.Len(), err
}

func deflated(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sample is data of one of several natures.
func sample(rng *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+300)
	words := strings.Fields("the layer of an archive holds every file that lambda would unpack into opt return function const import")
	kind := rng.IntN(5)
	for len(b) < size {
		switch kind {
		case 0: // noise
			b = append(b, byte(rng.Uint32()))
		case 1: // words
			b = append(append(b, words[rng.IntN(len(words))]...), ' ')
		case 2: // runs
			b = append(b, bytes.Repeat([]byte{byte(rng.IntN(3))}, rng.IntN(300))...)
		case 3: // short periods
			p := make([]byte, 1+rng.IntN(20))
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			b = append(b, bytes.Repeat(p, 1+rng.IntN(12))...)
		default: // skewed bytes: long codes
			b = append(b, byte(rng.ExpFloat64()*9))
		}
	}
	return b[:size]
}

func TestSameAsStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range rounds(300) {
		data := sample(rng, rng.IntN(1<<uint(rng.IntN(18))+1))
		stream := deflated(t, data, []int{-2, 0, 1, 6, 9}[rng.IntN(5)])
		chunk, feed := 1+rng.IntN(1<<uint(rng.IntN(18))), 1+rng.IntN(1<<uint(rng.IntN(16)))
		out, d, err := all(stream, chunk, feed, 1<<30, round&1 != 0)
		if err != nil || !bytes.Equal(out, data) {
			t.Fatalf("round %d: %d bytes, err %v; want %d bytes", round, len(out), err, len(data))
		}
		if end := int((d.EndBit() + 7) / 8); end != len(stream) {
			t.Fatalf("round %d: the stream of %d bytes ended at %d", round, len(stream), end)
		}
		if d.Out() != int64(len(data)) {
			t.Fatalf("Out() = %d, want %d", d.Out(), len(data))
		}
		for range 4 {
			mutated := bytes.Clone(stream)
			for range 1 + rng.IntN(3) {
				mutated[rng.IntN(len(mutated))] ^= 1 << rng.IntN(8)
			}
			if rng.IntN(4) == 0 {
				mutated = mutated[:rng.IntN(len(mutated)+1)]
			}
			compare(t, mutated, chunk, feed)
		}
	}
}

// compare demands the same verdict and the same bytes as the standard library.
func compare(t testing.TB, stream []byte, chunk, feed int) {
	t.Helper()
	const limit = 4 << 20
	want, used, wantErr := reference(stream, limit)
	for _, plain := range []bool{false, true} {
		got, d, err := all(stream, chunk, feed, limit, plain)
		if len(want) == limit {
			if len(got) < limit {
				t.Fatalf("%d bytes, err %v; want more than %d", len(got), err, limit)
			}
			continue
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("err %v; the standard library says %v\nstream %x", err, wantErr, stream[:min(len(stream), 400)])
		}
		if err == nil && (!bytes.Equal(got, want) || int((d.EndBit()+7)/8) != used) {
			t.Fatalf("%d bytes, end at %d; want %d bytes, end at %d", len(got), (d.EndBit()+7)/8, len(want), used)
		}
		var corrupt *CorruptError
		if err != nil && !errors.As(err, &corrupt) {
			t.Fatalf("error of type %T", err)
		}
	}
}

// Clearing the bit that FinalBit names must leave a stream that only lacks its
// end.
func TestFinalBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range rounds(100) {
		data := sample(rng, rng.IntN(200000))
		stream := deflated(t, data, []int{-2, 0, 1, 6, 9}[rng.IntN(5)])
		_, d, err := all(stream, 4096, 1000, 1<<30, false)
		if err != nil {
			t.Fatal(err)
		}
		bit, ok := d.FinalBit()
		if !ok || stream[bit/8]>>(bit%8)&1 != 1 {
			t.Fatalf("the bit at %d is not set", bit)
		}
		stream[bit/8] ^= 1 << (bit % 8)
		got, _, err := reference(stream, 1<<30)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, data) {
			t.Fatalf("without its last block's mark: %d of %d bytes, err %v", len(got), len(data), err)
		}
	}
}

func FuzzInflate(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 10 {
		f.Add(deflated(f, sample(rng, rng.IntN(500)), []int{-2, 0, 1, 6, 9}[rng.IntN(5)]), uint16(rng.IntN(500)), uint16(rng.IntN(300)))
	}
	f.Fuzz(func(t *testing.T, stream []byte, chunk, feed uint16) {
		compare(t, stream, int(chunk)+1, int(feed)+1)
	})
}
