package layer

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

// data appends an entry's content to the pieces, and checks it.
func (u *unpacker) data(e *zipdir.Entry) error {
	if err := u.localHeader(e); err != nil {
		return err
	}
	var sum uint32
	var err error
	if e.Method == zipdir.Store {
		sum, err = u.copyStored(e)
	} else {
		sum, err = u.inflate(e)
	}
	u.held = 0
	if err != nil {
		return err
	}
	if sum != e.CRC32 {
		return u.l.refuse(e, zipdir.RuleCRC, fmt.Sprintf("%08x, the directory says %08x", sum, e.CRC32))
	}
	return nil
}

const (
	localHeaderLen = 30 // APPNOTE.TXT 4.3.7
	// maxLocalHeader is the longest local header: name and extra field of 64 KiB each.
	maxLocalHeader = localHeaderLen + 2*65535
)

// localHeader goes to the entry's data, over its local header, all of which is
// in the load.
func (u *unpacker) localHeader(e *zipdir.Entry) error {
	u.at += int(e.HeaderOffset - u.pos())
	b := u.raw[u.at:]
	if len(b) >= localHeaderLen {
		n := localHeaderLen + int(binary.LittleEndian.Uint16(b[26:])) + int(binary.LittleEndian.Uint16(b[28:]))
		b = b[:min(len(b), n)]
	}
	if err := u.l.src.Dir.CheckLocal(e, b); err != nil {
		return err
	}
	u.at += len(b)
	return nil
}

// more says whether there is more of the section than the load holds.
func (u *unpacker) more() bool { return u.next < u.end }

// copyStored copies a stored entry.
func (u *unpacker) copyStored(e *zipdir.Entry) (uint32, error) {
	if e.Size != e.CompressedSize {
		return 0, u.l.refuse(e, zipdir.RuleSize, fmt.Sprintf("%d bytes stored as %d", e.Size, e.CompressedSize))
	}
	c := u.cut()
	c.stored, c.data, c.dataEnd = e.Size, u.at, u.at
	var sum uint32
	for left := e.Size; left > 0; {
		if u.at == len(u.raw) {
			if !u.more() {
				return 0, u.entryError(e, io.ErrUnexpectedEOF)
			}
			if err := u.goOn(true); err != nil {
				return 0, u.entryError(e, err)
			}
		}
		room := inflate.Window + u.chunk - u.p.end
		if room <= 0 {
			if err := u.goOn(false); err != nil {
				return 0, err
			}
			continue
		}
		n := int(min(left, int64(room), int64(len(u.raw)-u.at)))
		b := u.raw[u.at : u.at+n]
		sum = crc32.Update(sum, crc32.IEEETable, b)
		u.p.end += copy(u.p.buf[u.p.end:], b)
		u.at += n
		left -= int64(n)
	}
	u.cut().dataEnd = u.at
	return sum, nil
}

// inflate inflates an entry. In the load, the mark of its stream's last block is
// taken away.
func (u *unpacker) inflate(e *zipdir.Entry) (uint32, error) {
	// A stream that gives nothing is checked and left out.
	c := u.cut()
	c.deflated, c.begins = e.Size > 0, true
	c.data = u.at
	u.dec.Reset()
	var sum uint32
	marked := true
	begin := u.pos()
	for !u.dec.Done() {
		left := begin + e.CompressedSize - u.pos() // of the entry's data
		if left < 0 {
			return 0, u.tooLong(e)
		}
		if u.more() && len(u.raw)-u.at < inflate.MinInput {
			if err := u.goOn(true); err != nil {
				return 0, u.entryError(e, err)
			}
		} else if u.p.end >= inflate.Window+u.chunk {
			if err := u.goOn(false); err != nil {
				return 0, err
			}
		}
		from, dst := u.p.end, u.p.buf[:inflate.Window+u.chunk+inflate.Slack]
		last := int64(len(u.raw)-u.at) >= left // all of the entry's data is here
		to, at, err := u.dec.Decode(dst, from, u.raw, u.at, last)
		if err != nil {
			if u.dec.EndBit() > e.CompressedSize*8 {
				return 0, u.tooLong(e)
			}
			return 0, u.l.refuse(e, zipdir.RuleStream, err.Error())
		}
		sum = crc32.Update(sum, crc32.IEEETable, dst[from:to])
		u.p.end, u.at = to, at
		u.held = 0
		if u.dec.EndBit()&7 != 0 {
			u.held = 1
		}
		if u.dec.Out() > e.Size {
			return 0, u.l.refuse(e, zipdir.RuleLength, fmt.Sprintf("more than the %d bytes it claims", e.Size))
		}
		if u.dec.EndBit() > e.CompressedSize*8 {
			return 0, u.tooLong(e)
		}
		if bit, ok := u.dec.FinalBit(); ok && marked {
			// Its byte was decoded just now, or held.
			u.raw[int(begin+bit/8-u.pos())+u.at] &^= 1 << (bit & 7)
			marked = false
		}
	}
	if u.dec.Out() != e.Size {
		return 0, u.l.refuse(e, zipdir.RuleLength, fmt.Sprintf("%d bytes, it claims %d", u.dec.Out(), e.Size))
	}
	end := u.dec.EndBit()
	if n := (end + 7) / 8; n != e.CompressedSize {
		return 0, u.l.refuse(e, zipdir.RuleStream, fmt.Sprintf("its stream ends at byte %d of %d", n, e.CompressedSize))
	}
	c = u.cut()
	c.dataEnd = u.at - u.held
	if u.held == 1 {
		c.tail = code{uint32(u.raw[u.at-1]) & (1<<(end&7) - 1), uint8(end & 7)}
	}
	return sum, nil
}

func (u *unpacker) tooLong(e *zipdir.Entry) error {
	return u.l.refuse(e, zipdir.RuleStream, fmt.Sprintf("its stream goes on behind its %d bytes", e.CompressedSize))
}
