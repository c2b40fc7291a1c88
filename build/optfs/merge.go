package optfs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// Merge merges layers in order. Symlink targets are compared where ReadLinks
// has been called on the directories, else their size and CRC-32.
//
// A file or link over an earlier directory takes its place, and all that was
// in it becomes a shadow; a directory over an earlier file or link likewise.
// Both are recorded as a Clash.
func Merge(layers ...Layer) *Tree {
	m := &merger{tree: &Tree{Layers: slices.Clone(layers), Clashes: []Clash{}}}
	most := 0
	for _, l := range layers {
		if l.Dir != nil {
			most = max(most, len(l.Dir.Entries))
		}
	}
	m.index = make(map[string]int32, most+most/8+1)
	m.nodes = make([]node, 0, most+most/8+1)
	m.nodes = append(m.nodes, node{Entry: Entry{Kind: zipdir.Dir}, first: none, next: none})
	m.index[""] = 0
	for i, l := range layers {
		if l.Dir != nil {
			m.add(i+1, l.Dir)
		}
	}
	return m.finish()
}

// none ends a list of nodes.
const none int32 = -1

// node is an entry while merging, with its children as a linked list, so that
// a file over a directory costs no more than that directory holds.
type node struct {
	Entry
	first, next int32
	dead        bool
}

type merger struct {
	tree  *Tree
	nodes []node
	index map[string]int32
}

func (m *merger) add(layer int, d *zipdir.Directory) {
	// Neighbours in an archive mostly share their directory.
	lastDir, lastAt := "", int32(0)
	for i := range d.Entries {
		z := &d.Entries[i]
		if dir := parent(z.Name); dir != lastDir {
			lastDir, lastAt = dir, m.directory(dir, layer)
		}
		at, ok := m.index[z.Name]
		if !ok {
			at = m.insert(z.Name, lastAt)
		} else if old := &m.nodes[at]; z.Kind == zipdir.Dir {
			if old.Kind != zipdir.Dir {
				m.clash(at, layer, zipdir.Dir)
				m.shade(at, at)
			}
		} else {
			if old.Kind == zipdir.Dir {
				m.clash(at, layer, z.Kind)
				m.shadeChildren(at)
			}
			m.shade(at, at)
		}
		m.nodes[at].take(z, layer)
	}
}

// take makes z the winner.
func (n *node) take(z *zipdir.Entry, layer int) {
	n.Kind, n.Size, n.Target, n.Winner, n.Zip = z.Kind, z.Size, z.Target, layer, z
	switch {
	case z.HasMode:
		n.Mode = z.Mode
	case z.Kind == zipdir.Dir:
		n.Mode = 0o755
	default:
		n.Mode = 0o644
	}
}

// directory returns the node of a directory that a layer implies.
func (m *merger) directory(path string, layer int) int32 {
	at, ok := m.index[path]
	if ok && m.nodes[at].Kind == zipdir.Dir {
		return at
	}
	if ok {
		m.clash(at, layer, zipdir.Dir)
		m.shade(at, at)
	} else {
		at = m.insert(path, m.directory(parent(path), layer))
	}
	n := &m.nodes[at]
	n.Kind, n.Mode, n.Size, n.Target, n.Winner, n.Zip = zipdir.Dir, 0o755, 0, "", layer, nil
	return at
}

func (m *merger) insert(path string, dir int32) int32 {
	at := int32(len(m.nodes))
	m.nodes = append(m.nodes, node{Entry: Entry{Path: path}, first: none, next: m.nodes[dir].first})
	m.nodes[dir].first = at
	m.index[path] = at
	return at
}

// shade turns the winner of node from, if an archive lists it, into a shadow of node to.
func (m *merger) shade(to, from int32) {
	n := &m.nodes[from]
	if n.Zip != nil {
		m.nodes[to].Shadows = append(m.nodes[to].Shadows, Shadow{Layer: n.Winner, Path: n.Path, Zip: n.Zip})
	}
}

// shadeChildren moves everything below a node into its shadows.
func (m *merger) shadeChildren(at int32) {
	stack := []int32{}
	for c := m.nodes[at].first; c != none; c = m.nodes[c].next {
		stack = append(stack, c)
	}
	m.nodes[at].first = none
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		m.shade(at, c)
		m.nodes[at].Shadows = append(m.nodes[at].Shadows, m.nodes[c].Shadows...)
		for g := m.nodes[c].first; g != none; g = m.nodes[g].next {
			stack = append(stack, g)
		}
		delete(m.index, m.nodes[c].Path)
		m.nodes[c] = node{dead: true, first: none, next: m.nodes[c].next}
	}
}

func (m *merger) clash(at int32, layer int, kind zipdir.Kind) {
	n := &m.nodes[at]
	m.tree.Clashes = append(m.tree.Clashes, Clash{
		Path: n.Path, Layers: [2]int{n.Winner, layer}, Kinds: [2]zipdir.Kind{n.Kind, kind},
	})
}

// finish sorts what is left and counts.
func (m *merger) finish() *Tree {
	t := m.tree
	order := make([]int32, 0, len(m.nodes))
	for i := range m.nodes[1:] {
		if !m.nodes[i+1].dead {
			order = append(order, int32(i+1))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(m.nodes[a].Path, m.nodes[b].Path) })
	t.Entries = make([]Entry, len(order))
	for i, at := range order {
		t.Entries[i] = m.nodes[at].Entry
		t.Entries[i].settle()
	}
	slices.SortStableFunc(t.Clashes, func(a, b Clash) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Layers[1], b.Layers[1]))
	})
	t.count()
	return t
}

// settle orders an entry's shadows and compares them with the winner.
func (e *Entry) settle() {
	if len(e.Shadows) == 0 {
		return
	}
	if e.Kind == zipdir.Dir {
		// It was a directory, then something else, and is one again.
		e.Shadows = slices.DeleteFunc(e.Shadows, func(s Shadow) bool { return s.Zip.Kind == zipdir.Dir })
	}
	slices.SortFunc(e.Shadows, func(a, b Shadow) int {
		return cmp.Or(cmp.Compare(b.Layer, a.Layer), strings.Compare(a.Path, b.Path))
	})
	for i := range e.Shadows {
		s := &e.Shadows[i]
		s.Identical = s.Path == e.Path && s.Zip.Kind == e.Kind && e.Zip != nil && alike(s.Zip, e.Zip)
	}
}

// alike compares as far as the directories tell.
func alike(a, b *zipdir.Entry) bool {
	if a.Kind == zipdir.Symlink && a.Target != "" && b.Target != "" {
		return a.Target == b.Target
	}
	return a.Size == b.Size && a.CRC32 == b.CRC32
}

func (t *Tree) count() {
	t.Size, t.ShadowedBytes, t.Conflicts = 0, 0, 0
	for i := range t.Entries {
		e := &t.Entries[i]
		t.Size += e.Size
		for j := range e.Shadows {
			t.ShadowedBytes += e.Shadows[j].Zip.Size
		}
		if e.Conflict() {
			t.Conflicts++
		}
	}
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}
