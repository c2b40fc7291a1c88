package tree

import (
	"slices"
	"strings"
)

// Reveal selects a path, with all that it lies in unfolded and nothing narrowed. It
// reports whether the path is there.
func (t *Tree) Reveal(path string) bool {
	// Nodes are sorted by path, as the entries they stand for.
	i, ok := slices.BinarySearchFunc(t.nodes, path, func(n Node, p string) int { return strings.Compare(n.Entry.Path, p) })
	if !ok {
		return false
	}
	if t.flat {
		t.SetFlat(false)
	}
	if err := t.SetFilter(""); err != nil { // an empty one is never wrong
		return false
	}
	t.SetOnly(Only{})
	for at := t.nodes[i].parent; int(at) < len(t.nodes); at = t.nodes[at].parent {
		t.open[at] = true
	}
	t.flatten()
	t.Select(slices.Index(t.visible, int32(i)), path)
	return true
}
