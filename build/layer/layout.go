package layer

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// Limits on what an archive may unpack to.
const (
	// maxUnpacked is the largest image that Lambda takes, unpacked
	// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	maxUnpacked = 10 << 30
	// smallUnpacked is Lambda's limit for code and layers together, unpacked: an
	// archive below it may compress as well as it likes.
	smallUnpacked = 250 << 20
	// maxRatio bounds archives above smallUnpacked. Program files reach 3 to 20.
	maxRatio = 200
	// deflateRatio is the most that DEFLATE can express: 258 bytes in two bits.
	deflateRatio = 1032
)

// layout is the tar that a source becomes, known before any data is read.
type layout struct {
	src         Source
	time        time.Time
	records     []record
	executables []string // the options' paths that matter for this source
	links       []Link   // the options' links, cleaned
	repairs     []Repair
	files       int64 // bytes of all files
}

// record is one tar entry. Its data is entry's, if it has any.
type record struct {
	name   string // as in the tar: not rooted, directories end in a slash
	target string
	typ    byte // tar.TypeDir, TypeReg or TypeSymlink
	mode   fs.FileMode
	size   int64
	entry  *zipdir.Entry
}

// newLayout decides everything about the tar except its data: order, names,
// modes. It refuses what can be refused without reading data.
func newLayout(src Source, opts Options) (*layout, error) {
	l := &layout{src: src, time: opts.Time.Truncate(time.Second).UTC()}
	if opts.Time.IsZero() {
		l.time = time.Unix(0, 0).UTC()
	}
	if src.Root == "" || path.Clean("/"+string(src.Root)) != "/"+string(src.Root) {
		return nil, fmt.Errorf("convert %s: %q is no root for an image layer", src.Name, src.Root)
	}
	if err := l.checkSizes(); err != nil {
		return nil, err
	}
	entries := src.Dir.Entries
	if slices.ContainsFunc(entries, func(e zipdir.Entry) bool { return e.Kind == zipdir.Symlink && e.Target == "" }) {
		if err := src.Dir.ReadLinks(); err != nil {
			return nil, fmt.Errorf("read the links of %s: %w", src.Name, err)
		}
	}
	taken := make(map[string]byte, len(entries)) // path in the image -> tar type
	dirs := ancestors(nil, taken, string(src.Root)+"/x")
	files := make([]record, 0, len(entries))
	exec := l.wanted(opts.Executables)
	for i := range entries {
		e := &entries[i]
		if whiteout(e.Name) {
			return nil, l.refuse(e, "whiteout", "an image reads a name that starts with \".wh.\" as the deletion of another file; rename it in the archive")
		}
		name := string(src.Root) + "/" + e.Name
		if e.Kind == zipdir.Dir {
			if l.dirRepair(e, name); taken[name] == 0 {
				taken[name] = tar.TypeDir
				dirs = append(dirs, name)
			}
			dirs = ancestors(dirs, taken, name)
			continue
		}
		dirs = ancestors(dirs, taken, name)
		r := record{name: name, typ: tar.TypeReg, entry: e, size: e.Size}
		if e.Kind == zipdir.Symlink {
			r = record{name: name, typ: tar.TypeSymlink, mode: 0o777, target: e.Target}
		} else {
			r.mode = l.fileMode(e, name, exec)
			l.files += e.Size
		}
		if taken[name] != 0 {
			return nil, l.refuse(e, "duplicate", "the name is taken twice")
		}
		taken[name] = r.typ
		files = append(files, r)
	}
	links := make([]record, 0, len(opts.Links))
	for _, k := range opts.Links {
		name, err := l.checkLink(k, taken)
		if err != nil {
			return nil, err
		}
		dirs = ancestors(dirs, taken, name)
		taken[name] = tar.TypeSymlink
		l.links = append(l.links, Link{Path: name, Target: k.Target})
		links = append(links, record{name: name, typ: tar.TypeSymlink, mode: 0o777, target: k.Target})
	}
	for i := range files {
		for p := path.Dir(files[i].name); p != "."; p = path.Dir(p) {
			if taken[p] != tar.TypeDir {
				return nil, l.refuse(files[i].entry, "clash", fmt.Sprintf("it lies under /%s, which is no directory", p))
			}
		}
	}
	slices.Sort(dirs)
	l.records = make([]record, 0, len(dirs)+len(links)+len(files))
	for _, d := range dirs {
		l.records = append(l.records, record{name: d + "/", typ: tar.TypeDir, mode: 0o755})
	}
	l.records = append(append(l.records, links...), files...)
	return l, nil
}

// ancestors appends those directories above name that are not taken yet.
func ancestors(dirs []string, taken map[string]byte, name string) []string {
	for p := path.Dir(name); p != "." && taken[p] == 0; p = path.Dir(p) {
		taken[p] = tar.TypeDir
		dirs = append(dirs, p)
	}
	return dirs
}

// checkSizes refuses archives that claim to unpack to more than an image may
// hold, or to more than their data can be.
func (l *layout) checkSizes() error {
	var packed, unpacked int64
	for i := range l.src.Dir.Entries {
		e := &l.src.Dir.Entries[i]
		if e.Size < 0 || e.CompressedSize < 0 || e.Method == zipdir.Store && e.Size != e.CompressedSize {
			return l.refuse(e, "size", fmt.Sprintf("%d bytes stored cannot hold %d", e.CompressedSize, e.Size))
		}
		if e.Size/deflateRatio > e.CompressedSize {
			return l.refuse(e, "bomb", fmt.Sprintf("%d bytes cannot unpack to %d: DEFLATE reaches %d:1 at most", e.CompressedSize, e.Size, deflateRatio))
		}
		packed += e.CompressedSize
		if unpacked += e.Size; unpacked > maxUnpacked || unpacked < 0 {
			return l.refuse(nil, "bomb", fmt.Sprintf("it unpacks to more than the %d bytes that an image for Lambda may hold", int64(maxUnpacked)))
		}
	}
	if unpacked > smallUnpacked && unpacked/maxRatio > packed {
		return l.refuse(nil, "bomb", fmt.Sprintf("it unpacks to %d bytes, more than %d times its size", unpacked, maxRatio))
	}
	return nil
}

// checkLink returns where an added link lies in the tar.
func (l *layout) checkLink(k Link, taken map[string]byte) (string, error) {
	name := strings.TrimPrefix(k.Path, "/")
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("add the link %q to the image layer of %s: %s", k.Path, l.src.Name, why)
	}
	switch {
	case name == "" || !fs.ValidPath(name) || whiteout(name):
		return bad("its path is not usable in an image")
	case k.Target == "" || strings.ContainsRune(k.Target+name, 0):
		return bad("it needs a target")
	case taken[name] != 0:
		return bad("the archive holds that path already")
	}
	for p := path.Dir(name); p != "."; p = path.Dir(p) {
		if t := taken[p]; t != 0 && t != tar.TypeDir {
			return bad("/" + p + " is no directory in the archive")
		}
	}
	return name, nil
}

// wanted returns the set of names, below the root, of the options' executables
// that this archive holds as files without modes.
func (l *layout) wanted(paths []string) map[string]bool {
	set := make(map[string]bool)
	for _, p := range paths {
		name, ok := strings.CutPrefix(path.Clean("/"+p), "/"+string(l.src.Root)+"/")
		if !ok || set[name] {
			continue
		}
		if e, ok := l.src.Dir.Lookup(name); ok && e.Kind == zipdir.File && !e.HasMode {
			set[name] = true
			l.executables = append(l.executables, name)
		}
	}
	slices.Sort(l.executables)
	return set
}

const defaultMode fs.FileMode = 0o644 // of files in archives without Unix modes

// fileMode is what a file's mode becomes; a difference is noted as a repair.
func (l *layout) fileMode(e *zipdir.Entry, name string, exec map[string]bool) fs.FileMode {
	if !e.HasMode {
		if !exec[e.Name] && !launched(l.src.Root, e.Name) {
			return defaultMode
		}
		l.repair(name, defaultMode, 0o755, "made executable: the archive carries no modes")
		return 0o755
	}
	was, now := e.Mode&0o7777, e.Mode&0o777|0o444
	if was&0o111 != 0 {
		now |= 0o111
	}
	var what []string
	if was&0o444 != 0o444 {
		what = append(what, "made readable by all")
	}
	if now&0o111 != was&0o111 {
		what = append(what, "made executable by all")
	}
	if was&0o7000 != 0 {
		what = append(what, "set-user-ID, set-group-ID and sticky bits dropped")
	}
	if was != now {
		l.repair(name, was, now, strings.Join(what, ", "))
	}
	return now
}

// dirRepair notes a directory that others could not have read or searched. All
// directories become 0755; one that was open to all is no worth a word.
func (l *layout) dirRepair(e *zipdir.Entry, name string) {
	if e.HasMode && e.Mode&0o555 != 0o555 {
		l.repair(name, e.Mode&0o7777, 0o755, "made readable and searchable by all")
	}
}

func (l *layout) repair(name string, was, now fs.FileMode, what string) {
	l.repairs = append(l.repairs, Repair{Path: "/" + name, Was: was, Now: now, What: what})
}

// launched says whether Lambda starts the file itself: a custom runtime's
// bootstrap in either root, an external extension in /opt/extensions.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func launched(root Root, name string) bool {
	if name == "bootstrap" {
		return root == Opt || root == Task
	}
	dir, _ := path.Split(name)
	return root == Opt && dir == "extensions/"
}

// whiteout says whether an image reader takes a component of name for a
// deletion (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
func whiteout(name string) bool {
	return strings.HasPrefix(name, ".wh.") || strings.Contains(name, "/.wh.")
}

// refuse is the error for an entry, or for the archive as a whole if e is nil.
func (l *layout) refuse(e *zipdir.Entry, rule, detail string) error {
	name := ""
	if e != nil {
		name = e.Name
	}
	return fmt.Errorf("%s: %q: %s: %s", l.src.Name, name, rule, detail)
}

// header is the tar header of r.
func (l *layout) header(r *record) *tar.Header {
	return &tar.Header{Typeflag: r.typ, Name: r.name, Linkname: r.target, Size: r.size, Mode: int64(r.mode), ModTime: l.time}
}
