package tree

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/list"
)

// Node is a path.
type Node struct {
	Entry  *optfs.Entry
	Name   string // last element of the path
	Depth  int
	Size   int64 // of a directory: all that lies below it
	Files  int   // below it, itself included
	Differ int   // paths here and below that shadow something different
	Same   int   // paths here and below that shadow only identical copies

	lower       string // path in lower case, for the filter
	parent      int32
	first, kids int32 // its children in Tree.byName and Tree.bySize
	letters     string
}

// Dir reports whether the node is a directory.
func (n *Node) Dir() bool { return n.Entry.Kind == zipdir.Dir }

// Tree is a window on the paths that are seen. It belongs to one screen.
type Tree struct {
	list.List
	nodes          []Node
	roots          int32 // how many nodes lie at the top
	byName, bySize []int32
	open           []bool
	shut           map[int32]bool // directories folded while only matches are shown
	mask           []bool         // nil shows all
	visible        []int32

	sizeFirst bool
	flat      bool
	only      Only
	letter    func(int) string
	biggest   []int32 // all files and links, the largest first; made when first asked for
	filter    filter.Filter
	hits      []int32 // the paths that pass, children before their parents
}

// columns are what paths can be filtered by; true marks numbers.
var columns = filter.Columns{"path": false, "name": false, "size": true, "layer": false, "shadows": false}

// Build makes the index of a merged tree, sorted by size. letter names a layer.
func Build(ctx context.Context, merged *optfs.Tree, letter func(int) string) (*Tree, error) {
	entries := merged.Entries
	t := &Tree{nodes: make([]Node, len(entries)), sizeFirst: true, shut: map[int32]bool{}, letter: letter}
	at := make(map[string]int32, len(entries))
	counts := make([]int32, len(entries)+1) // children; the last one counts the top
	top := int32(len(entries))
	for i := range entries {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := &entries[i]
		n := &t.nodes[i]
		n.Entry, n.parent = e, top
		n.Name = e.Path
		if slash := strings.LastIndexByte(e.Path, '/'); slash >= 0 {
			n.Name = e.Path[slash+1:]
			if p, ok := at[e.Path[:slash]]; ok {
				n.parent = p
				n.Depth = t.nodes[p].Depth + 1
			}
		}
		if e.Kind == zipdir.Dir {
			at[e.Path] = int32(i)
		} else {
			n.Size, n.Files = e.Size, 1
		}
		n.lower = strings.ToLower(e.Path)
		n.letters = strings.ToLower(letter(e.Winner))
		if len(e.Shadows) > 0 {
			if e.Conflict() {
				n.Differ = 1
			} else {
				n.Same = 1
			}
		}
		counts[n.parent]++
	}
	// A parent comes before its children, so that going backwards sums up.
	for i := len(t.nodes) - 1; i >= 0; i-- {
		n := &t.nodes[i]
		if n.parent != top {
			p := &t.nodes[n.parent]
			p.Size += n.Size
			p.Files += n.Files
			p.Differ += n.Differ
			p.Same += n.Same
		}
	}
	// The children of a node lie side by side.
	next := make([]int32, len(counts))
	var sum int32
	next[top], t.roots = 0, counts[top]
	sum = t.roots
	for i := range t.nodes {
		t.nodes[i].first, t.nodes[i].kids = sum, counts[i]
		next[i] = sum
		sum += counts[i]
	}
	t.byName = make([]int32, len(entries))
	for i := range t.nodes {
		p := t.nodes[i].parent
		t.byName[next[p]] = int32(i)
		next[p]++
	}
	t.bySize = slices.Clone(t.byName)
	t.sortKids(0, t.roots)
	for i := range t.nodes {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.sortKids(t.nodes[i].first, t.nodes[i].kids)
	}
	t.open = make([]bool, len(entries))
	t.flatten()
	return t, nil
}

// sortKids puts directories first by name and, by size, the heaviest first.
func (t *Tree) sortKids(first, n int32) {
	slices.SortFunc(t.byName[first:first+n], func(a, b int32) int {
		if x, y := t.nodes[a].Dir(), t.nodes[b].Dir(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(t.nodes[a].Name, t.nodes[b].Name)
	})
	slices.SortFunc(t.bySize[first:first+n], func(a, b int32) int {
		if c := cmp.Compare(t.nodes[b].Size, t.nodes[a].Size); c != 0 {
			return c
		}
		return strings.Compare(t.nodes[a].Name, t.nodes[b].Name)
	})
}

// Follow takes over what is unfolded, narrowed and selected in another tree, as
// far as its paths are here.
func (t *Tree) Follow(o *Tree) {
	t.sizeFirst, t.flat, t.only, t.filter = o.sizeFirst, o.flat, o.only, o.filter
	open := map[string]bool{}
	for i, on := range o.open {
		if on {
			open[o.nodes[i].Entry.Path] = true
		}
	}
	for i := range t.nodes {
		t.open[i] = t.nodes[i].Dir() && open[t.nodes[i].Entry.Path]
	}
	t.List = o.List
	t.narrow()
}

// Files is the number of paths in all.
func (t *Tree) Files() int { return len(t.nodes) }

// At is the i-th path that is seen.
func (t *Tree) At(i int) *Node { return &t.nodes[t.visible[i]] }

// Selected is the path under the cursor, nil in an empty tree.
func (t *Tree) Selected() *Node {
	if c := t.Cursor(); c >= 0 {
		return t.At(c)
	}
	return nil
}

// Open reports whether the i-th path that is seen is an unfolded directory.
func (t *Tree) Open(i int) bool { return t.isOpen(t.visible[i]) }

func (t *Tree) isOpen(n int32) bool {
	if t.mask != nil {
		return !t.shut[n]
	}
	return t.open[n]
}

// Fold unfolds or folds the selected directory; on anything else, folding goes
// to its directory. It reports whether it did something.
func (t *Tree) Fold(open bool) bool {
	c := t.Cursor()
	if c < 0 {
		return false
	}
	i := t.visible[c]
	n := &t.nodes[i]
	if !open && (!n.Dir() || !t.isOpen(i)) {
		if int(n.parent) >= len(t.nodes) {
			return false
		}
		if at := slices.Index(t.visible, n.parent); at >= 0 {
			t.Select(at, t.nodes[n.parent].Entry.Path)
			return true
		}
		return false
	}
	if !n.Dir() || t.isOpen(i) == open {
		return false
	}
	t.set(i, open)
	t.flatten()
	return true
}

func (t *Tree) set(i int32, open bool) {
	if t.mask != nil {
		if open {
			delete(t.shut, i)
		} else {
			t.shut[i] = true
		}
		return
	}
	t.open[i] = open
}

// FoldAll unfolds or folds every directory.
func (t *Tree) FoldAll(open bool) {
	for i := range t.nodes {
		if t.nodes[i].Dir() {
			t.set(int32(i), open)
		}
	}
	t.flatten()
}

// SizeFirst reports whether the heaviest come first.
func (t *Tree) SizeFirst() bool { return t.sizeFirst }

// SetSizeFirst orders by size, or else by name.
func (t *Tree) SetSizeFirst(on bool) {
	t.sizeFirst = on
	t.flatten()
}

// Flat reports whether files are listed without their directories.
func (t *Tree) Flat() bool { return t.flat }

// SetFlat lists files by size without their directories, or shows the tree.
func (t *Tree) SetFlat(on bool) {
	t.flat = on
	t.flatten()
}

// flatten lists the paths that are seen.
func (t *Tree) flatten() {
	t.visible = t.visible[:0]
	if t.flat {
		t.files()
	} else {
		t.walk(0, t.roots)
	}
	t.Sync(len(t.visible), func(i int) string { return t.nodes[t.visible[i]].Entry.Path })
	t.Note()
}

// files lists what is no directory, the largest first.
func (t *Tree) files() {
	if t.biggest == nil {
		t.biggest = make([]int32, 0, len(t.nodes))
		for i := range t.nodes {
			if !t.nodes[i].Dir() {
				t.biggest = append(t.biggest, int32(i))
			}
		}
		// Nodes are sorted by path, and stay so where sizes are the same.
		slices.SortStableFunc(t.biggest, func(a, b int32) int { return cmp.Compare(t.nodes[b].Size, t.nodes[a].Size) })
	}
	for _, i := range t.biggest {
		if t.mask == nil || t.mask[i] {
			t.visible = append(t.visible, i)
		}
	}
}

func (t *Tree) walk(first, n int32) {
	order := t.byName
	if t.sizeFirst {
		order = t.bySize
	}
	for _, i := range order[first : first+n] {
		if t.mask != nil && !t.mask[i] {
			continue
		}
		t.visible = append(t.visible, i)
		if x := &t.nodes[i]; x.kids > 0 && t.isOpen(i) {
			t.walk(x.first, x.kids)
		}
	}
}

// Note remembers the selected path; called after each move.
func (t *Tree) Note() {
	if n := t.Selected(); n != nil {
		t.Remember(n.Entry.Path)
	}
}

// FilterText implements filter.Row.
func (n *Node) FilterText() string { return n.lower }

// FilterName implements filter.Row.
func (n *Node) FilterName() string { return n.lower }

// FilterField implements filter.Row.
func (n *Node) FilterField(column string) []string {
	switch column {
	case "path":
		return []string{n.lower}
	case "name":
		return []string{strings.ToLower(n.Name)}
	case "layer":
		return []string{n.letters}
	case "shadows":
		switch {
		case n.Differ > 0:
			return []string{"different"}
		case n.Same > 0:
			return []string{"identical"}
		}
	}
	return nil
}

// FilterNumber implements filter.Row.
func (n *Node) FilterNumber(string) (float64, filter.Presence) { return float64(n.Size), filter.Known }
