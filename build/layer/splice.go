package layer

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

// chunkSize is how much is read, and how much handed on, at once.
const chunkSize = 256 << 10

// pipeChunks is how many chunks of each kind there are.
const pipeChunks = 6

// splicer makes one gzip member out of an archive's deflate streams.
//
// A DEFLATE stream is a sequence of blocks, of which only the last is marked
// final; an entry's data is such a stream. With the mark taken away, another
// can follow it, if each begins on a byte boundary: an empty stored block sees
// to that. The tar's headers and padding go between them as blocks of our own.
// No content is ever compressed; it is decompressed once, for the tar's hash
// and to check it.
//
// Three goroutines share the work: this one reads, inflates and assembles, one
// hashes the tar, one hashes and writes the result.
type splicer struct {
	ctx      context.Context
	l        *layout
	progress func(int64)
	chunk    int // chunkSize, but for tests

	in  *window
	dec inflate.Decoder

	tar     *pipe
	tarBuf  []byte // inflate.Window bytes of what came before, then the chunk
	tarEnd  int
	tarSize int64

	blob     *pipe
	blobBuf  []byte
	blobEnd  int
	blobSize int64
	failed   atomic.Pointer[error] // why the writer gave up

	held   byte // the last byte of the stream at hand, not decoded to its end
	isHeld bool

	coder     headerCoder
	head      bytes.Buffer // padding of the file before, then the header
	before    [512]byte    // the header before, or its last block
	beforePos int64        // where in the tar it lies
}

// gzipHeader has no name and no time, and says that the system is unknown:
// RFC 1952, 2.3.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// convert writes the layout to w.
func (l *layout) convert(ctx context.Context, w io.Writer, progress func(int64)) (Result, error) {
	return l.splice(ctx, w, progress, chunkSize)
}

func (l *layout) splice(ctx context.Context, w io.Writer, progress func(int64), chunk int) (Result, error) {
	s := &splicer{
		ctx: ctx, l: l, progress: progress, chunk: chunk,
		in:        newWindow(l.src.Dir.ReaderAt(), l.src.Dir.Size, max(chunk, minWindow)),
		tar:       newPipe(pipeChunks, inflate.Window+chunk+inflate.Slack),
		blob:      newPipe(pipeChunks, chunk),
		beforePos: -1,
	}
	s.tarBuf, s.tarEnd = s.tar.get(), inflate.Window
	s.blobBuf = s.blob.get()

	diff, digest := sha256.New(), sha256.New()
	var sum uint32
	var tarDone, blobDone sync.WaitGroup
	tarDone.Go(func() {
		s.tar.each(func(b []byte) {
			diff.Write(b)
			sum = crc32.Update(sum, crc32.IEEETable, b)
		})
	})
	blobDone.Go(func() {
		s.blob.each(func(b []byte) {
			digest.Write(b)
			if s.failed.Load() != nil {
				return
			}
			if n, err := w.Write(b); err != nil || n < len(b) {
				err = errors.Join(err, shortWrite(n, len(b)))
				s.failed.Store(&err)
			}
		})
	})

	err := s.run()
	s.handTar()
	close(s.tar.full)
	tarDone.Wait()
	if err == nil {
		s.putBlob(binary.LittleEndian.AppendUint32(nil, sum))
		s.putBlob(binary.LittleEndian.AppendUint32(nil, uint32(s.tarSize)))
	}
	s.handBlob()
	close(s.blob.full)
	blobDone.Wait()
	if failed := s.failed.Load(); failed != nil && (err == nil || errors.Is(err, errWriter)) {
		err = fmt.Errorf("write the image layer of %s: %w", l.src.Name, *failed)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return Result{}, err
	}
	return Result{
		Digest: hashOf(digest.Sum(nil)), DiffID: hashOf(diff.Sum(nil)),
		Size: s.blobSize, Uncompressed: s.tarSize, Files: l.files, Repairs: l.repairs,
	}, nil
}

func hashOf(sum []byte) v1.Hash { return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum)} }

func shortWrite(n, want int) error {
	if n < want {
		return io.ErrShortWrite
	}
	return nil
}

// errWriter ends the work when the writer's goroutine has failed.
var errWriter = errors.New("the writer failed")

// run assembles everything but gzip's checksum and length.
func (s *splicer) run() error {
	s.putBlob(gzipHeader)
	var fileEnd int64 // of data still to be padded
	tw := new(tar.Writer)
	for i := range s.l.records {
		r := &s.l.records[i]
		s.head.Reset()
		s.head.Write(zeros[:-fileEnd&511])
		*tw = *tar.NewWriter(&s.head)
		if err := tw.WriteHeader(s.l.header(r)); err != nil {
			return fmt.Errorf("convert %s: write the tar header of %s: %w", s.l.src.Name, r.name, err)
		}
		s.putHead(false)
		if r.entry != nil {
			if err := s.data(r.entry); err != nil {
				return err
			}
		}
		fileEnd = s.tarSize
		if err := s.check(); err != nil {
			return err
		}
	}
	s.head.Reset()
	s.head.Write(zeros[:-fileEnd&511])
	s.head.Write(zeros[:1024])
	s.putHead(true)
	s.coder.align()
	s.takeCoded()
	return nil
}

var zeros [1024]byte

// check says whether to stop.
func (s *splicer) check() error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if s.failed.Load() != nil {
		return errWriter
	}
	return nil
}

// putHead writes head to both streams.
func (s *splicer) putHead(final bool) {
	b := s.head.Bytes()
	start := s.tarSize
	last := b[len(b)-512:]
	pos := start + int64(len(b)) - 512
	var before []byte
	if s.beforePos >= 0 {
		before = s.before[:]
	}
	s.coder.block(b, before, int(min(pos-s.beforePos, 1<<30)), final)
	s.takeCoded()
	copy(s.before[:], last)
	s.beforePos = pos
	s.putTar(b)
}

// data writes an entry's content to both streams.
func (s *splicer) data(e *zipdir.Entry) error {
	if err := s.localHeader(e); err != nil {
		return err
	}
	var sum uint32
	var err error
	if e.Method == zipdir.Store {
		sum, err = s.copyStored(e)
	} else {
		sum, err = s.copyDeflated(e)
	}
	if err != nil {
		return err
	}
	if sum != e.CRC32 {
		return s.l.refuse(e, zipdir.RuleCRC, fmt.Sprintf("%08x, the directory says %08x", sum, e.CRC32))
	}
	return nil
}

const (
	localHeaderLen = 30 // APPNOTE.TXT 4.3.7
	// minWindow holds the longest local header: name and extra field of 64 KiB each.
	minWindow = localHeaderLen + 2*65535 + inflate.MinInput
)

// localHeader goes to the entry's data, over its local header.
func (s *splicer) localHeader(e *zipdir.Entry) error {
	if err := s.in.seek(e.HeaderOffset); err != nil {
		return s.readError(e, err)
	}
	b, err := s.in.fill(localHeaderLen)
	if err != nil {
		return s.readError(e, err)
	}
	n := len(b)
	if n >= localHeaderLen {
		n = localHeaderLen + int(binary.LittleEndian.Uint16(b[26:])) + int(binary.LittleEndian.Uint16(b[28:]))
		if b, err = s.in.fill(n); err != nil {
			return s.readError(e, err)
		}
	}
	n = min(n, len(b))
	if err := s.l.src.Dir.CheckLocal(e, b[:n]); err != nil {
		return err
	}
	s.in.at += n
	return nil
}

func (s *splicer) readError(e *zipdir.Entry, err error) error {
	return fmt.Errorf("convert %s: read %s: %w", s.l.src.Name, e.Name, err)
}

// copyStored writes a stored entry as stored blocks.
func (s *splicer) copyStored(e *zipdir.Entry) (uint32, error) {
	if e.Size != e.CompressedSize {
		return 0, s.l.refuse(e, zipdir.RuleSize, fmt.Sprintf("%d bytes stored as %d", e.Size, e.CompressedSize))
	}
	const maxStored = 65535
	var sum uint32
	for left := e.Size; left > 0; {
		block := int(min(left, maxStored))
		left -= int64(block)
		s.coder.stored(block)
		s.takeCoded()
		for block > 0 {
			b, err := s.in.fill(1)
			if err == nil && len(b) == 0 {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return 0, s.readError(e, err)
			}
			b = b[:min(len(b), block)]
			sum = crc32.Update(sum, crc32.IEEETable, b)
			s.putTar(b)
			s.putBlob(b)
			s.in.at += len(b)
			block -= len(b)
			if err := s.check(); err != nil {
				return 0, err
			}
		}
		s.report()
	}
	return sum, nil
}

// copyDeflated inflates an entry into the tar and copies its stream, less the
// mark of its last block.
func (s *splicer) copyDeflated(e *zipdir.Entry) (uint32, error) {
	// A stream that gives nothing is checked and left out.
	keep := e.Size > 0
	if keep {
		s.coder.stored(0)
		s.takeCoded()
	}
	s.dec.Reset()
	var sum uint32
	begin := s.in.pos()
	for !s.dec.Done() {
		left := begin + e.CompressedSize - s.in.pos() // of the entry's data
		if left < 0 {
			return 0, s.tooLong(e)
		}
		src, err := s.in.fill(inflate.MinInput)
		if err != nil {
			return 0, s.readError(e, err)
		}
		last := int64(len(src)) >= left // all of the entry's data is here
		if s.tarEnd >= inflate.Window+s.chunk {
			s.handTar()
		}
		from := s.tarEnd
		to, used, err := s.dec.Decode(s.tarBuf, from, src, 0, last)
		if err != nil {
			if s.dec.EndBit() > e.CompressedSize*8 {
				return 0, s.tooLong(e)
			}
			return 0, s.l.refuse(e, zipdir.RuleStream, err.Error())
		}
		sum = crc32.Update(sum, crc32.IEEETable, s.tarBuf[from:to])
		s.tarEnd = to
		s.tarSize += int64(to - from)
		if s.dec.Out() > e.Size {
			return 0, s.l.refuse(e, zipdir.RuleLength, fmt.Sprintf("more than the %d bytes it claims", e.Size))
		}
		if s.dec.EndBit() > e.CompressedSize*8 {
			return 0, s.tooLong(e)
		}
		if keep {
			s.copyStream(src[:used], s.in.pos()-begin)
		}
		s.in.at += used
		if err := s.check(); err != nil {
			return 0, err
		}
		s.report()
	}
	if s.dec.Out() != e.Size {
		return 0, s.l.refuse(e, zipdir.RuleLength, fmt.Sprintf("%d bytes, it claims %d", s.dec.Out(), e.Size))
	}
	if end := (s.dec.EndBit() + 7) / 8; end != e.CompressedSize {
		return 0, s.l.refuse(e, zipdir.RuleStream, fmt.Sprintf("its stream ends at byte %d of %d", end, e.CompressedSize))
	}
	if keep {
		s.endStream()
	}
	return sum, nil
}

func (s *splicer) tooLong(e *zipdir.Entry) error {
	return s.l.refuse(e, zipdir.RuleStream, fmt.Sprintf("its stream goes on behind its %d bytes", e.CompressedSize))
}

// copyStream writes b, the bytes of the entry's stream that the decoder took
// last; the first of them is byte at of the stream. A byte that is not decoded
// to its end is held back: the final block's mark may lie in the rest of it.
func (s *splicer) copyStream(b []byte, at int64) {
	if len(b) == 0 {
		return
	}
	if s.isHeld {
		s.putStream([]byte{s.held}, at-1)
	}
	if s.isHeld = s.dec.EndBit()&7 != 0; s.isHeld {
		s.held = b[len(b)-1]
		b = b[:len(b)-1]
	}
	s.putStream(b, at)
}

// putStream writes decoded bytes of an entry's stream, less the mark of its
// last block.
func (s *splicer) putStream(b []byte, at int64) {
	if bit, ok := s.dec.FinalBit(); ok && bit/8 >= at && bit/8 < at+int64(len(b)) {
		i := bit/8 - at
		s.putBlob(b[:i])
		s.putBlob([]byte{b[i] &^ (1 << (bit & 7))})
		b = b[i+1:]
	}
	s.putBlob(b)
}

// endStream gives the bits of the stream's last byte to the coder, which goes
// on behind them.
func (s *splicer) endStream() {
	if !s.isHeld {
		return
	}
	s.isHeld = false
	end := s.dec.EndBit()
	last := s.held & (1<<(end&7) - 1)
	if bit, _ := s.dec.FinalBit(); bit/8 == end/8 {
		last &^= 1 << (bit & 7)
	}
	s.coder.put(code{uint32(last), uint8(end & 7)})
}

// putTar appends to the tar.
func (s *splicer) putTar(b []byte) {
	s.tarSize += int64(len(b))
	for len(b) > 0 {
		room := inflate.Window + s.chunk - s.tarEnd
		if room <= 0 {
			s.handTar()
			continue
		}
		n := copy(s.tarBuf[s.tarEnd:s.tarEnd+room], b)
		s.tarEnd += n
		b = b[n:]
	}
}

// handTar gives the chunk to the hasher and begins another behind a copy of the
// last bytes, which matches may reach back to.
func (s *splicer) handTar() {
	if s.tarEnd == inflate.Window {
		return
	}
	next := s.tar.get()
	copy(next[:inflate.Window], s.tarBuf[s.tarEnd-inflate.Window:s.tarEnd])
	s.tar.full <- chunk{s.tarBuf, inflate.Window, s.tarEnd}
	s.tarBuf, s.tarEnd = next, inflate.Window
}

// takeCoded moves the coder's whole bytes to the blob.
func (s *splicer) takeCoded() {
	s.putBlob(s.coder.out)
	s.coder.out = s.coder.out[:0]
}

// putBlob appends to the result.
func (s *splicer) putBlob(b []byte) {
	s.blobSize += int64(len(b))
	for len(b) > 0 {
		if s.blobEnd == len(s.blobBuf) {
			s.handBlob()
		}
		n := copy(s.blobBuf[s.blobEnd:], b)
		s.blobEnd += n
		b = b[n:]
	}
}

func (s *splicer) handBlob() {
	if s.blobEnd == 0 {
		return
	}
	next := s.blob.get()
	s.blob.full <- chunk{s.blobBuf, 0, s.blobEnd}
	s.blobBuf, s.blobEnd = next, 0
}

func (s *splicer) report() {
	if s.progress != nil {
		s.progress(s.in.pos())
	}
}
