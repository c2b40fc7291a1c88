package zipdir

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// Kind is what an entry is once unpacked.
type Kind uint8

// The kinds a Lambda archive may hold; devices, sockets and pipes are refused.
const (
	File Kind = iota
	Dir
	Symlink
)

// String returns the word that reports use: "file", "dir" or "symlink".
func (k Kind) String() string {
	switch k {
	case Dir:
		return "dir"
	case Symlink:
		return "symlink"
	}
	return "file"
}

// Compression methods of APPNOTE.TXT 4.4.5 that Lambda archives use; any other is refused.
const (
	Store   uint16 = 0
	Deflate uint16 = 8
)

// What Read takes at most, so that its memory is bounded: entries together
// with the directories they imply, and bytes of central directory. Lambda
// unpacks 250 MB at most, where half a million files would have to be smaller
// than one block each.
const (
	MaxEntries   = 500_000
	MaxDirectory = 64 << 20
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
	// Method is Store or Deflate; an entry without a byte of data is always Store.
	Method uint16
	// HeaderOffset is the absolute position of the local header in the file,
	// already corrected for bytes put before the archive.
	HeaderOffset int64
	// Target is a symlink's target, filled by Directory.ReadLinks.
	Target string
	// rawName is the name as the directory spells it, to hold the local header against.
	rawName string
}

// extent is the first byte after what the entry occupies at least: header,
// name and data.
func (e *Entry) extent() int64 {
	return e.HeaderOffset + localLen + int64(len(e.rawName)) + e.CompressedSize
}

// Directory is an archive's validated central directory. It is safe for
// concurrent use once ReadLinks has returned.
type Directory struct {
	// Name is what errors call the archive: a path or an ARN.
	Name string
	// Entries lie in the order of their data in the archive, so that one
	// sequential pass can read them all. Directories without an entry of their
	// own are not added here: see ImpliedDirs. An entry for the root itself
	// ("./") is left out.
	Entries []Entry
	// Size is the archive's length, Unzipped the sum of its entries' sizes, in bytes.
	Size     int64
	Unzipped int64

	r        io.ReaderAt
	dirStart int64
	// index finds an entry by name; implied marks directories without one.
	index     map[string]int32
	implied   int
	inflaters sync.Pool
}

const implied int32 = -1

// Read finds and validates the central directory of the archive of size bytes
// behind r. It reads the last 64 KiB, then what of the directory lies before
// them, and no entry's data; only where bytes were put before the archive does
// it look at one local header. Any broken rule is an *Error; any other error
// came from r.
func Read(name string, r io.ReaderAt, size int64) (*Directory, error) {
	d := &Directory{Name: name, Size: size, r: r}
	t := &tail{r: r, size: size}
	e, err := d.findEnd(t)
	if err != nil {
		return nil, err
	}
	d.dirStart = e.start
	buf, err := t.bytes(e.start, e.size)
	if err != nil {
		return nil, fmt.Errorf("%s: read the central directory: %w", printable(name), err)
	}
	if err := d.parse(buf, e); err != nil {
		return nil, err
	}
	if err := d.checkTree(); err != nil {
		return nil, err
	}
	if e.prefix > 0 && len(d.Entries) > 0 {
		// A wrong offset looks like a prefix; an entry tells them apart.
		if _, err := d.DataOffset(&d.Entries[0]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// parse fills Entries from the directory's bytes and checks where they lie.
func (d *Directory) parse(buf []byte, end end) error {
	// Every name is a part of these bytes, which nobody writes to any more.
	text := unsafe.String(unsafe.SliceData(buf), len(buf))
	d.Entries = make([]Entry, 0, end.entries)
	var roots []Entry
	pos := 0
	for i := range end.entries {
		if pos == len(buf) {
			return d.refuse("", RuleCount, "the end record counts %d, the directory holds %d", end.entries, i)
		}
		if i == 0 && !bytes.HasPrefix(buf, []byte(centralSig)) {
			return d.refuse("", RuleOffset, "no central directory at %d", end.start)
		}
		d.Entries = d.Entries[:len(d.Entries)+1]
		e := &d.Entries[len(d.Entries)-1]
		n, root, err := d.parseEntry(buf[pos:], text[pos:], e, end.prefix)
		if err != nil {
			return err
		}
		pos += n
		if e.Size > math.MaxInt64-d.Unzipped {
			return d.refuse(e.rawName, RuleSize, "the sizes add up to more than 64 bits hold")
		}
		d.Unzipped += e.Size
		if root {
			if roots = append(roots, *e); len(roots) > 1 {
				return d.refuse(e.rawName, RuleDuplicate, "two entries for the root")
			}
			*e = Entry{}
			d.Entries = d.Entries[:len(d.Entries)-1]
		}
	}
	if pos != len(buf) {
		return d.refuse("", RuleCount, "%d bytes of directory after its %d entries", len(buf)-pos, end.entries)
	}

	byOffset := func(a, b Entry) int { return cmp.Compare(a.HeaderOffset, b.HeaderOffset) }
	if !slices.IsSortedFunc(d.Entries, byOffset) {
		slices.SortFunc(d.Entries, byOffset)
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		if next := d.next(i); e.CompressedSize > d.dirStart || e.extent() > next {
			return d.refuse(e.rawName, RuleOverlap, "%d compressed bytes at %d reach past %d", e.CompressedSize, e.HeaderOffset, next)
		}
	}
	if len(roots) == 1 {
		return d.checkRoot(&roots[0])
	}
	return nil
}

// checkRoot holds the extent of the root's own entry against the others'.
func (d *Directory) checkRoot(e *Entry) error {
	i, same := slices.BinarySearchFunc(d.Entries, e.HeaderOffset, func(e Entry, off int64) int { return cmp.Compare(e.HeaderOffset, off) })
	next := d.next(i - 1)
	if same || e.CompressedSize > d.dirStart || e.extent() > next || (i > 0 && d.Entries[i-1].extent() > e.HeaderOffset) {
		return d.refuse(e.rawName, RuleOverlap, "%d compressed bytes at %d", e.CompressedSize, e.HeaderOffset)
	}
	return nil
}

// next is where the entry after the i-th starts, or the directory.
func (d *Directory) next(i int) int64 {
	if i+1 < len(d.Entries) {
		return d.Entries[i+1].HeaderOffset
	}
	return d.dirStart
}

// checkTree builds the index and refuses names that can't stand side by side
// in one tree.
func (d *Directory) checkTree() error {
	d.index = make(map[string]int32, len(d.Entries)+len(d.Entries)/8)
	for i := range d.Entries {
		e := &d.Entries[i]
		d.index[e.Name] = int32(i)
		if len(d.index) == i { // it did not grow
			return d.refuse(e.rawName, RuleDuplicate, "as %s", quote(e.Name))
		}
	}
	last := "" // neighbours mostly share their directory
	for i := range d.Entries {
		dir := parent(d.Entries[i].Name)
		if dir == last {
			continue
		}
		last = dir
		// Upwards until a directory that is known: its own parents were or
		// will be looked at in its own turn, so each is visited once.
		for ; dir != ""; dir = parent(dir) {
			at, ok := d.index[dir]
			if !ok {
				d.index[dir] = implied
				if d.implied++; len(d.index) > MaxEntries {
					return d.refuse("", RuleTooMany, "more than %d with the directories they imply", MaxEntries)
				}
				continue
			}
			if at == implied {
				break
			}
			switch p := &d.Entries[at]; p.Kind {
			case File:
				return d.refuse(p.rawName, RuleClash, "%s lies under it", quote(d.Entries[i].rawName))
			case Symlink:
				return d.refuse(p.rawName, RuleUnderLink, "%s", quote(d.Entries[i].rawName))
			}
			break
		}
	}
	return nil
}

func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return ""
}

// Lookup returns the entry of a cleaned name.
func (d *Directory) Lookup(name string) (*Entry, bool) {
	i, ok := d.index[name]
	if !ok || i == implied {
		return nil, false
	}
	return &d.Entries[i], true
}

// ImpliedDirs returns, sorted, the directories that entries lie in and that
// have no entry of their own.
func (d *Directory) ImpliedDirs() []string {
	dirs := make([]string, 0, d.implied)
	for name, i := range d.index {
		if i == implied {
			dirs = append(dirs, name)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// ReaderAt returns the source the directory was read from.
func (d *Directory) ReaderAt() io.ReaderAt { return d.r }
