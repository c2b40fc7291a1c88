package layer

import (
	"fmt"
	"io"
)

// window reads an archive forward through one buffer.
type window struct {
	r    io.ReaderAt
	end  int64  // no byte from here on is read
	buf  []byte // its capacity is the window
	at   int    // buf[at:] is unread
	next int64  // where in the archive the bytes behind buf lie
}

// newWindow makes a window that reads size bytes at a time from r's start.
func newWindow(r io.ReaderAt, end int64, size int) *window {
	return &window{r: r, end: end, buf: make([]byte, 0, size)}
}

// pos is where in the archive the next unread byte lies.
func (w *window) pos() int64 { return w.next - int64(len(w.buf)-w.at) }

// seek goes forward to off.
func (w *window) seek(off int64) error {
	switch skip := off - w.pos(); {
	case skip < 0:
		return fmt.Errorf("read at %d, which was read before", off)
	case skip <= int64(len(w.buf)-w.at):
		w.at += int(skip)
	default:
		w.buf, w.at, w.next = w.buf[:0], 0, off
	}
	return nil
}

// fill makes n bytes or all that is left readable, n being at most the window.
// It returns buf[at:].
func (w *window) fill(n int) ([]byte, error) {
	if len(w.buf)-w.at < n && w.next < w.end {
		k := copy(w.buf[:cap(w.buf)], w.buf[w.at:])
		k2 := int(min(int64(cap(w.buf)-k), w.end-w.next))
		w.buf, w.at = w.buf[:k+k2], 0
		got, err := w.r.ReadAt(w.buf[k:], w.next)
		w.next += int64(got)
		w.buf = w.buf[:k+got]
		if got < k2 {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return w.buf[w.at:], nil
}
