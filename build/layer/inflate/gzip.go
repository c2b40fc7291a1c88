package inflate

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Gzip reads gzip files (RFC 1952) member by member. It is for one goroutine.
type Gzip struct {
	r    *Reader
	src  *bufio.Reader
	head int64 // bytes of the member's header
	sum  uint32
	n    uint32 // bytes of the member so far, as its trailer counts
	err  error
}

// NewGzip returns a Gzip without a source; see Reset.
func NewGzip() *Gzip { return &Gzip{r: NewReader()} }

// OnBlock has f told of each deflate block before it is decoded: where its first bit
// lies, counted from the member's first byte, and how many bytes the member gave
// before.
func (g *Gzip) OnBlock(f func(bit, out int64)) {
	g.r.dec.OnBlock = func(bit, out int64) { f(g.head*8+bit, out) }
}

// Reset begins the member that src goes on with. src holds at least MinInput
// bytes; not a byte more than the member is taken from it. The error is io.EOF
// where there is nothing, io.ErrUnexpectedEOF where the header is cut off, and
// gzip.ErrHeader where there is none.
func (g *Gzip) Reset(src *bufio.Reader) error {
	g.src, g.sum, g.n = src, 0, 0
	if _, g.err = src.Peek(1); g.err != nil {
		return g.err
	}
	if g.err = cutOff(g.header()); g.err == nil {
		g.r.reset(src)
	}
	return g.err
}

// The flags of a member's header that say what follows its first ten bytes.
const (
	flagCheck = 1 << (iota + 1)
	flagExtra
	flagName
	flagComment
)

// maxText is how long a name or a comment may be, its end included. The format
// sets no limit, but this is compress/gzip's, and so that of many who read images.
const maxText = 512

// header reads over a member's header.
func (g *Gzip) header() error {
	var fixed [10]byte
	if _, err := io.ReadFull(g.src, fixed[:]); err != nil {
		return err
	}
	if fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8 {
		return gzip.ErrHeader
	}
	g.head = int64(len(fixed))
	flags := fixed[3]
	sum := crc32.ChecksumIEEE(fixed[:])
	next := func() (byte, error) {
		b, err := g.src.ReadByte()
		g.head++
		sum = crc32.Update(sum, crc32.IEEETable, []byte{b})
		return b, err
	}
	number := func() (int, error) {
		low, err := next()
		if err != nil {
			return 0, err
		}
		high, err := next()
		return int(low) | int(high)<<8, err
	}
	if flags&flagExtra != 0 {
		n, err := number()
		for ; err == nil && n > 0; n-- {
			_, err = next()
		}
		if err != nil {
			return err
		}
	}
	for _, text := range []byte{flagName, flagComment} {
		n := 0
		for more := flags&text != 0; more; n++ {
			if n == maxText {
				return gzip.ErrHeader
			}
			b, err := next()
			if err != nil {
				return err
			}
			more = b != 0
		}
	}
	if flags&flagCheck != 0 {
		want := int(sum & 0xffff)
		if got, err := number(); err != nil {
			return err
		} else if got != want {
			return gzip.ErrHeader
		}
	}
	return nil
}

// Read implements io.Reader for the member at hand. It ends in io.EOF when the
// trailer agrees with what was read, in gzip.ErrChecksum when not.
func (g *Gzip) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	g.sum = crc32.Update(g.sum, crc32.IEEETable, p[:n])
	g.n += uint32(n)
	if err == io.EOF {
		err = g.trailer()
	}
	g.err = err
	return n, err
}

func (g *Gzip) trailer() error {
	var b [8]byte
	if _, err := io.ReadFull(g.src, b[:]); err != nil {
		return cutOff(err)
	}
	if binary.LittleEndian.Uint32(b[:]) != g.sum || binary.LittleEndian.Uint32(b[4:]) != g.n {
		return gzip.ErrChecksum
	}
	return io.EOF
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
