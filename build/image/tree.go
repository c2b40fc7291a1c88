package image

import (
	"archive/tar"
	"path"
	"slices"
	"strings"
)

// A tree is the file system that an image's layers make, one applied over the
// other with whiteouts honoured
// (https://github.com/opencontainers/image-spec/blob/main/layer.md).
type tree struct{ root *node }

// node is one path of a tree.
type node struct {
	name     string           // full path, not rooted; "" is the root
	entry    *entry           // nil for a directory that no layer lists
	layer    int              // index of the layer that put it there
	children map[string]*node // of a directory
	broken   bool             // a hard link to nothing
}

// dir reports whether the node is a directory.
func (n *node) dir() bool { return n.entry == nil || n.entry.typ == tar.TypeDir }

const (
	whiteoutPrefix = ".wh."
	opaqueWhiteout = ".wh..wh..opq"
)

func newTree(layers []*layerScan) *tree {
	t := &tree{root: &node{}}
	for i, l := range layers {
		t.apply(i, l.entries)
	}
	return t
}

// apply puts one layer's entries over the tree. Its whiteouts hide what lower
// layers hold, wherever they stand in the tar, and never the layer's own files.
func (t *tree) apply(layer int, entries []entry) {
	for i := range entries {
		dir, base := path.Split(entries[i].name)
		hidden, ok := strings.CutPrefix(base, whiteoutPrefix)
		if !ok {
			continue
		}
		parent := t.find(strings.TrimSuffix(dir, "/"), true)
		switch {
		case parent == nil:
		case base == opaqueWhiteout:
			parent.children = nil
		default:
			delete(parent.children, hidden)
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.name == "." || e.name == ".." || strings.HasPrefix(e.name, "../") || strings.HasPrefix(path.Base(e.name), whiteoutPrefix) {
			continue
		}
		parent := t.makeDirs(path.Dir(e.name), layer)
		base := path.Base(e.name)
		n := &node{name: path.Join(parent.name, base), entry: e, layer: layer}
		if e.typ == tar.TypeLink {
			t.resolveHardLink(n)
		}
		if old := parent.children[base]; old != nil && old.dir() && n.dir() {
			n.children = old.children
		}
		if parent.children == nil {
			parent.children = make(map[string]*node)
		}
		parent.children[base] = n
	}
}

// resolveHardLink gives a hard link the content of the file that it names.
func (t *tree) resolveHardLink(n *node) {
	target := t.find(path.Clean(strings.TrimLeft(n.entry.target, "/")), false)
	if target == nil || target.dir() || target.broken {
		n.broken = true
		return
	}
	same := *target.entry
	n.entry = &same
}

// makeDirs returns the directory of a path, made where it is missing. A link to
// a directory is followed, as those who unpack images do.
func (t *tree) makeDirs(name string, layer int) *node {
	at := t.root
	if name == "." {
		return at
	}
	for _, part := range strings.Split(name, "/") {
		next := at.children[part]
		if next != nil && !next.dir() {
			next = t.find(next.name, true) // nil where the link leads nowhere
		}
		if next == nil || !next.dir() {
			next = &node{name: path.Join(at.name, part), layer: layer}
			if at.children == nil {
				at.children = make(map[string]*node)
			}
			at.children[part] = next
		}
		at = next
	}
	return at
}

// maxLinks is how many links Linux follows for one path (path_resolution(7)).
const maxLinks = 40

// find returns the node of a path, with links in its directories followed, and
// with follow the last one too. nil stands for not there.
func (t *tree) find(name string, follow bool) *node {
	at, links := t.root, 0
	parents := []*node{} // above at
	todo := strings.Split(name, "/")
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(parents) > 0 {
				at, parents = parents[len(parents)-1], parents[:len(parents)-1]
			}
			continue
		}
		next := at.children[part]
		if next == nil {
			return nil
		}
		if next.entry != nil && next.entry.typ == tar.TypeSymlink && (follow || len(todo) > 0) {
			if links++; links > maxLinks {
				return nil
			}
			if strings.HasPrefix(next.entry.target, "/") {
				at, parents = t.root, parents[:0]
			}
			todo = append(strings.Split(next.entry.target, "/"), todo...)
			continue
		}
		parents = append(parents, at)
		at = next
	}
	return at
}

// walk calls visit for everything below n, parents first, sorted.
func (n *node) walk(visit func(*node)) {
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := n.children[name]
		visit(child)
		child.walk(visit)
	}
}
