package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/optlift/optlift/build/zipdir"
)

// What of one file is read at most, in bytes. Published packages stay far
// below: their metadata is some KiB, and the largest list of a .NET program's
// libraries some hundred KiB.
const (
	maxMetadata = 4 << 20
	// maxArchive is the largest archive inside an archive that is opened: more
	// than this is not unpacked by Lambda either (250 MB,
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	maxArchive = 250 << 20
)

// content reads a whole small file.
func (s *scan) content(e *zipdir.Entry) ([]byte, error) {
	if e.Size > maxMetadata {
		return nil, fmt.Errorf("%d bytes, more than the %d that are read", e.Size, maxMetadata)
	}
	r, err := s.dir.Open(e)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(r) // Open holds it to e.Size
	// Tools on Windows begin a text with a mark that JSON does not know.
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// maxPasses is how often a rewinder starts over. Readers of archives and
// programs need three to six; one that needs more is being led in circles.
const maxPasses = 16

// errCircles is told of a file that can't be read in maxPasses.
var errCircles = errors.New("its parts lie so that reading it would take too long")

// rewinder reads a compressed entry at any place, by starting over when a place
// lies behind. It holds the head and the part read last, 64 KiB each at most,
// whatever the entry's size.
type rewinder struct {
	ctx    context.Context
	open   func() (io.ReadCloser, error)
	size   int64
	passes int
	// allow is how many bytes may still be read, to bound what a reader keeps.
	allow int64

	r    io.ReadCloser
	pos  int64
	head []byte
	// last is what was read last, from lastAt on: readers of programs go over
	// a table again and again.
	last   []byte
	lastAt int64
}

const (
	headLen = 64 << 10
	maxLast = 64 << 10
)

func newRewinder(ctx context.Context, dir *zipdir.Directory, e *zipdir.Entry) *rewinder {
	return &rewinder{ctx: ctx, size: e.Size, allow: 1 << 62, open: func() (io.ReadCloser, error) { return dir.Open(e) }}
}

// ReadAt implements io.ReaderAt for one goroutine.
func (w *rewinder) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= w.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), w.size-off)]
	if w.allow -= int64(len(want)); w.allow < 0 {
		return 0, errors.New("its directory is larger than what is read")
	}
	if w.head == nil {
		if err := w.start(); err != nil {
			return 0, err
		}
	}
	n := 0
	if off < int64(len(w.head)) {
		n = copy(want, w.head[off:])
	}
	if rest := want[n:]; len(rest) > 0 {
		m, err := w.readAt(rest, off+int64(n))
		if n += m; err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// start opens the stream and reads the head.
func (w *rewinder) start() error {
	w.close()
	if w.passes++; w.passes > maxPasses {
		return errCircles
	}
	r, err := w.open()
	if err != nil {
		return err
	}
	w.r = r
	w.head = make([]byte, min(headLen, w.size))
	n, err := io.ReadFull(r, w.head)
	w.pos = int64(n)
	return err
}

func (w *rewinder) readAt(p []byte, off int64) (int, error) {
	if from := off - w.lastAt; from >= 0 && from+int64(len(p)) <= int64(len(w.last)) {
		return copy(p, w.last[from:]), nil
	}
	if w.r == nil || off < w.pos {
		if err := w.start(); err != nil {
			return 0, err
		}
	}
	for w.pos < off {
		if w.ctx.Err() != nil {
			return 0, context.Cause(w.ctx)
		}
		n, err := io.CopyN(io.Discard, w.r, min(1<<20, off-w.pos))
		if w.pos += n; err != nil {
			return 0, err
		}
	}
	n, err := io.ReadFull(w.r, p)
	w.pos += int64(n)
	kept := p[max(0, n-maxLast):n]
	w.last, w.lastAt = append(w.last[:0], kept...), w.pos-int64(len(kept))
	return n, err
}

func (w *rewinder) close() {
	if w.r != nil {
		_ = w.r.Close() // everything wanted has been read
		w.r = nil
	}
}
