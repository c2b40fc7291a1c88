package image

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
)

// twin holds the files of an image layer against the archive that it was made
// from. All that the archive has to say is read from the archive itself, and all
// that the layer holds is unpacked from its compressed bytes; nothing is taken
// from who converted the one into the other.
//
// A deflated entry need not be inflated again for that: the bits in the layer that
// gave the file must be the bits of the entry's stream, all of them and in their
// order, from one block's beginning to another's, but for the mark of the last
// block. The same bits inflate to the same bytes. What came out of them must have
// the size and the CRC-32 that the archive says. Any other entry is compared byte
// for byte.
//
// What bits can't show is a stream that reaches back before its own beginning, to
// what the tar holds there. No archive may have one, and the conversion refuses it;
// here its CRC-32 would have to be right all the same.
type twin struct {
	ctx      context.Context
	src      *layer.Source
	blocks   blockMap
	zip      *forward
	blob     *forward
	files    *fileReader // for entries that are not deflated
	buf      []byte
	sum      head
	last     *deflated   // whose bits are not compared yet
	progress func(int64) // gets files' bytes, may be nil
	programs []machine.Program
}

// deflated is a file whose bytes have been read from the layer's tar.
type deflated struct {
	entry *zipdir.Entry
	off   int64 // where it begins in the tar
}

// errOther says that a layer does not hold what its archive does, or not in a way
// that is seen here.
var errOther = errors.New("not what the archive holds")

// scanTwin scans a layer that was made from src. It returns nil unless each of the
// layer's files is src's: then hashes have to tell what is what.
func scanTwin(ctx context.Context, l v1.Layer, src *layer.Source, progress func(int64)) *layerScan {
	again, err := l.Compressed()
	if err != nil {
		return nil
	}
	defer again.Close()
	t := &twin{
		ctx: ctx, src: src, files: newFileReader(), buf: make([]byte, 64<<10), progress: progress,
		zip: newForward(io.NewSectionReader(src.Dir.ReaderAt(), 0, src.Dir.Size)), blob: newForward(again),
	}
	s, err := scanLayer(ctx, l, v1.Descriptor{}, watch{t.file, t.blocks.add}, nil)
	if err != nil || s.err != nil || s.members != 1 || t.finish() != nil {
		return nil
	}
	for _, e := range s.entries {
		if e.linked() {
			return nil // it has its content from somewhere else
		}
	}
	s.twin, s.programs = identity(*src), t.programs
	return s
}

// file compares one file, as far as can be said before what follows it is known.
func (t *twin) file(e *entry, content io.Reader, off int64) error {
	if err := t.finish(); err != nil {
		return err
	}
	name, below := strings.CutPrefix(e.name, string(t.src.Root)+"/")
	zip, found := t.src.Dir.Lookup(name)
	if !below || !found || zip.Kind != zipdir.File || zip.Size != e.size {
		return errOther
	}
	t.sum = head{}
	if zip.Method != zipdir.Deflate || zip.Size == 0 {
		same := &comparison{with: io.TeeReader(content, &t.sum), buf: t.buf}
		if err := t.files.read(t.ctx, t.src, zip, same); err != nil {
			return err
		}
	} else {
		if _, err := io.CopyBuffer(&t.sum, content, t.buf); err != nil {
			return err
		}
		t.last = &deflated{zip, off}
	}
	if t.sum.crc != zip.CRC32 {
		return errOther
	}
	if a := machine.Of(t.sum.first[:t.sum.n]); a != "" {
		t.programs = append(t.programs, machine.Program{Path: name, Architecture: a})
	}
	if t.progress != nil {
		t.progress(zip.Size)
	}
	return nil
}

// finish compares the bits of the last file. What follows it in the tar has been
// read.
func (t *twin) finish() error {
	f := t.last
	if f == nil {
		return nil
	}
	t.last = nil
	e := f.entry
	bits, ok := t.blocks.take(f.off, f.off+e.Size, e.CompressedSize)
	if !ok {
		return errOther
	}
	if err := t.ctx.Err(); err != nil {
		return err
	}
	data, err := t.data(e)
	if err != nil {
		return err
	}
	if err := t.zip.seek(data); err != nil {
		return err
	}
	if err := t.blob.seek(bits.from / 8); err != nil {
		return err
	}
	final := (bits.final - bits.from) / 8
	for at, size := int64(0), e.CompressedSize; at < size; at++ {
		// Whole bytes up to the one that holds the mark, and up to the end.
		stop := size - 1
		if at <= final {
			stop = final
		}
		if err := t.same(stop - at); err != nil {
			return err
		}
		at = stop
		want, err := t.zip.next(1)
		if err != nil {
			return err
		}
		got, err := t.blob.next(1)
		if err != nil {
			return err
		}
		z, b, mask := want[0], got[0], byte(0xff)
		if at == final {
			mark := byte(1) << (bits.final & 7)
			if z&mark == 0 || b&mark != 0 {
				return errOther
			}
			b |= mark
		}
		if at == size-1 {
			mask >>= (bits.from - bits.to) & 7 // what lies behind is nobody's
		}
		if (z^b)&mask != 0 {
			return errOther
		}
	}
	return nil
}

// same compares the next n bytes of both.
func (t *twin) same(n int64) error {
	for n > 0 {
		k := int(min(n, int64(len(t.buf))))
		want, err := t.zip.next(k)
		if err != nil {
			return err
		}
		got, err := t.blob.next(k)
		if err != nil {
			return err
		}
		if !bytes.Equal(want, got) {
			return errOther
		}
		n -= int64(k)
	}
	return nil
}

// data returns where an entry's data begins in the archive.
func (t *twin) data(e *zipdir.Entry) (int64, error) {
	if err := t.zip.seek(e.HeaderOffset); err != nil {
		return 0, err
	}
	h, err := t.zip.peek(localHeader)
	if err != nil {
		return 0, err
	}
	n := localHeader + int(h[26]) + int(h[27])<<8 + int(h[28]) + int(h[29])<<8
	if h, err = t.zip.peek(n); err != nil {
		return 0, err
	}
	return e.HeaderOffset + int64(n), t.src.Dir.CheckLocal(e, h)
}

// localHeader is a local file header without name and extra field, whose lengths
// are its last four bytes (APPNOTE.TXT 4.3.7).
const localHeader = 30

// head takes a file's first bytes and its CRC-32.
type head struct {
	first [machine.HeadSize]byte
	n     int
	crc   uint32
}

func (h *head) Write(p []byte) (int, error) {
	h.n += copy(h.first[h.n:], p)
	h.crc = crc32.Update(h.crc, crc32.IEEETable, p)
	return len(p), nil
}

// comparison is a writer that takes what another reader gives, and nothing else.
type comparison struct {
	with io.Reader
	buf  []byte
}

func (c *comparison) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n, err := io.ReadFull(c.with, c.buf[:min(len(c.buf), len(p)-done)])
		if err != nil {
			return done, err
		}
		if !bytes.Equal(c.buf[:n], p[done:done+n]) {
			return done, errOther
		}
		done += n
	}
	return len(p), nil
}
