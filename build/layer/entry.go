package layer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

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
