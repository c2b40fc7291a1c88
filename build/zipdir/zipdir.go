package zipdir

import (
	"io"
	"io/fs"
)

// Kind is what an entry is once unpacked.
type Kind uint8

// The kinds a Lambda archive may hold; devices, sockets and pipes are refused.
const (
	File Kind = iota
	Dir
	Symlink
)

// Compression methods of APPNOTE.TXT 4.4.5 that Lambda archives use; any other is refused.
const (
	Store   uint16 = 0
	Deflate uint16 = 8
)

// Entry is one validated member of an archive.
type Entry struct {
	// Name is the slash-separated path below the root the archive is unpacked
	// to, cleaned: no "./", no trailing slash, never empty, never rooted.
	Name string
	Kind Kind
	// Mode holds permission bits only (0o7777); meaningful when HasMode is set.
	Mode fs.FileMode
	// HasMode says that the archive carries Unix modes for this entry. Archives
	// made on DOS do not.
	HasMode bool
	// Size and CompressedSize are bytes, uncompressed and as stored.
	Size           int64
	CompressedSize int64
	CRC32          uint32
	Method         uint16
	// HeaderOffset is the absolute position of the local header in the file,
	// already corrected for bytes put before the archive.
	HeaderOffset int64
	// Target is a symlink's target, filled by Directory.ReadLinks.
	Target string
	// rawName is the name as the directory spells it, to hold the local header against.
	rawName string
}

// Directory is an archive's validated central directory. It is safe for
// concurrent use once ReadLinks has returned.
type Directory struct {
	// Name is what errors call the archive: a path or an ARN.
	Name string
	// Entries lie in the order of their data in the archive, so that one
	// sequential pass can read them all. Directories without an entry of their
	// own are not added here.
	Entries []Entry
	// Size is the archive's length, Unzipped the sum of its entries' sizes, in bytes.
	Size     int64
	Unzipped int64

	r io.ReaderAt
}

// Read finds and validates the central directory of the archive of size bytes
// behind r. It reads the end record and the directory and no entry's data.
// Any broken rule is an *Error.
func Read(name string, r io.ReaderAt, size int64) (*Directory, error) { panic("not written yet") }

// ReadLinks reads the targets of all symlinks and refuses relative ones that
// climb above the root. It costs one read per symlink.
func (d *Directory) ReadLinks() error { panic("not written yet") }

// Lookup returns the entry of a cleaned name.
func (d *Directory) Lookup(name string) (*Entry, bool) { panic("not written yet") }

// Open returns the entry's content. The local header is held against the
// directory first; the reader fails with an *Error at the end if size or
// CRC-32 are not what the directory said, and never yields more than Size bytes.
func (d *Directory) Open(e *Entry) (io.ReadCloser, error) { panic("not written yet") }

// DataOffset reads the entry's local header, checks it against the directory
// and returns where its data starts.
func (d *Directory) DataOffset(e *Entry) (int64, error) { panic("not written yet") }

// ReaderAt returns the source the directory was read from.
func (d *Directory) ReaderAt() io.ReaderAt { panic("not written yet") }

// Rule names what an archive broke.
type Rule string

// Error is a refusal: which archive, which entry, which rule, and what was found.
type Error struct {
	Archive string
	Entry   string // "" when the archive as a whole is at fault
	Rule    Rule
	Detail  string
}
