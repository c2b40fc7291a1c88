package ziptest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Header holds the fields of a central header (all of them) or of a local one
// (those it has). Lengths are those of Name, Extra and Comment unless changed.
type Header struct {
	Signature             uint32
	MadeBy                uint16 // high byte: 0 DOS, 3 Unix
	Needs, Flags, Method  uint16
	Time, Date            uint16
	CRC, Compressed, Size uint32
	Name                  string
	NameLen, ExtraLen     uint16
	Extra                 []byte
	Comment               string
	Disk, Internal        uint16
	External, Offset      uint32 // External: Unix mode << 16
}

// End holds the fields of the end record.
type End struct {
	Disk, DirDisk, Here, Total uint16
	Size, Offset               uint32
	Comment                    string
	CommentLen                 uint16
}

// End64 holds the fields of the zip64 end record and of its locator.
type End64 struct {
	Signature                 uint32
	Length                    uint64
	Disk, DirDisk             uint32
	Here, Total, Size, Offset uint64
	LocatorSignature          uint32
	LocatorDisk               uint32
	LocatorOffset             uint64
	LocatorDisks              uint32
}

// Entry is one member to be. The zero value is no use: start from File, Dir or Link.
type Entry struct {
	name           string
	body           []byte
	raw            []byte
	hasRaw         bool
	mode           uint32
	deflate        bool
	stream         bool
	dos            bool
	wide           bool
	central, local []func(*Header)
}

// File is a regular file, stored, 0644, made on Unix.
func File(name, body string) Entry {
	return Entry{name: name, body: []byte(body), mode: 0o100644}
}

// Dir is a directory, 0755; the slash is added.
func Dir(name string) Entry { return Entry{name: name + "/", mode: 0o040755} }

// Link is a symlink.
func Link(name, target string) Entry {
	return Entry{name: name, body: []byte(target), mode: 0o120777}
}

// Perm sets the permission bits.
func (e Entry) Perm(mode uint32) Entry { e.mode = e.mode&^0o7777 | mode; return e }

// Type sets the whole Unix mode, file type included.
func (e Entry) Type(mode uint32) Entry { e.mode = mode; return e }

// Deflated compresses the body.
func (e Entry) Deflated() Entry { e.deflate = true; return e }

// Streamed writes the sizes and the CRC behind the data, as writers to a pipe do.
func (e Entry) Streamed() Entry { e.stream = true; return e }

// DOS makes the entry one of a DOS archive: attributes, but no Unix mode.
func (e Entry) DOS() Entry { e.dos = true; return e }

// Wide writes sizes and offset in a zip64 field, needed or not.
func (e Entry) Wide() Entry { e.wide = true; return e }

// Raw is what is written as the entry's data. Sizes and CRC in the headers
// still come from the body, except the compressed size.
func (e Entry) Raw(data []byte) Entry { e.raw, e.hasRaw = data, true; return e }

// Central changes the central header before it is written.
func (e Entry) Central(f func(*Header)) Entry {
	e.central = append(e.central[:len(e.central):len(e.central)], f)
	return e
}

// Local changes the local header before it is written.
func (e Entry) Local(f func(*Header)) Entry {
	e.local = append(e.local[:len(e.local):len(e.local)], f)
	return e
}

// Both changes both headers.
func (e Entry) Both(f func(*Header)) Entry { return e.Central(f).Local(f) }

// Archive is a whole archive.
type Archive struct {
	Entries []Entry
	// Prefix lies before the archive. Offsets count from after it, unless Adjusted.
	Prefix   string
	Adjusted bool
	Comment  string
	// Wide adds the zip64 end record and locator and saturates the end record.
	Wide bool
	// Gap lies between the directory and the end record.
	Gap string
	// End and End64 change the end records before they are written.
	End   func(*End)
	End64 func(*End64)
}

// Bytes builds an archive of the entries.
func Bytes(entries ...Entry) []byte { return Archive{Entries: entries}.Bytes() }

// Write builds an archive of the entries in a temporary file and returns its path.
func Write(t testing.TB, entries ...Entry) string { return Archive{Entries: entries}.Write(t) }

// Write builds the archive in a temporary file and returns its path.
func (a Archive) Write(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "archive.zip")
	if err := os.WriteFile(path, a.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Bytes builds the archive. The same archive gives the same bytes.
func (a Archive) Bytes() []byte {
	var out bytes.Buffer
	out.WriteString(a.Prefix)
	base := 0
	if !a.Adjusted {
		base = len(a.Prefix)
	}
	var dir bytes.Buffer
	for _, e := range a.Entries {
		e.write(&out, &dir, base)
	}
	start := out.Len() - base
	size := dir.Len()
	out.Write(dir.Bytes())
	out.WriteString(a.Gap)
	n := uint16(min(len(a.Entries), math.MaxUint16))
	end := End{Here: n, Total: n, Size: uint32(size), Offset: uint32(start), Comment: a.Comment, CommentLen: uint16(len(a.Comment))}
	if a.Wide || len(a.Entries) > math.MaxUint16 {
		at := out.Len() - base
		w := End64{
			Signature: 0x06064b50, Length: 44, Here: uint64(len(a.Entries)), Total: uint64(len(a.Entries)),
			Size: uint64(size), Offset: uint64(start), LocatorSignature: 0x07064b50, LocatorOffset: uint64(at), LocatorDisks: 1,
		}
		if a.End64 != nil {
			a.End64(&w)
		}
		put(&out, w.Signature, w.Length, uint16(3<<8|45), uint16(45), w.Disk, w.DirDisk, w.Here, w.Total, w.Size, w.Offset)
		put(&out, w.LocatorSignature, w.LocatorDisk, w.LocatorOffset, w.LocatorDisks)
		end.Here, end.Total, end.Size, end.Offset = math.MaxUint16, math.MaxUint16, math.MaxUint32, math.MaxUint32
	}
	if a.End != nil {
		a.End(&end)
	}
	put(&out, uint32(0x06054b50), end.Disk, end.DirDisk, end.Here, end.Total, end.Size, end.Offset, end.CommentLen)
	out.WriteString(end.Comment)
	return out.Bytes()
}

func (e Entry) write(out, dir *bytes.Buffer, base int) {
	data := e.body
	h := Header{
		MadeBy: 3<<8 | 20, Needs: 20, Date: 0x21, Name: e.name, NameLen: uint16(len(e.name)),
		CRC: crc32.ChecksumIEEE(e.body), External: e.mode << 16, Offset: uint32(out.Len() - base),
	}
	if e.mode&0o170000 == 0o040000 {
		h.External |= 0x10
	}
	if e.dos {
		h.MadeBy, h.External = 20, h.External&0xff
	}
	if e.deflate {
		h.Method = 8
		data = deflate(e.body)
	}
	if e.hasRaw {
		data = e.raw
	}
	size, compressed, offset := uint64(len(e.body)), uint64(len(data)), uint64(h.Offset)
	h.Size, h.Compressed = uint32(size), uint32(compressed)
	if e.stream {
		h.Flags |= 8
	}

	local := h
	local.Signature = 0x04034b50
	if e.wide {
		h.Needs, local.Needs = 45, 45
		local.Extra = wideExtra(size, compressed)
		h.Extra = wideExtra(size, compressed, offset)
		local.Size, local.Compressed = math.MaxUint32, math.MaxUint32
		h.Size, h.Compressed, h.Offset = math.MaxUint32, math.MaxUint32, math.MaxUint32
	}
	if e.stream {
		local.CRC = 0
		if e.wide {
			local.Extra = wideExtra(0, 0)
		} else {
			local.Size, local.Compressed = 0, 0
		}
	}
	local.ExtraLen = uint16(len(local.Extra))
	for _, f := range e.local {
		f(&local)
	}
	put(out, local.Signature, local.Needs, local.Flags, local.Method, local.Time, local.Date,
		local.CRC, local.Compressed, local.Size, local.NameLen, local.ExtraLen)
	out.WriteString(local.Name)
	out.Write(local.Extra)
	out.Write(data)
	if e.stream {
		put(out, uint32(0x08074b50), crc32.ChecksumIEEE(e.body))
		if e.wide {
			put(out, compressed, size)
		} else {
			put(out, uint32(compressed), uint32(size))
		}
	}

	h.Signature = 0x02014b50
	h.ExtraLen = uint16(len(h.Extra))
	for _, f := range e.central {
		f(&h)
	}
	put(dir, h.Signature, h.MadeBy, h.Needs, h.Flags, h.Method, h.Time, h.Date, h.CRC, h.Compressed, h.Size,
		h.NameLen, h.ExtraLen, uint16(len(h.Comment)), h.Disk, h.Internal, h.External, h.Offset)
	dir.WriteString(h.Name)
	dir.Write(h.Extra)
	dir.WriteString(h.Comment)
}

// Rename sets a header's name and its length.
func (h *Header) Rename(name string) { h.Name, h.NameLen = name, uint16(len(name)) }

// AddExtra appends an extra field.
func (h *Header) AddExtra(id uint16, data []byte) {
	var b bytes.Buffer
	put(&b, id, uint16(len(data)))
	h.Extra = append(append(h.Extra[:len(h.Extra):len(h.Extra)], b.Bytes()...), data...)
	h.ExtraLen = uint16(len(h.Extra))
}

func wideExtra(values ...uint64) []byte {
	var b bytes.Buffer
	put(&b, uint16(1), uint16(8*len(values)))
	for _, v := range values {
		put(&b, v)
	}
	return b.Bytes()
}

func deflate(body []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err) // only a wrong level fails
	}
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// put appends fixed-size values in little-endian order.
func put(b *bytes.Buffer, values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case uint16:
			b.Write(binary.LittleEndian.AppendUint16(nil, v))
		case uint32:
			b.Write(binary.LittleEndian.AppendUint32(nil, v))
		case uint64:
			b.Write(binary.LittleEndian.AppendUint64(nil, v))
		default:
			panic("ziptest: not a fixed-size value")
		}
	}
}
