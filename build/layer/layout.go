package layer

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// RuleWhiteout is broken by names that say something else in an image than in
// a zip (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
const RuleWhiteout zipdir.Rule = "has a name that starts with .wh., which an image reads as a deletion"

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

// record is one tar entry. A file's data is entry's, if it has any.
type record struct {
	// name is as in the tar: not rooted, directories end in a slash. What comes of
	// an entry has none until it is asked for with layout.named: an archive may
	// have hundreds of thousands.
	name   string
	target string // of a symlink; "" is read from entry when its turn comes
	typ    byte   // tar.TypeDir, TypeReg or TypeSymlink
	mode   fs.FileMode
	size   int64
	entry  *zipdir.Entry
	end    int64 // of a file: no byte of its data, local header included, lies behind it in the archive
}

// hasData says whether the archive holds data for r.
func (r *record) hasData() bool { return r.typ == tar.TypeReg }

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
	if err := src.Dir.CheckBomb(zipdir.DefaultLimits()); err != nil {
		return nil, err
	}
	root := string(src.Root)
	entries := src.Dir.Entries
	dirs := make(map[string]bool)
	addParents(dirs, root+"/")
	for _, d := range src.Dir.ImpliedDirs() {
		dirs[root+"/"+d] = true
	}
	files := 0
	for i := range entries {
		e := &entries[i]
		if whiteout(e.Name) {
			return nil, l.refuse(e, RuleWhiteout, "rename it in the archive")
		}
		if e.Kind == zipdir.Dir {
			dirs[root+"/"+e.Name] = true
		} else {
			files++
		}
	}
	for _, k := range opts.Links {
		name, err := l.checkLink(k, dirs)
		if err != nil {
			return nil, err
		}
		addParents(dirs, name)
		l.links = append(l.links, Link{Path: name, Target: k.Target})
	}
	l.records = make([]record, 0, len(dirs)+len(l.links)+files)
	for _, d := range slices.Sorted(maps.Keys(dirs)) {
		l.records = append(l.records, record{name: d + "/", typ: tar.TypeDir, mode: 0o755})
	}
	for _, k := range l.links {
		l.records = append(l.records, record{name: k.Path, typ: tar.TypeSymlink, mode: 0o777, target: k.Target})
	}
	l.entries(l.wanted(opts.Executables))
	return l, nil
}

// entries adds the archive's files and links to the records, and notes the
// repairs of all it holds. exec are the options' executables.
func (l *layout) entries(exec map[string]bool) {
	for i := range l.src.Dir.Entries {
		e := &l.src.Dir.Entries[i]
		switch e.Kind {
		case zipdir.Dir:
			l.dirRepair(e)
		case zipdir.Symlink:
			l.records = append(l.records, record{typ: tar.TypeSymlink, mode: 0o777, target: e.Target, entry: e})
		default:
			l.records = append(l.records, record{typ: tar.TypeReg, mode: l.fileMode(e, exec), size: e.Size, entry: e, end: dataEnd(l.src.Dir, i)})
			l.files += e.Size
		}
	}
}

// named is record i with its name.
func (l *layout) named(i int) record {
	r := l.records[i]
	if r.entry != nil {
		r.name = string(l.src.Root) + "/" + r.entry.Name
	}
	return r
}

// dataEnd is where at the latest an entry's data ends: the next entry's header
// follows, or the directory, or something that nobody needs.
func dataEnd(d *zipdir.Directory, i int) int64 {
	end := d.Size
	if i+1 < len(d.Entries) {
		end = d.Entries[i+1].HeaderOffset
	}
	e := &d.Entries[i]
	return min(end, e.HeaderOffset+maxLocalHeader+e.CompressedSize)
}

// addParents adds the directories above name.
func addParents(dirs map[string]bool, name string) {
	for i, c := range name {
		if c == '/' {
			dirs[name[:i]] = true
		}
	}
}

// checkLink returns where an added link lies in the tar. dirs are those of the
// archive and of the links before.
func (l *layout) checkLink(k Link, dirs map[string]bool) (string, error) {
	name := strings.TrimPrefix(k.Path, "/")
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("add the link %q to the image layer of %s: %s", k.Path, l.src.Name, why)
	}
	if name == "" || !fs.ValidPath(name) || whiteout(name) || k.Target == "" || strings.ContainsRune(name+k.Target, 0) {
		return bad("its path or its target is not usable in an image")
	}
	if dirs[name] || slices.ContainsFunc(l.links, func(o Link) bool { return o.Path == name }) {
		return bad("that path is taken")
	}
	for p := name; p != "."; p = path.Dir(p) {
		below, ok := strings.CutPrefix(p, string(l.src.Root)+"/")
		if e, found := l.src.Dir.Lookup(below); ok && found && e.Kind != zipdir.Dir {
			return bad("the archive holds a file or link at /" + p)
		}
		if p != name && slices.ContainsFunc(l.links, func(o Link) bool { return o.Path == p }) {
			return bad("/" + p + " is an added link itself")
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
func (l *layout) fileMode(e *zipdir.Entry, exec map[string]bool) fs.FileMode {
	if !e.HasMode {
		if !exec[e.Name] && !launched(l.src.Root, e.Name) {
			return defaultMode
		}
		l.repair(e, defaultMode, 0o755, "made executable: the archive carries no modes")
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
		l.repair(e, was, now, strings.Join(what, ", "))
	}
	return now
}

// dirRepair notes a directory that others could not have read or searched. All
// directories become 0755; one that was open to all is no worth a word.
func (l *layout) dirRepair(e *zipdir.Entry) {
	if e.HasMode && e.Mode&0o555 != 0o555 {
		l.repair(e, e.Mode&0o7777, 0o755, "made readable and searchable by all")
	}
}

func (l *layout) repair(e *zipdir.Entry, was, now fs.FileMode, what string) {
	l.repairs = append(l.repairs, Repair{Path: "/" + string(l.src.Root) + "/" + e.Name, Was: was, Now: now, What: what})
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
// deletion.
func whiteout(name string) bool {
	return strings.HasPrefix(name, ".wh.") || strings.Contains(name, "/.wh.")
}

// refuse is the error for an entry.
func (l *layout) refuse(e *zipdir.Entry, rule zipdir.Rule, detail string) error {
	return &zipdir.Error{Archive: l.src.Name, Entry: e.Name, Rule: rule, Detail: detail}
}
