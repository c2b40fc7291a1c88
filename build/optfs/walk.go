package optfs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// Lookup returns the entry of a path ("" and "." are the root, which has no entry).
func (t *Tree) Lookup(path string) (*Entry, bool) {
	if i, ok := t.search(path, 0); ok {
		return &t.Entries[i], true
	}
	return nil, false
}

// search finds a path, or where it would be, among the entries from the given one.
func (t *Tree) search(path string, from int) (int, bool) {
	i, ok := slices.BinarySearchFunc(t.Entries[from:], path, func(e Entry, p string) int { return strings.Compare(e.Path, p) })
	return from + i, ok
}

// Children returns the direct children of a directory, sorted by name. It
// costs what the directory holds, not what the tree holds.
func (t *Tree) Children(dir string) []*Entry {
	prefix := ""
	if dir != "" && dir != "." {
		prefix = dir + "/"
	}
	var children []*Entry
	for i, _ := t.search(prefix, 0); i < len(t.Entries) && strings.HasPrefix(t.Entries[i].Path, prefix); {
		slash := strings.IndexByte(t.Entries[i].Path[len(prefix):], '/')
		if slash < 0 {
			children = append(children, &t.Entries[i])
			i++
			continue
		}
		// The content of a child lies together: on to what follows it. The
		// byte after the slash ends it.
		i, _ = t.search(t.Entries[i].Path[:len(prefix)+slash]+string(rune('/'+1)), i)
	}
	return children
}

// What Resolve fails with besides fs.ErrNotExist.
var (
	// ErrOutside: a link leads out of the tree, to the base image or the code.
	ErrOutside = errors.New("leads out of the merged tree")
	// ErrLoop: more links than Linux follows.
	ErrLoop = errors.New("too many levels of symbolic links")
	// ErrUnread: a link's target has not been read (zipdir.Directory.ReadLinks).
	ErrUnread = errors.New("symlink target not read")
)

// maxLinks is the number of links Linux follows in one path (path_resolution(7)).
const maxLinks = 40

// Resolve follows a path through the symlinks of the merged tree, as Linux
// would with the tree unpacked at root ("/opt"), and returns the file or
// directory it ends at. The path is below the root, without a leading slash.
// The root itself is an entry with an empty path.
func (t *Tree) Resolve(root, path string) (*Entry, error) {
	at := &Entry{Kind: zipdir.Dir, Mode: 0o755}
	rest := strings.Split(path, "/")
	links := 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		if at.Kind != zipdir.Dir {
			return nil, fmt.Errorf("resolve %q: %q is not a directory: %w", path, at.Path, fs.ErrNotExist)
		}
		if part == ".." {
			if at.Path == "" {
				return nil, fmt.Errorf("resolve %q: %w", path, ErrOutside)
			}
			at = t.dir(parent(at.Path))
			continue
		}
		next := part
		if at.Path != "" {
			next = at.Path + "/" + part
		}
		e, ok := t.Lookup(next)
		if !ok {
			return nil, fmt.Errorf("resolve %q: %q: %w", path, next, fs.ErrNotExist)
		}
		if e.Kind != zipdir.Symlink {
			at = e
			continue
		}
		if links++; links > maxLinks {
			return nil, fmt.Errorf("resolve %q: %w", path, ErrLoop)
		}
		if e.Target == "" {
			return nil, fmt.Errorf("resolve %q: %q: %w", path, next, ErrUnread)
		}
		target := e.Target
		if strings.HasPrefix(target, "/") {
			inside, ok := below(root, target)
			if !ok {
				return nil, fmt.Errorf("resolve %q: %q: target %q: %w", path, next, target, ErrOutside)
			}
			target, at = inside, t.dir("")
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}

// dir returns a directory that is known to be there, or the root.
func (t *Tree) dir(path string) *Entry {
	if e, ok := t.Lookup(path); ok {
		return e
	}
	return &Entry{Kind: zipdir.Dir, Mode: 0o755}
}

// below returns what of an absolute path lies below root. It reads the path's
// text only, so a path that leaves the root and comes back is outside.
func below(root, path string) (string, bool) {
	want := strings.FieldsFunc(root, isSlash)
	got := strings.FieldsFunc(path, isSlash)
	got = slices.DeleteFunc(got, func(s string) bool { return s == "." })
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		return "", false
	}
	return strings.Join(got[len(want):], "/"), true
}

func isSlash(r rune) bool { return r == '/' }
