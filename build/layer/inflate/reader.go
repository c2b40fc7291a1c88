package inflate

import (
	"bufio"
	"io"
)

// readerChunk is how much a Reader decodes at once.
const readerChunk = 64 << 10

// Reader reads one stream after the other, from sources that end where the
// stream ends or later. It is for one goroutine.
type Reader struct {
	dec      Decoder
	src      *bufio.Reader
	own      *bufio.Reader // what Reset reads through
	buf      []byte
	from, to int // buf[from:to] is decoded and unread
	err      error
}

// NewReader returns a Reader without a source; see Reset.
func NewReader() *Reader {
	return &Reader{buf: make([]byte, Window+readerChunk+Slack)}
}

// Reset begins the stream in src, of which it reads ahead.
func (r *Reader) Reset(src io.Reader) {
	if r.own == nil {
		r.own = bufio.NewReaderSize(nil, readerChunk)
	}
	r.own.Reset(src)
	r.reset(r.own)
}

// reset begins the stream in src, of which it takes not a byte more.
func (r *Reader) reset(src *bufio.Reader) {
	r.dec.Reset()
	r.src = src
	r.from, r.to, r.err = Window, Window, nil
}

// EndBit is the position behind the last bit used, as of Decoder.
func (r *Reader) EndBit() int64 { return r.dec.EndBit() }

// Read implements io.Reader. A stream that is broken or cut off ends in a
// *CorruptError.
func (r *Reader) Read(p []byte) (int, error) {
	for r.from == r.to {
		if r.err != nil {
			return 0, r.err
		}
		r.more()
	}
	n := copy(p, r.buf[r.from:r.to])
	r.from += n
	return n, nil
}

// more decodes the next chunk, or sets err.
func (r *Reader) more() {
	if r.dec.Done() {
		r.err = io.EOF
		return
	}
	if r.to > Window { // not at the stream's start
		copy(r.buf[:Window], r.buf[r.to-Window:r.to])
	}
	r.from, r.to = Window, Window
	// The buffer is filled up only when little is left of it: to do so moves what is.
	in, err := r.src.Peek(max(r.src.Buffered(), MinInput))
	if err != nil && err != io.EOF {
		r.err = err
		return
	}
	var used int
	r.to, used, r.err = r.dec.Decode(r.buf, Window, in, 0, err == io.EOF)
	_, _ = r.src.Discard(used) // of what was peeked at
}
