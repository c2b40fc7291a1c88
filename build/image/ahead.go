package image

import "io"

// ahead is a source that is read in a goroutine of its own, a few buffers in
// advance: who makes the bytes and who uses them work side by side. It has to be
// read to its end.
type ahead struct {
	full, free chan []byte
	buf        []byte // in use
	rest       []byte // of it, unread
	off        int64  // bytes read so far
	err        error  // behind the last buffer
}

const (
	aheadBuffers = 4
	aheadBuffer  = 64 << 10
)

func readAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan []byte, aheadBuffers), free: make(chan []byte, aheadBuffers)}
	for range aheadBuffers {
		a.free <- nil
	}
	go func() {
		defer close(a.full)
		for a.err == nil {
			buf := <-a.free
			if buf == nil {
				buf = make([]byte, aheadBuffer)
			}
			var n int
			n, a.err = r.Read(buf[:cap(buf)])
			a.full <- buf[:n]
		}
	}()
	return a
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.buf != nil {
			a.free <- a.buf
			a.buf = nil
		}
		buf, more := <-a.full
		if !more {
			return 0, a.err
		}
		a.buf, a.rest = buf, buf
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	a.off += int64(n)
	return n, nil
}
