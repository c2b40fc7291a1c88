package layer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer/inflate"
)

// splicer makes one gzip member out of an archive's deflate streams.
//
// A DEFLATE stream is a sequence of blocks, of which only the last is marked
// final; an entry's data is such a stream. With the mark taken away, another
// can follow it, if each begins on a byte boundary: an empty stored block sees
// to that. The tar's headers and padding go between them as blocks of our own.
// No content is ever compressed; it is decompressed once, for the tar's hash
// and to check it.
//
// Unpackers inflate, a section of the archive each. This goroutine takes their
// pieces in the archive's order and assembles the result, one hashes the tar, one
// hashes and writes the result. So the bytes depend on nothing but the layout.
type splicer struct {
	ctx      context.Context
	l        *layout
	progress func(int64)

	tar     chan *piece // to its hasher
	tarSize int64

	blob     *pipe
	blobBuf  []byte
	blobEnd  int
	blobSize int64
	failed   atomic.Pointer[error] // why the writer gave up

	coder     headerCoder
	before    [512]byte // the header before, or its last block
	beforePos int64     // where in the tar it lies
	stored    int64     // bytes of the stored entry at hand that are in no block yet
	block     int       // bytes left of its block at hand
}

// pace is how a conversion is cut up. It changes no byte of the result.
type pace struct {
	unpackers int
	chunk     int // bytes of a stream that are handed on at once
	load      int // bytes of the archive that an unpacker reads at once
	section   int // bytes of the tar that an unpacker takes on at once
}

// chunkSize is how much is handed on, or read from a file, at once.
const chunkSize = 256 << 10

const (
	maxUnpackers = 2
	piecesEach   = 6 // of an unpacker, at most
	loadsEach    = 3
	blobChunks   = 6
)

// usualPace makes for some 8 MiB: two unpackers with six pieces of 256 KiB and a
// window, and three loads of 512 KiB; six chunks of the result.
func usualPace() pace {
	return pace{unpackers: min(runtime.GOMAXPROCS(0), maxUnpackers), chunk: chunkSize, load: 512 << 10, section: 512 << 10}
}

// gzipHeader has no name and no time, and says that the system is unknown:
// RFC 1952, 2.3.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// convert writes the layout to w.
func (l *layout) convert(ctx context.Context, w io.Writer, progress func(int64)) (Result, error) {
	return l.splice(ctx, w, progress, usualPace())
}

func (l *layout) splice(ctx context.Context, w io.Writer, progress func(int64), p pace) (Result, error) {
	s := &splicer{
		ctx: ctx, l: l, progress: progress,
		tar:       make(chan *piece, p.unpackers*piecesEach+1),
		blob:      newPipe(blobChunks, p.chunk),
		beforePos: -1,
	}
	s.blobBuf = s.blob.get()

	diff, digest := sha256.New(), sha256.New()
	var sum uint32
	var tarDone, blobDone sync.WaitGroup
	tarDone.Go(func() {
		for p := range s.tar {
			b := p.tar()
			diff.Write(b)
			sum = crc32.Update(sum, crc32.IEEETable, b)
			p.home <- p
		}
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

	err := s.run(p)
	close(s.tar)
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
func (s *splicer) run(p pace) error {
	ctx, stop := context.WithCancel(s.ctx)
	var unpackers sync.WaitGroup
	defer unpackers.Wait()
	defer stop()
	f := newFeed(s.l, p)
	for range p.unpackers {
		u := newUnpacker(ctx, s.l, f, p)
		unpackers.Go(u.run)
	}
	s.putBlob(gzipHeader)
	for section := range f.sections {
		for piece := range section {
			if err := s.put(piece); err != nil {
				return err
			}
		}
	}
	if err := s.check(); err != nil {
		return err
	}
	s.putEnd()
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

// put appends a piece to both streams.
func (s *splicer) put(p *piece) error {
	if err := s.check(); err != nil {
		return err
	}
	if p.err != nil {
		return p.err
	}
	for i := range p.cuts {
		c := &p.cuts[i]
		if c.head < c.headEnd {
			s.putHead(p.buf[c.head:c.headEnd], s.tarSize+int64(c.head-inflate.Window), false)
			s.stored = c.stored
		}
		data := p.raw[c.data:c.dataEnd]
		switch {
		case s.stored > 0:
			s.putStored(data)
		case c.deflated:
			if c.begins {
				s.coder.stored(0)
				s.takeCoded()
			}
			s.putBlob(data)
			s.coder.put(c.tail)
		}
	}
	if p.rawHome != nil {
		p.rawHome <- p.raw
	}
	if s.progress != nil && p.pos > 0 {
		s.progress(p.pos)
	}
	s.tarSize += int64(len(p.tar()))
	s.tar <- p
	return nil
}

// putHead writes padding and a header, which lie at pos of the tar, to the
// result.
func (s *splicer) putHead(b []byte, pos int64, final bool) {
	last := b[len(b)-512:]
	pos += int64(len(b)) - 512
	var before []byte
	if s.beforePos >= 0 {
		before = s.before[:]
	}
	s.coder.block(b, before, int(min(pos-s.beforePos, 1<<30)), final)
	s.takeCoded()
	copy(s.before[:], last)
	s.beforePos = pos
}

// putStored writes a stored entry's bytes as stored blocks.
func (s *splicer) putStored(b []byte) {
	const maxStored = 65535
	for len(b) > 0 {
		if s.block == 0 {
			s.block = int(min(s.stored, maxStored))
			s.coder.stored(s.block)
			s.takeCoded()
		}
		n := min(len(b), s.block)
		s.putBlob(b[:n])
		s.block -= n
		s.stored -= int64(n)
		b = b[n:]
	}
}

// putEnd writes the last file's padding and the tar's end.
func (s *splicer) putEnd() {
	p := &piece{buf: make([]byte, inflate.Window), home: make(chan *piece, 1)}
	p.buf = append(append(p.buf, zeros[:-s.tarSize&511]...), zeros[:1024]...)
	p.end = len(p.buf)
	s.putHead(p.tar(), s.tarSize, true)
	s.coder.align()
	s.takeCoded()
	s.tarSize += int64(len(p.tar()))
	s.tar <- p
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
