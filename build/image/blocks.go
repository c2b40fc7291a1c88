package image

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"sync"
)

// blockMap knows where the deflate blocks of a gzip member begin, those that are
// still of interest. The zero value is empty.
type blockMap struct {
	mu   sync.Mutex
	list []block
	full bool // something was left out
}

// block is where a block begins.
type block struct {
	bit int64 // in the member
	out int64 // in what the member inflates to
}

// maxBlocks bounds a blockMap, to a MiB. No file that a function can have
// needs half of it from any compressor that there is, which end a block after
// some 16,000 symbols.
const maxBlocks = 1 << 16

// add notes a block. It may be called while another goroutine takes.
func (m *blockMap) add(bit, out int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full = m.full || len(m.list) == maxBlocks; !m.full {
		m.list = append(m.list, block{bit, out})
	}
}

// run is a run of blocks: where its first bit lies, where the header of its last
// block does, and what follows it.
type run struct{ from, final, to int64 }

// take finds the blocks that gave the bytes from start up to end and that begin on
// a byte and end in the size-th behind. It forgets what lies before.
func (m *blockMap) take(start, end, size int64) (run, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return run{}, false
	}
	first := func(out int64) int {
		i, _ := slices.BinarySearchFunc(m.list, out, func(b block, out int64) int { return cmp.Compare(b.out, out) })
		return i
	}
	// Blocks may be empty, so that several begin where the bytes do, and where they
	// end. The shortest run comes first: an empty block before the entry's own would
	// make up for one at its end.
	for i := first(start+1) - 1; i >= 0 && m.list[i].out == start; i-- {
		from := m.list[i].bit
		for k := max(first(end), i+1); k < len(m.list) && m.list[k].out == end; k++ {
			to := m.list[k].bit
			if from&7 == 0 && (to-from+7)/8 == size {
				final := m.list[k-1].bit
				m.list = slices.Delete(m.list, 0, k)
				return run{from, final, to}, true
			}
		}
	}
	return run{}, false
}

// forward reads a source at positions that go up, mostly without gaps.
type forward struct {
	r   *bufio.Reader
	pos int64
}

// forwardBuffer holds the longest local header, of two fields of 64 KiB.
const forwardBuffer = 256 << 10

func newForward(r io.Reader) *forward { return &forward{r: bufio.NewReaderSize(r, forwardBuffer)} }

// seek goes to a position, which must not lie behind.
func (f *forward) seek(pos int64) error {
	if pos < f.pos {
		return errOther
	}
	n, err := f.r.Discard(int(pos - f.pos))
	f.pos += int64(n)
	return err
}

// peek returns the next n bytes, until the next call of anything.
func (f *forward) peek(n int) ([]byte, error) { return f.r.Peek(n) }

// next returns the next n bytes, until the next call of anything, and goes behind
// them.
func (f *forward) next(n int) ([]byte, error) {
	b, err := f.r.Peek(n)
	if err != nil {
		return nil, err
	}
	f.pos += int64(n)
	_, err = f.r.Discard(n)
	return b, err
}
