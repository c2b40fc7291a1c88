package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	noise := make([]byte, 300<<10)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(noise)
	r := NewReader()
	for name, want := range map[string][]byte{
		"nothing": {}, "little": []byte("x"), "text": []byte(strings.Repeat("some text and more. ", 50_000)),
		"noise": noise, "both": append(bytes.Repeat([]byte("ab"), 200_000), noise...),
	} {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, flate.BestSpeed, flate.BestCompression} {
			var packed bytes.Buffer
			w, _ := flate.NewWriter(&packed, level)
			_, _ = w.Write(want)
			_ = w.Close()
			size := packed.Len()
			for _, src := range []io.Reader{
				bytes.NewReader(packed.Bytes()), iotest.OneByteReader(bytes.NewReader(packed.Bytes())),
				bytes.NewReader(append(bytes.Clone(packed.Bytes()), noise[:100]...)),
			} {
				r.Reset(src)
				got, err := io.ReadAll(iotest.HalfReader(r))
				if err != nil || !bytes.Equal(got, want) || (r.EndBit()+7)/8 != int64(size) {
					t.Fatalf("%s, level %d: %d bytes of %d, end %d of %d bits, %v", name, level, len(got), len(want), r.EndBit(), size*8, err)
				}
			}
			var corrupt *CorruptError
			r.Reset(bytes.NewReader(packed.Bytes()[:size/2]))
			if _, err := io.ReadAll(r); !errors.As(err, &corrupt) {
				t.Errorf("%s, level %d, cut off: %v", name, level, err)
			}
			broken := errors.New("broken")
			r.Reset(io.MultiReader(bytes.NewReader(packed.Bytes()[:size/2]), iotest.ErrReader(broken)))
			if _, err := io.ReadAll(r); !errors.Is(err, broken) {
				t.Errorf("%s, level %d, broken off: %v", name, level, err)
			}
		}
	}
}
