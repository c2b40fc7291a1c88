package zipdir

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Record lengths and signatures of APPNOTE.TXT 4.3
// (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
const (
	endLen     = 22
	locatorLen = 20
	end64Len   = 56
	centralLen = 46
	localLen   = 30

	endSig     = "PK\x05\x06"
	locatorSig = "PK\x06\x07"
	end64Sig   = "PK\x06\x06"
	centralSig = "PK\x01\x02"
	localSig   = "PK\x03\x04"
)

// tailLen is read first. It is what a ranged reader fetches anyway, and 64 KiB
// of comment, the most there can be, needs hardly more.
const tailLen = 64 << 10

// maxEndRecords bounds the end records that are looked at; a comment could
// hold thousands.
const maxEndRecords = 8

// end says where the central directory lies, with absolute positions.
type end struct {
	start, size int64
	entries     int64
	// prefix is the number of bytes that someone put before the archive
	// without correcting its offsets, as self-extracting archives have.
	prefix int64
}

// tail is the source with its last bytes at hand.
type tail struct {
	r    io.ReaderAt
	size int64
	at   int64
	buf  []byte
}

func (t *tail) load(n int64) error {
	n = min(n, t.size)
	buf := make([]byte, n)
	if err := readAt(t.r, buf, t.size-n); err != nil {
		return err
	}
	t.buf, t.at = buf, t.size-n
	return nil
}

// bytes returns n bytes at off, which must lie inside the source. It reads
// only what is not at hand.
func (t *tail) bytes(off, n int64) ([]byte, error) {
	if off >= t.at {
		return t.buf[off-t.at : off-t.at+n], nil
	}
	buf := make([]byte, n)
	missing := min(n, t.at-off)
	copy(buf[missing:], t.buf)
	return buf, readAt(t.r, buf[:missing], off)
}

// readAt fills buf or fails; a full read that also met the end is no failure.
func readAt(r io.ReaderAt, buf []byte, off int64) error {
	n, err := r.ReadAt(buf, off)
	switch {
	case n == len(buf):
		return nil
	case err == nil || err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// findEnd looks for the end record whose comment reaches exactly to the end of
// the file and whose directory is where it says. A comment may hold the bytes
// of an end record; only if it describes a directory of its own, so that two
// readers could see two archives, is the archive refused.
func (d *Directory) findEnd(t *tail) (end, error) {
	if t.size < endLen {
		return end{}, d.refuse("", RuleNotZip, "%d bytes", t.size)
	}
	for _, n := range []int64{tailLen, endLen + math.MaxUint16} {
		if err := t.load(n); err != nil {
			return end{}, fmt.Errorf("%s: read the end of the archive: %w", printable(d.Name), err)
		}
		e, found, err := d.scanEnds(t)
		if found || err != nil {
			return e, err
		}
	}
	return end{}, d.refuse("", RuleNotZip, "no end record")
}

func (d *Directory) scanEnds(t *tail) (e end, found bool, err error) {
	var plausible []end
	var firstErr error
	seen := 0
	for i := len(t.buf); ; {
		if i = bytes.LastIndex(t.buf[:min(i+len(endSig)-1, len(t.buf))], []byte(endSig)); i < 0 {
			break
		}
		if i+endLen > len(t.buf) || int(binary.LittleEndian.Uint16(t.buf[i+20:])) != len(t.buf)-i-endLen {
			continue
		}
		if seen++; seen > maxEndRecords {
			return end{}, false, d.refuse("", RuleAmbiguous, "more than %d of them", maxEndRecords)
		}
		c, err := d.readEnd(t, t.at+int64(i))
		if err == nil {
			plausible = append(plausible, c)
			continue
		}
		if _, ok := err.(*Error); !ok {
			return end{}, false, err
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	if len(plausible) == 0 {
		return end{}, false, firstErr
	}
	if len(plausible) > 1 {
		// Only now is it worth a read to see whether a directory is there.
		for _, c := range plausible {
			sig, err := t.bytes(c.start, int64(len(centralSig)))
			if err != nil {
				return end{}, false, fmt.Errorf("%s: read the central directory: %w", printable(d.Name), err)
			}
			if string(sig) != centralSig {
				continue
			}
			if found {
				return end{}, false, d.refuse("", RuleAmbiguous, "its comment is an archive of its own")
			}
			e, found = c, true
		}
		if found {
			return e, true, nil
		}
	}
	return plausible[0], true, nil
}

// readEnd reads the end record at pos and holds what it says against the file.
func (d *Directory) readEnd(t *tail, pos int64) (end, error) {
	le := binary.LittleEndian
	b, err := t.bytes(pos, endLen)
	if err != nil {
		return end{}, fmt.Errorf("%s: read the end record: %w", printable(d.Name), err)
	}
	disk, dirDisk := uint64(le.Uint16(b[4:])), uint64(le.Uint16(b[6:]))
	here, total := uint64(le.Uint16(b[8:])), uint64(le.Uint16(b[10:]))
	size, offset := uint64(le.Uint32(b[12:])), uint64(le.Uint32(b[16:]))

	after, prefix64 := pos, int64(-1)
	w, at, stated, err := d.readEnd64(t, pos)
	if err != nil {
		return end{}, err
	}
	if w != nil {
		// The wide record counts, but a narrow field that is not "see there"
		// must say the same, or two readers would see two archives.
		for _, f := range []struct {
			narrow *uint64
			max    uint64
			wide   uint64
		}{
			{&disk, math.MaxUint16, uint64(le.Uint32(w[16:]))},
			{&dirDisk, math.MaxUint16, uint64(le.Uint32(w[20:]))},
			{&here, math.MaxUint16, le.Uint64(w[24:])},
			{&total, math.MaxUint16, le.Uint64(w[32:])},
			{&size, math.MaxUint32, le.Uint64(w[40:])},
			{&offset, math.MaxUint32, le.Uint64(w[48:])},
		} {
			if *f.narrow != f.max && *f.narrow != f.wide {
				return end{}, d.refuse("", RuleDirectory, "the end record says %d, the zip64 end record %d", *f.narrow, f.wide)
			}
			*f.narrow = f.wide
		}
		after, prefix64 = at, at-stated
	} else if size == math.MaxUint32 || offset == math.MaxUint32 {
		return end{}, d.refuse("", RuleDirectory, "it needs a zip64 end record and there is none")
	}

	if disk != 0 || dirDisk != 0 || here != total {
		return end{}, d.refuse("", RuleMultiDisk, "disk %d, directory on disk %d, %d of %d entries here", disk, dirDisk, here, total)
	}
	if size > uint64(after) || offset > uint64(after)-size {
		return end{}, d.refuse("", RuleOffset, "a directory of %d bytes at %d does not fit before its end at %d", size, offset, after)
	}
	e := end{start: after - int64(size), size: int64(size), prefix: after - int64(size) - int64(offset)}
	if prefix64 >= 0 && prefix64 != e.prefix {
		return end{}, d.refuse("", RuleOffset, "the directory is %d bytes off, the zip64 end record %d", e.prefix, prefix64)
	}
	if total > MaxEntries {
		return end{}, d.refuse("", RuleTooMany, "%d, at most %d", total, MaxEntries)
	}
	if size > MaxDirectory {
		return end{}, d.refuse("", RuleTooMany, "a directory of %d bytes, at most %d", size, MaxDirectory)
	}
	if e.entries = int64(total); e.entries > e.size/centralLen {
		return end{}, d.refuse("", RuleCount, "%d entries do not fit in a directory of %d bytes", total, size)
	}
	if total == 0 {
		if after != 0 {
			return end{}, d.refuse("", RuleCount, "no entries, but %d bytes before the end record", after)
		}
		return e, nil
	}
	return e, nil
}

// readEnd64 returns the zip64 end record that belongs to the end record at
// pos, where it lies and where the locator says it lies; nil if there is none.
func (d *Directory) readEnd64(t *tail, pos int64) (rec []byte, at, stated int64, err error) {
	le := binary.LittleEndian
	if pos < locatorLen+end64Len {
		return nil, 0, 0, nil
	}
	loc, err := t.bytes(pos-locatorLen, locatorLen)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("%s: read the zip64 locator: %w", printable(d.Name), err)
	}
	if string(loc[:4]) != locatorSig {
		return nil, 0, 0, nil
	}
	if le.Uint32(loc[4:]) != 0 || le.Uint32(loc[16:]) > 1 {
		return nil, 0, 0, d.refuse("", RuleMultiDisk, "the zip64 locator counts %d disks", le.Uint32(loc[16:]))
	}
	last := pos - locatorLen
	off := le.Uint64(loc[8:])
	if off > uint64(last-end64Len) {
		return nil, 0, 0, d.refuse("", RuleOffset, "the zip64 locator leads to %d, past its own place at %d", off, last)
	}
	// Where the locator says, and, when bytes were put before the archive,
	// right before the locator.
	for _, at := range []int64{int64(off), last - end64Len} {
		rec, err := t.bytes(at, end64Len)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("%s: read the zip64 end record: %w", printable(d.Name), err)
		}
		if string(rec[:4]) == end64Sig && le.Uint64(rec[4:]) == uint64(last-at-12) {
			return rec, at, int64(off), nil
		}
	}
	return nil, 0, 0, d.refuse("", RuleOffset, "no zip64 end record where its locator leads, at %d", off)
}
