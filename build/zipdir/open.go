package zipdir

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/flate"
)

// extraGuess is read behind a local header's name together with it: the extra
// fields of common writers fit, and most entries cost one read.
const extraGuess = 64

// DataOffset reads the entry's local header, checks it against the directory
// and returns where its data starts.
func (d *Directory) DataOffset(e *Entry) (int64, error) {
	off, _, err := d.local(d.r, e, d.limit(e), 0, nil)
	return off, err
}

// local reads from r and checks the local header and, in the same read, up to ahead
// bytes of data; limit is the first byte that can't be the entry's, and
// scratch a buffer to use if it is large enough. It returns where the data
// starts and what of it was read.
func (d *Directory) local(r io.ReaderAt, e *Entry, limit, ahead int64, scratch []byte) (int64, []byte, error) {
	nameEnd := localLen + int64(len(e.rawName))
	n := min(nameEnd+extraGuess+ahead, limit-e.HeaderOffset)
	if n < nameEnd {
		return 0, nil, d.refuse(e.rawName, RuleOverlap, "no room for a local header at %d", e.HeaderOffset)
	}
	buf := slices.Grow(scratch[:0], int(n))[:n]
	if err := readAt(r, buf, e.HeaderOffset); err != nil {
		return 0, nil, fmt.Errorf("%s: read the local header of %s: %w", printable(d.Name), quote(e.Name), err)
	}
	le := binary.LittleEndian
	dataStart := nameEnd + int64(le.Uint16(buf[28:]))
	if string(buf[:4]) != localSig {
		return 0, nil, d.refuse(e.rawName, RuleHeader, "no local header at %d", e.HeaderOffset)
	}
	if dataStart+e.CompressedSize > limit-e.HeaderOffset {
		return 0, nil, d.refuse(e.rawName, RuleOverlap, "%d compressed bytes at %d reach past %d", e.CompressedSize, e.HeaderOffset+dataStart, limit)
	}
	if dataStart > int64(len(buf)) {
		buf = make([]byte, dataStart)
		if err := readAt(r, buf, e.HeaderOffset); err != nil {
			return 0, nil, fmt.Errorf("%s: read the local header of %s: %w", printable(d.Name), quote(e.Name), err)
		}
	}
	if detail := e.disagrees(buf[:dataStart]); detail != "" {
		return 0, nil, d.refuse(e.rawName, RuleHeader, "%s", detail)
	}
	return e.HeaderOffset + dataStart, buf[dataStart:], nil
}

// CheckLocal holds a local header with its name and extra field, as they lie
// at HeaderOffset, against the directory: header ends where the data starts. It
// is for those who read an archive in one pass; it does not look at the archive
// again.
func (d *Directory) CheckLocal(e *Entry, header []byte) error {
	if len(header) < localLen || string(header[:4]) != localSig {
		return d.refuse(e.rawName, RuleHeader, "no local header at %d", e.HeaderOffset)
	}
	if detail := e.disagrees(header); detail != "" {
		return d.refuse(e.rawName, RuleHeader, "%s", detail)
	}
	if start, limit := e.HeaderOffset+int64(len(header)), d.limit(e); start+e.CompressedSize > limit {
		return d.refuse(e.rawName, RuleOverlap, "%d compressed bytes at %d reach past %d", e.CompressedSize, start, limit)
	}
	return nil
}

// limit is the first byte that can't be the entry's: the next header, or the directory.
func (d *Directory) limit(e *Entry) int64 {
	i, _ := slices.BinarySearchFunc(d.Entries, e.HeaderOffset+1, func(e Entry, off int64) int { return cmp.Compare(e.HeaderOffset, off) })
	return d.next(i - 1)
}

// disagrees says in what a local header differs from the directory, or "".
func (e *Entry) disagrees(b []byte) string {
	le := binary.LittleEndian
	nameEnd := localLen + int(le.Uint16(b[26:]))
	if nameEnd > len(b) || string(b[localLen:nameEnd]) != e.rawName {
		return "another name"
	}
	flags, method := le.Uint16(b[6:]), le.Uint16(b[8:])
	if flags&(flagEncrypted|flagStrong|flagMasked) != 0 {
		return fmt.Sprintf("encrypted, flags 0x%04x", flags)
	}
	if method != e.Method && e.CompressedSize != 0 {
		return fmt.Sprintf("method %d, not %d", method, e.Method)
	}
	if flags&flagDescriptor != 0 {
		return "" // the true values follow the data
	}
	csize, size := uint64(le.Uint32(b[18:])), uint64(le.Uint32(b[22:]))
	if size == math.MaxUint32 || csize == math.MaxUint32 {
		if detail := wideFields(b[nameEnd:], &size, &csize, nil, nil); detail != "" {
			return detail
		}
	}
	if size != uint64(e.Size) || csize != uint64(e.CompressedSize) {
		return fmt.Sprintf("%d bytes compressed from %d, not %d from %d", csize, size, e.CompressedSize, e.Size)
	}
	if crc := le.Uint32(b[14:]); crc != e.CRC32 {
		return fmt.Sprintf("CRC-32 %08x, not %08x", crc, e.CRC32)
	}
	return ""
}

// near serves small reads, at positions that go up, from larger ones where they
// lie close together.
type near struct {
	r    io.ReaderAt
	last int64 // where the last read was
	off  int64 // where buf was read
	buf  []byte
}

const (
	nearGap  = 8 << 10
	nearRead = 64 << 10
)

func (n *near) ReadAt(p []byte, off int64) (int, error) {
	dense := off-n.last < nearGap
	n.last = off
	if at := off - n.off; at >= 0 && at+int64(len(p)) <= int64(len(n.buf)) {
		return copy(p, n.buf[at:]), nil
	}
	if !dense || len(p) > nearRead {
		return n.r.ReadAt(p, off)
	}
	n.buf = slices.Grow(n.buf[:0], nearRead)[:nearRead]
	got, err := n.r.ReadAt(n.buf, off)
	n.off, n.buf = off, n.buf[:got]
	if got < len(p) {
		return copy(p, n.buf), err
	}
	return copy(p, n.buf), nil
}

// CheckHeaders holds every local header against the directory, in the order
// they lie in. It costs a small read per entry, or one for many that lie close
// together: little on a local file, much on a remote one.
func (d *Directory) CheckHeaders(ctx context.Context) error {
	scratch := make([]byte, localLen+maxName+extraGuess)
	r := &near{r: d.r}
	for i := range d.Entries {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, _, err := d.local(r, &d.Entries[i], d.next(i), 0, scratch); err != nil {
			return err
		}
	}
	return nil
}

// Open returns the entry's content; a symlink's is its target, a directory's
// is empty. The local header is held against the directory first; the reader
// fails with an *Error at the end if size or CRC-32 are not what the directory
// said, and never yields more than Size bytes. A reader is for one goroutine;
// several may be open at once.
func (d *Directory) Open(e *Entry) (io.ReadCloser, error) {
	off, err := d.DataOffset(e)
	if err != nil {
		return nil, err
	}
	return d.content(e, io.NewSectionReader(d.r, off, e.CompressedSize)), nil
}

// readBuffer bounds what one open entry holds of the archive, in bytes.
const readBuffer = 64 << 10

func (d *Directory) content(e *Entry, raw io.Reader) *content {
	c := &content{d: d, e: e, left: e.Size}
	if e.Method == Store {
		c.in = raw
		return c
	}
	// A ByteReader keeps the inflater from reading past the end of its stream.
	c.raw = bufio.NewReaderSize(raw, int(min(max(e.CompressedSize, 16), readBuffer)))
	if f, ok := d.inflaters.Get().(inflater); ok {
		_ = f.Reset(c.raw, nil) // it never fails
		c.inflater = f
	} else {
		c.inflater = flate.NewReader(c.raw).(inflater)
	}
	c.in = c.inflater
	return c
}

type inflater interface {
	io.ReadCloser
	flate.Resetter
}

// content is an entry's data, checked while it is read.
type content struct {
	d        *Directory
	e        *Entry
	in       io.Reader
	raw      *bufio.Reader // nil for stored entries
	inflater inflater
	left     int64
	crc      uint32
	err      error
}

func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		c.err = c.finish()
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	c.left -= int64(n)
	if err != nil && (err != io.EOF || c.left > 0) {
		c.err = c.fault(err)
		return n, c.err
	}
	return n, nil
}

// finish checks what can be known only at the end.
func (c *content) finish() error {
	if c.raw != nil {
		var one [1]byte
		n, err := io.ReadFull(c.in, one[:])
		if n > 0 {
			return c.d.refuse(c.e.rawName, RuleLength, "more than the %d bytes it claims", c.e.Size)
		}
		if err != io.EOF {
			return c.fault(err)
		}
		if _, err := c.raw.ReadByte(); err == nil {
			return c.d.refuse(c.e.rawName, RuleStream, "bytes after the end of the stream")
		}
	}
	if c.crc != c.e.CRC32 {
		return c.d.refuse(c.e.rawName, RuleCRC, "%08x, the directory says %08x", c.crc, c.e.CRC32)
	}
	return io.EOF
}

func (c *content) fault(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == io.EOF && c.raw != nil:
		return c.d.refuse(c.e.rawName, RuleLength, "%d bytes less than the %d it claims", c.left, c.e.Size)
	case err == io.ErrUnexpectedEOF || err == io.EOF:
		return c.d.refuse(c.e.rawName, RuleStream, "cut off, %d bytes missing", c.left)
	case errors.As(err, &corrupt):
		return c.d.refuse(c.e.rawName, RuleStream, "at byte %d", int64(corrupt))
	}
	return fmt.Errorf("%s: read %s: %w", printable(c.d.Name), quote(c.e.Name), err)
}

// Close gives the inflater back for the next entry. It never fails.
func (c *content) Close() error {
	if c.inflater != nil {
		_ = c.inflater.Reset(bytes.NewReader(nil), nil)
		c.d.inflaters.Put(c.inflater)
		c.inflater = nil
	}
	if c.err == nil {
		c.err = errClosed
	}
	return nil
}

var errClosed = errors.New("read of a closed zip entry")
