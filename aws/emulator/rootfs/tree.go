package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Kind is what a node is.
type Kind int

// The kinds of node a function can see.
const (
	Dir Kind = iota
	File
	Link
)

// Node is one entry of a tree.
type Node struct {
	Kind   Kind
	Mode   fs.FileMode // permission bits
	Size   int64       // bytes of a file
	Target string      // of a link

	open     func() (io.ReadCloser, error)
	children map[string]*Node
}

// Executable reports whether a user who is neither owner nor in the group may
// execute the file: functions run as such a user.
func (n *Node) Executable() bool { return n.Kind == File && n.Mode&0o001 != 0 }

// Readable is the same for reading.
func (n *Node) Readable() bool { return n.Mode&0o004 != 0 }

// Tree is a file system. Reading is safe for concurrent use.
type Tree struct {
	root  *Node
	close func() error
}

func newTree() *Tree {
	return &Tree{root: newDir(0o755), close: func() error { return nil }}
}

func newDir(mode fs.FileMode) *Node {
	return &Node{Kind: Dir, Mode: mode, children: map[string]*Node{}}
}

// Close frees what the contents are read from.
func (t *Tree) Close() error { return t.close() }

// put places a node at a slash-separated path relative to the root, making
// missing directories. A directory over a directory keeps its children; anything
// else replaces what was there.
func (t *Tree) put(name string, n *Node) {
	parts := elements(name)
	if len(parts) == 0 {
		t.root.Mode = n.Mode
		return
	}
	at := t.root
	for _, p := range parts[:len(parts)-1] {
		next := at.children[p]
		if next == nil || next.Kind != Dir {
			next = newDir(0o755)
			at.children[p] = next
		}
		at = next
	}
	last := parts[len(parts)-1]
	if old := at.children[last]; old != nil && old.Kind == Dir && n.Kind == Dir {
		old.Mode = n.Mode
		return
	}
	at.children[last] = n
}

// remove takes a path away.
func (t *Tree) remove(name string) {
	parts := elements(name)
	if len(parts) == 0 {
		return
	}
	if parent := t.walk(parts[:len(parts)-1]); parent != nil && parent.Kind == Dir {
		delete(parent.children, parts[len(parts)-1])
	}
}

// walk goes down without following links.
func (t *Tree) walk(parts []string) *Node {
	at := t.root
	for _, p := range parts {
		if at = at.children[p]; at == nil {
			return nil
		}
	}
	return at
}

func elements(name string) []string {
	name = path.Clean("/" + name)
	if name == "/" {
		return nil
	}
	return strings.Split(name[1:], "/")
}

// errLinks is the kernel's ELOOP.
var errLinks = errors.New("too many levels of symbolic links")

// maxLinks is how many links the kernel follows in one look-up.
const maxLinks = 40

// Lookup finds the node of an absolute path, following links, and returns it with
// its true path. The error matches fs.ErrNotExist where there is nothing.
func (t *Tree) Lookup(name string) (string, *Node, error) {
	return t.lookup(name, true)
}

// Lstat is Lookup that does not follow a link at the end of the path.
func (t *Tree) Lstat(name string) (string, *Node, error) {
	return t.lookup(name, false)
}

func (t *Tree) lookup(name string, follow bool) (string, *Node, error) {
	rest := elements(name)
	var done []string
	trail := []*Node{t.root}
	for links := 0; len(rest) > 0; {
		p := rest[0]
		rest = rest[1:]
		if p == ".." {
			if len(done) > 0 {
				done, trail = done[:len(done)-1], trail[:len(trail)-1]
			}
			continue
		}
		n := trail[len(trail)-1].children[p]
		if n == nil {
			return "", nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		if n.Kind == Link && (follow || len(rest) > 0) {
			if links++; links > maxLinks {
				return "", nil, fmt.Errorf("%s: %w", name, errLinks)
			}
			if strings.HasPrefix(n.Target, "/") {
				done, trail = nil, []*Node{t.root}
			}
			// A target's ".." must be walked, not cleaned: it may follow a link.
			var target []string
			for _, e := range strings.Split(n.Target, "/") {
				if e != "" && e != "." {
					target = append(target, e)
				}
			}
			rest = append(target, rest...)
			continue
		}
		if len(rest) > 0 && n.Kind != Dir {
			return "", nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		done, trail = append(done, p), append(trail, n)
	}
	return "/" + strings.Join(done, "/"), trail[len(trail)-1], nil
}

// Names lists a directory, sorted. A path that is no directory has none.
func (t *Tree) Names(name string) []string {
	_, n, err := t.Lookup(name)
	if err != nil || n.Kind != Dir {
		return nil
	}
	names := make([]string, 0, len(n.children))
	for c := range n.children {
		names = append(names, c)
	}
	sort.Strings(names)
	return names
}

// Read returns the content of a file of at most limit bytes, following links.
func (t *Tree) Read(name string, limit int64) ([]byte, error) {
	_, n, err := t.Lookup(name)
	if err != nil {
		return nil, err
	}
	switch {
	case n.Kind != File:
		return nil, fmt.Errorf("%s: it is a directory", name)
	case !n.Readable():
		return nil, fmt.Errorf("%s: %w", name, fs.ErrPermission)
	case n.Size > limit:
		return nil, fmt.Errorf("%s: it has %d bytes, and at most %d are read", name, n.Size, limit)
	}
	rc, err := n.open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	defer rc.Close()
	content, err := io.ReadAll(io.LimitReader(rc, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", name, limit)
	}
	return content, nil
}
