package zipdir

import (
	"encoding/binary"
	"io/fs"
	"math"
)

// Bits of the general purpose flag (APPNOTE.TXT 4.4.4).
const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagPatch      = 1 << 5
	flagStrong     = 1 << 6
	flagMasked     = 1 << 13
)

// Systems of "version made by" whose external attributes hold a Unix mode
// (APPNOTE.TXT 4.4.2).
const (
	madeByUnix   = 3
	madeByDarwin = 19
)

// File types of a Unix mode, and the directory bit of a DOS attribute.
const (
	typeMask = 0o170000
	typeFile = 0o100000
	typeDir  = 0o040000
	typeLink = 0o120000
	dosDir   = 0x10
)

// maxDeflateRatio is what DEFLATE can expand at most: 258 bytes from two bits.
const maxDeflateRatio = 1032

// parseEntry reads the central header at the start of buf, whose bytes text
// holds as a string, and returns its length. root tells an entry for the root
// itself, which every archive has anyway.
func (d *Directory) parseEntry(buf []byte, text string, e *Entry, prefix int64) (n int, root bool, err error) {
	le := binary.LittleEndian
	if len(buf) < centralLen || string(buf[:4]) != centralSig {
		return 0, false, d.refuse("", RuleDirectory, "no header where the next entry should be")
	}
	nameLen, extraLen := int(le.Uint16(buf[28:])), int(le.Uint16(buf[30:]))
	n = centralLen + nameLen + extraLen + int(le.Uint16(buf[32:]))
	if n > len(buf) {
		return 0, false, d.refuse("", RuleDirectory, "its last entry is cut off")
	}
	raw := text[centralLen : centralLen+nameLen]
	extra := buf[centralLen+nameLen : centralLen+nameLen+extraLen]

	name, slash, rule, detail := cleanName(raw)
	if rule != "" {
		return 0, false, &Error{Archive: d.Name, Entry: raw, Rule: rule, Detail: detail}
	}
	e.Name, e.rawName = name, raw
	e.CRC32 = le.Uint32(buf[16:])

	flags := le.Uint16(buf[8:])
	if flags&(flagEncrypted|flagStrong|flagMasked) != 0 {
		return 0, false, d.refuse(raw, RuleEncrypted, "flags 0x%04x", flags)
	}
	if e.Method = le.Uint16(buf[10:]); e.Method != Store && e.Method != Deflate {
		return 0, false, d.refuse(raw, RuleMethod, "method %d", e.Method)
	}
	if flags&flagPatch != 0 {
		return 0, false, d.refuse(raw, RuleMethod, "compressed patched data")
	}

	size, csize := uint64(le.Uint32(buf[24:])), uint64(le.Uint32(buf[20:]))
	offset, disk := uint64(le.Uint32(buf[42:])), uint64(le.Uint16(buf[34:]))
	if detail := wideFields(extra, &size, &csize, &offset, &disk); detail != "" {
		return 0, false, d.refuse(raw, RuleSize, "%s", detail)
	}
	if disk != 0 {
		return 0, false, d.refuse(raw, RuleMultiDisk, "lies on disk %d", disk)
	}
	if size > math.MaxInt64 || csize > math.MaxInt64 || offset > math.MaxInt64 {
		return 0, false, d.refuse(raw, RuleSize, "size %d, compressed %d, offset %d", size, csize, offset)
	}
	e.Size, e.CompressedSize = int64(size), int64(csize)
	if e.HeaderOffset = int64(offset) + prefix; e.HeaderOffset < 0 || e.HeaderOffset > d.dirStart {
		return 0, false, d.refuse(raw, RuleOffset, "local header at %d, the directory starts at %d", offset, d.dirStart)
	}
	if err := d.setKind(e, slash, buf[5], le.Uint32(buf[38:])); err != nil {
		return 0, false, err
	}

	switch {
	case e.Method == Store && csize != size:
		return 0, false, d.refuse(raw, RuleSize, "stored, %d bytes in the archive and %d unpacked", csize, size)
	case e.Kind == Dir && size != 0:
		return 0, false, d.refuse(raw, RuleSize, "a directory of %d bytes", size)
	case size > csize && (size-1)/maxDeflateRatio >= csize:
		return 0, false, d.refuse(raw, RuleSize, "%d bytes can't unpack to %d", csize, size)
	case size == 0 && csize == 0:
		e.Method = Store // nothing to inflate, whatever the writer called it
	}
	return n, name == "" && e.Kind == Dir, nil
}

// setKind decides what the entry is from its name and its attributes.
func (d *Directory) setKind(e *Entry, slash bool, madeBy byte, attrs uint32) error {
	unix := attrs >> 16
	typ := unix & typeMask
	e.HasMode = madeBy == madeByUnix || madeBy == madeByDarwin
	if !e.HasMode && (typ == typeFile || typ == typeDir) {
		// Some writers elsewhere fill in a mode that nothing stands behind.
		typ = 0
	}
	switch typ {
	case 0, typeFile, typeDir:
	case typeLink:
		if !e.HasMode || slash {
			return d.refuse(e.rawName, RuleKind, "a symlink by its mode %06o, and not by its name or system %d", unix, madeBy)
		}
		e.Kind = Symlink
	default:
		return d.refuse(e.rawName, RuleSpecial, "mode %06o", unix)
	}
	if slash || typ == typeDir || (!e.HasMode && attrs&dosDir != 0) {
		e.Kind = Dir
	}
	if e.HasMode {
		e.Mode = fs.FileMode(unix & 0o7777)
	}
	if e.Name == "" && e.Kind != Dir {
		return d.refuse(e.rawName, RuleEmptyName, "the root, but not a directory")
	}
	return nil
}

// wideFields replaces the values that are saturated by those of the zip64
// extra field (APPNOTE.TXT 4.5.3) and says what is wrong, if anything. A nil
// pointer stands for a value this header does not have.
func wideFields(extra []byte, size, csize, offset, disk *uint64) string {
	le := binary.LittleEndian
	var field []byte
	found := false
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		extra = extra[4:]
		if n > len(extra) {
			break
		}
		if id == 1 {
			if found {
				return "two zip64 fields"
			}
			field, found = extra[:n], true
		}
		extra = extra[n:]
	}
	for _, v := range []*uint64{size, csize, offset} {
		if v == nil || *v != math.MaxUint32 {
			continue
		}
		if len(field) < 8 {
			return "a zip64 field is missing or too short"
		}
		*v, field = le.Uint64(field), field[8:]
	}
	if disk != nil && *disk == math.MaxUint16 {
		if len(field) < 4 {
			return "a zip64 field is missing or too short"
		}
		*disk = uint64(le.Uint32(field))
	}
	return ""
}
