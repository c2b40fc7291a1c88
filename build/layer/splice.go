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
		if r.typ == tar.TypeSymlink && r.target == "" {
			target, err := s.l.src.Dir.LinkTarget(r.entry)
			if err != nil {
				return err
			}
			r.target = target
		}
		*tw = *tar.NewWriter(&s.head)
		if err := tw.WriteHeader(s.l.header(r)); err != nil {
			return fmt.Errorf("convert %s: write the tar header of %s: %w", s.l.src.Name, r.name, err)
		}
		s.putHead(false)
		if r.entry != nil && r.typ == tar.TypeReg {
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
