package inventory

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

func testRewinder(t *testing.T, content []byte) (*rewinder, *int) {
	opened := new(int)
	return &rewinder{
		ctx: t.Context(), size: int64(len(content)), allow: 1 << 40,
		open: func() (io.ReadCloser, error) { *opened++; return io.NopCloser(bytes.NewReader(content)), nil },
	}, opened
}

func TestRewinderReadsAnywhere(t *testing.T) {
	content := make([]byte, 3*headLen+7)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range content {
		content[i] = byte(rng.Uint32())
	}
	want := bytes.NewReader(content)
	for range 200 {
		w, _ := testRewinder(t, content)
		for range 6 {
			off, n := rng.Int64N(int64(len(content))+10), rng.IntN(2*headLen)
			a, b := make([]byte, n), make([]byte, n)
			na, errA := w.ReadAt(a, off)
			nb, errB := want.ReadAt(b, off)
			if na != nb || errA != errB || !bytes.Equal(a[:na], b[:nb]) {
				t.Fatalf("%d bytes at %d: %d, %v; want %d, %v", n, off, na, errA, nb, errB)
			}
		}
		w.close()
	}
}

func TestRewinderGivesUp(t *testing.T) {
	w, opened := testRewinder(t, make([]byte, 4*headLen))
	var err error
	for range 100 {
		if _, err = w.ReadAt(make([]byte, 1), 3*headLen); err != nil {
			break
		}
		if _, err = w.ReadAt(make([]byte, 1), 2*headLen); err != nil {
			break
		}
	}
	if !errors.Is(err, errCircles) || *opened != maxPasses {
		t.Errorf("got %v after %d passes", err, *opened)
	}
	w, _ = testRewinder(t, make([]byte, 100))
	w.allow = 10
	if _, err := w.ReadAt(make([]byte, 11), 0); err == nil {
		t.Error("more is read than allowed")
	}
}
