package optfs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"pgregory.net/rapid"
)

// spec is one entry of a random layer.
type spec struct {
	path string
	kind zipdir.Kind
	body string
	mode uint32
}

// drawLayer draws entries over a few names, so that layers collide often and
// in every way. Within the layer they fit together.
func drawLayer(t *rapid.T, clashes bool) []spec {
	part := rapid.SampledFrom([]string{"a", "b", "a-", "a0"})
	taken := map[string]zipdir.Kind{}
	var out []spec
	for range rapid.IntRange(0, 8).Draw(t, "entries") {
		s := spec{
			path: strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "path"), "/"),
			kind: rapid.SampledFrom([]zipdir.Kind{zipdir.File, zipdir.Dir, zipdir.Symlink}).Draw(t, "kind"),
			body: rapid.SampledFrom([]string{"b", "a", "bb"}).Draw(t, "body"),
			mode: rapid.SampledFrom([]uint32{0o644, 0o755, 0o700}).Draw(t, "mode"),
		}
		if !clashes {
			// The kind follows from the path, so that no two layers disagree.
			s.kind = zipdir.File
			if strings.Count(s.path, "/") < 2 {
				s.kind = zipdir.Dir
			}
		}
		if s.kind == zipdir.Dir {
			s.body = ""
		}
		_, again := taken[s.path]
		fits := !again
		for dir := dirOf(s.path); dir != "" && fits; dir = dirOf(dir) {
			if k, ok := taken[dir]; ok && k != zipdir.Dir {
				fits = false
			}
		}
		for other := range taken {
			if s.kind != zipdir.Dir && strings.HasPrefix(other, s.path+"/") {
				fits = false
			}
		}
		if fits {
			taken[s.path] = s.kind
			out = append(out, s)
		}
	}
	return out
}

func dirOf(path string) string { return path[:max(strings.LastIndexByte(path, '/'), 0)] }

func toLayer(t *testing.T, number int, specs []spec) optfs.Layer {
	var entries []ziptest.Entry
	for _, s := range specs {
		switch s.kind {
		case zipdir.Dir:
			entries = append(entries, ziptest.Dir(s.path).Perm(s.mode))
		case zipdir.Symlink:
			entries = append(entries, ziptest.Link(s.path, s.body).Perm(s.mode))
		default:
			entries = append(entries, ziptest.File(s.path, s.body).Perm(s.mode))
		}
	}
	return layer(t, fmt.Sprint(number), entries...)
}

// model merges the obvious way: for every path, from the specification's
// sentences, with a search over everything each time.
type model struct {
	at map[string]*modelEntry
}

type modelEntry struct {
	spec
	layer   int
	listed  bool
	shadows []modelShadow
}

type modelShadow struct {
	spec
	layer int
}

func (m *model) hide(over *modelEntry, e *modelEntry) {
	if e.listed {
		over.shadows = append(over.shadows, modelShadow{e.spec, e.layer})
	}
	over.shadows = append(over.shadows, e.shadows...)
}

func (m *model) put(layer int, s spec, listed bool) {
	if dir := dirOf(s.path); dir != "" {
		m.put(layer, spec{path: dir, kind: zipdir.Dir, mode: 0o755}, false)
	}
	old := m.at[s.path]
	fresh := &modelEntry{spec: s, layer: layer, listed: listed}
	switch {
	case old == nil:
	case old.kind == zipdir.Dir && s.kind == zipdir.Dir:
		if !listed {
			return
		}
		fresh.shadows = old.shadows
	default:
		m.hide(fresh, old)
		for path, e := range m.at {
			if strings.HasPrefix(path, s.path+"/") {
				m.hide(fresh, e)
				delete(m.at, path)
			}
		}
	}
	m.at[s.path] = fresh
}

func (m *model) String() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(m.at)) {
		e := m.at[path]
		fmt.Fprintf(&b, "%s %s %04o %d", path, e.kind, e.mode, e.layer)
		slices.SortFunc(e.shadows, func(a, b modelShadow) int {
			if a.layer != b.layer {
				return b.layer - a.layer
			}
			return strings.Compare(a.path, b.path)
		})
		for _, s := range e.shadows {
			if e.kind == zipdir.Dir && s.kind == zipdir.Dir {
				continue
			}
			mark := "!"
			if s.path == path && s.kind == e.kind && s.body == e.body {
				mark = "="
			}
			fmt.Fprintf(&b, " %s%d", mark, s.layer)
			if s.path != path {
				fmt.Fprintf(&b, ":%s", s.path)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestMergeEqualsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{at: map[string]*modelEntry{}}
		var layers []optfs.Layer
		for i := range rapid.IntRange(0, 4).Draw(rt, "layers") {
			specs := drawLayer(rt, true)
			for _, s := range specs {
				m.put(i+1, s, true)
			}
			layers = append(layers, toLayer(t, i+1, specs))
		}
		tree := optfs.Merge(layers...)
		if diff := cmp.Diff(m.String(), show(tree)); diff != "" {
			rt.Fatalf("merge differs from the model (-model +merge):\n%s", diff)
		}
		checkTree(rt, tree)
	})
}

// checkTree holds for every tree there is.
func checkTree(t *rapid.T, tree *optfs.Tree) {
	checkCounts(t, tree)
	conflicts, walked := 0, 0
	for i := range tree.Entries {
		e := &tree.Entries[i]
		if i > 0 && tree.Entries[i-1].Path >= e.Path {
			t.Fatalf("%q before %q", tree.Entries[i-1].Path, e.Path)
		}
		if dir := dirOf(e.Path); dir != "" {
			if p, ok := tree.Lookup(dir); !ok || p.Kind != zipdir.Dir {
				t.Fatalf("%q has no parent directory", e.Path)
			}
		}
		for _, s := range e.Shadows {
			if s.Layer >= e.Winner {
				t.Fatalf("%q: layer %d shadows layer %d", e.Path, e.Winner, s.Layer)
			}
		}
		if e.Conflict() {
			conflicts++
		}
	}
	if conflicts != tree.Conflicts {
		t.Fatalf("%d conflicts counted, %d are there", tree.Conflicts, conflicts)
	}
	var walk func(dir string)
	walk = func(dir string) {
		for _, e := range tree.Children(dir) {
			if dirOf(e.Path) != dir {
				t.Fatalf("%q is no child of %q", e.Path, dir)
			}
			walked++
			if e.Kind == zipdir.Dir {
				walk(e.Path)
			}
		}
	}
	walk("")
	if walked != len(tree.Entries) {
		t.Fatalf("walking meets %d of %d entries", walked, len(tree.Entries))
	}
}

// What is seen of a+b+c is what is seen of (what is seen of a+b)+c, and of
// a+(what is seen of b+c), as long as no path changes its kind.
func TestMergeIsAssociativeInWhatIsSeen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var specs [3][]spec
		for i := range specs {
			specs[i] = drawLayer(rt, false)
		}
		merge := func(parts ...[]spec) []spec {
			var layers []optfs.Layer
			for i, p := range parts {
				layers = append(layers, toLayer(t, i+1, p))
			}
			tree := optfs.Merge(layers...)
			var out []spec
			for i := range tree.Entries {
				e := &tree.Entries[i]
				body := ""
				if e.Zip == nil {
					continue // implied by what is below it
				}
				if e.Kind != zipdir.Dir {
					r, err := tree.Open(e)
					if err != nil {
						rt.Fatal(err)
					}
					b := make([]byte, e.Size)
					if _, err := r.Read(b); err != nil {
						rt.Fatal(err)
					}
					r.Close()
					body = string(b)
				}
				out = append(out, spec{e.Path, e.Kind, body, uint32(e.Mode)})
			}
			return out
		}
		all := merge(specs[0], specs[1], specs[2])
		left := merge(merge(specs[0], specs[1]), specs[2])
		right := merge(specs[0], merge(specs[1], specs[2]))
		if !slices.Equal(all, left) || !slices.Equal(all, right) {
			rt.Fatalf("a+b+c %v\n(a+b)+c %v\na+(b+c) %v", all, left, right)
		}
		// A layer over itself changes nothing and conflicts with nothing.
		twice := optfs.Merge(toLayer(t, 1, all), toLayer(t, 2, all))
		if twice.Conflicts != 0 || twice.Size != twice.ShadowedBytes || len(twice.Clashes) != 0 {
			rt.Fatalf("a+a: %s", show(twice))
		}
	})
}
