package tree

import (
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/build/optfs"
)

// Only narrows the paths that are seen. The zero value shows all.
type Only struct {
	Shadowed bool     // what shadows something
	Layer    string   // what the layer of this letter has, used or shadowed
	Paths    []string // these and what lies below them
}

func (o Only) all() bool { return !o.Shadowed && o.Layer == "" && o.Paths == nil }

// Only is what the tree is narrowed to.
func (t *Tree) Only() Only { return t.only }

// SetOnly shows only a part of the paths.
func (t *Tree) SetOnly(o Only) {
	t.only = o
	t.narrow()
}

// has reports whether a node is among what is asked for.
func (o Only) has(n *Node, letter func(int) string) bool {
	if o.Shadowed && len(n.Entry.Shadows) == 0 {
		return false
	}
	if o.Layer != "" && letter(n.Entry.Winner) != o.Layer &&
		!slices.ContainsFunc(n.Entry.Shadows, func(s optfs.Shadow) bool { return letter(s.Layer) == o.Layer }) {
		return false
	}
	return o.Paths == nil || slices.ContainsFunc(o.Paths, func(p string) bool {
		rest, ok := strings.CutPrefix(n.Entry.Path, p)
		return ok && (rest == "" || rest[0] == '/')
	})
}

// SetFilter shows only the paths that match.
func (t *Tree) SetFilter(text string) error {
	f, err := filter.Parse(text, columns)
	if err != nil {
		return err
	}
	from := t.filter
	t.filter = f
	if t.mask != nil && narrower(from.String(), text) {
		t.among(t.hits)
		return nil
	}
	t.narrow()
	return nil
}

// narrower reports whether all that passes filter now has passed filter was:
// where letters were added to plain words.
func narrower(was, now string) bool {
	return was != "" && strings.HasPrefix(now, was) && !strings.ContainsAny(now, "!/~\"<>=:\\")
}

// Filter is the filter in force.
func (t *Tree) Filter() string { return t.filter.String() }

// Matches is the number of paths that pass the filter, all of them without one.
func (t *Tree) Matches() int {
	if t.mask == nil {
		return len(t.nodes)
	}
	return len(t.hits)
}

// narrow finds out which paths are seen at all: matches and what they lie in.
func (t *Tree) narrow() {
	if t.filter.Empty() && t.only.all() {
		clear(t.shut)
		t.mask, t.hits = nil, nil
		t.flatten()
		return
	}
	all := make([]int32, 0, len(t.nodes))
	for i := len(t.nodes) - 1; i >= 0; i-- {
		// A directory counts only when it holds nothing.
		if n := &t.nodes[i]; (!n.Dir() || n.kids == 0) && t.only.has(n, t.letter) {
			all = append(all, int32(i))
		}
	}
	t.among(all)
}

// among shows what passes the filter among some paths, which it keeps a part of.
func (t *Tree) among(paths []int32) {
	clear(t.shut)
	if t.mask == nil {
		t.mask = make([]bool, len(t.nodes))
	} else {
		clear(t.mask)
	}
	t.hits = paths[:0]
	for _, i := range paths {
		if !t.filter.Match(&t.nodes[i]) {
			continue
		}
		t.hits = append(t.hits, i)
		// Up to the first directory that is seen already.
		for at := i; int(at) < len(t.nodes) && !t.mask[at]; at = t.nodes[at].parent {
			t.mask[at] = true
		}
	}
	t.flatten()
}
