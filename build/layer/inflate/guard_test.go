//go:build linux

package inflate

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// guarded is memory of n bytes between two pages that nobody may touch; its end
// is where the second begins.
func guarded(t *testing.T, n int) []byte {
	t.Helper()
	page := unix.Getpagesize()
	size := (n + page - 1) &^ (page - 1)
	m, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(m) })
	for _, p := range [][]byte{m[:page], m[page+size:]} {
		if err := unix.Mprotect(p, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return m[page+size-n : page+size : page+size]
}

// Nothing is read behind the input or written behind dst, by whichever loop: the
// pages there can't be touched.
func TestStaysInside(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	const room = 40 << 10
	memory, dst := guarded(t, 64<<10), guarded(t, room)
	for round := range rounds(600) {
		stream := deflated(t, sample(rng, rng.IntN(1<<uint(rng.IntN(15))+1)), []int{-2, 0, 1, 6, 9}[rng.IntN(5)])
		if round%2 != 0 {
			stream[rng.IntN(len(stream))] ^= 1 << rng.IntN(8)
		}
		if len(stream) > len(memory) {
			continue
		}
		src := memory[len(memory)-len(stream):]
		copy(src, stream)
		var d Decoder
		d.plain = round%4 > 1
		var out []byte
		w, r := 0, 0
		if rng.IntN(2) == 0 {
			w = room - Slack - rng.IntN(600) // so that the output's end is soon met
		}
		for !d.Done() && len(out) < 1<<20 {
			from := w
			var err error
			if w, r, err = d.Decode(dst, w, src, r, true); err != nil {
				break
			}
			out = append(out, dst[from:w]...)
			if w > room-Slack {
				w = copy(dst, dst[w-Window:w])
			}
		}
		if want, _, err := reference(stream, 1<<20); err == nil && !bytes.Equal(out, want) {
			t.Fatalf("round %d: %d bytes, want %d", round, len(out), len(want))
		}
	}
}

// The longest match, begun as late as it may be, ends inside.
func TestLongestMatchLast(t *testing.T) {
	const room = 40 << 10
	dst := guarded(t, room)
	for period := range 40 {
		data := bytes.Repeat(sample(rand.New(rand.NewPCG(33, uint64(period))), period+1), 4000/(period+1))
		stream := append(deflated(t, data, 9), make([]byte, 100)...)
		for k := range rounds(300) {
			for _, plain := range []bool{false, true} {
				d := Decoder{plain: plain}
				from := room - Slack - k
				w, _, err := d.Decode(dst, from, stream, 0, true)
				if err != nil || !bytes.Equal(dst[from:w], data[:w-from]) {
					t.Fatalf("period %d, %d bytes before the end: %d bytes, err %v", period, k, w-from, err)
				}
			}
		}
	}
}
