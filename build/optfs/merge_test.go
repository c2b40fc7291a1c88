package optfs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// layer reads an archive of the entries as the layer called source.
func layer(t testing.TB, source string, entries ...ziptest.Entry) optfs.Layer {
	t.Helper()
	return optfs.Layer{Source: source, Dir: read(t, source, ziptest.Bytes(entries...))}
}

func read(t testing.TB, name string, b []byte) *zipdir.Directory {
	t.Helper()
	d, err := zipdir.Read(name, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ReadLinks(); err != nil {
		t.Fatal(err)
	}
	return d
}

// show writes a tree as lines that tests can compare: path, kind, mode, winner
// and shadows (layer, "=" or "!", and the path where it is another).
func show(t *optfs.Tree) string {
	var b strings.Builder
	for i := range t.Entries {
		e := &t.Entries[i]
		fmt.Fprintf(&b, "%s %s %04o %d", e.Path, e.Kind, uint32(e.Mode), e.Winner)
		for _, s := range e.Shadows {
			mark := "!"
			if s.Identical {
				mark = "="
			}
			fmt.Fprintf(&b, " %s%d", mark, s.Layer)
			if s.Path != e.Path {
				fmt.Fprintf(&b, ":%s", s.Path)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestMerge(t *testing.T) {
	file, dir, link := ziptest.File, ziptest.Dir, ziptest.Link
	type zips [][]ziptest.Entry
	tests := []struct {
		name      string
		layers    zips
		want      string
		size      int64
		shadowed  int64
		conflicts int
		clashes   []optfs.Clash
	}{
		{name: "nothing"},
		{
			name:   "one layer, parents added, sorted bytewise",
			layers: zips{{file("b/c/d", "1"), file("b-c", "22"), dir("a").Perm(0o700)}},
			want:   "a dir 0700 1\nb dir 0755 1\nb-c file 0644 1\nb/c dir 0755 1\nb/c/d file 0644 1\n",
			size:   3,
		},
		{
			name:      "the last layer wins",
			layers:    zips{{file("x", "one")}, {file("x", "three")}, {file("x", "fifth!")}},
			want:      "x file 0644 3 !2 !1\n",
			size:      6,
			shadowed:  8,
			conflicts: 1,
		},
		{
			name:     "identical copies count as shadowed bytes, not as conflicts; modes aside",
			layers:   zips{{file("x", "same")}, {file("x", "same").Perm(0o755).Deflated()}},
			want:     "x file 0755 2 =1\n",
			size:     4,
			shadowed: 4,
		},
		{
			name:      "equal size, other bytes",
			layers:    zips{{file("x", "aaaa")}, {file("x", "bbbb")}},
			want:      "x file 0644 2 !1\n",
			size:      4,
			shadowed:  4,
			conflicts: 1,
		},
		{
			name:      "links compare by target, and never equal a file of the same bytes",
			layers:    zips{{link("l", "a"), link("m", "a"), file("n", "a")}, {link("l", "a"), link("m", "b"), link("n", "a")}},
			want:      "l symlink 0777 2 =1\nm symlink 0777 2 !1\nn symlink 0777 2 !1\n",
			size:      3,
			shadowed:  3,
			conflicts: 2,
		},
		{
			name:   "directories are never shadowed; the last that lists one gives its mode",
			layers: zips{{dir("d").Perm(0o700), file("d/a", "1")}, {dir("d").Perm(0o711), file("d/b", "2")}, {file("d/c", "3")}},
			want:   "d dir 0711 2\nd/a file 0644 1\nd/b file 0644 2\nd/c file 0644 3\n",
			size:   3,
		},
		{
			name:   "an implied directory belongs to the first that implies it",
			layers: zips{{file("z", "")}, {file("d/a", "1")}, {file("d/b", "2")}},
			want:   "d dir 0755 2\nd/a file 0644 2\nd/b file 0644 3\nz file 0644 1\n",
			size:   2,
		},
		{
			name:      "a file over a directory hides all in it",
			layers:    zips{{dir("d"), file("d/a", "1"), file("d/s/b", "22")}, {file("d/a", "9")}, {file("d", "file")}},
			want:      "d file 0644 3 !2:d/a !1 !1:d/a !1:d/s/b\n",
			size:      4,
			shadowed:  4,
			conflicts: 1,
			clashes:   []optfs.Clash{{Path: "d", Layers: [2]int{1, 3}, Kinds: [2]zipdir.Kind{zipdir.Dir, zipdir.File}}},
		},
		{
			name:      "a directory over a file, implied",
			layers:    zips{{file("d", "file")}, {file("d/a", "1")}},
			want:      "d dir 0755 2 !1\nd/a file 0644 2\n",
			size:      1,
			shadowed:  4,
			conflicts: 1,
			clashes:   []optfs.Clash{{Path: "d", Layers: [2]int{1, 2}, Kinds: [2]zipdir.Kind{zipdir.File, zipdir.Dir}}},
		},
		{
			name:      "a directory over a link, listed",
			layers:    zips{{link("d", "e")}, {dir("d").Perm(0o750), file("d/a", "1")}},
			want:      "d dir 0750 2 !1\nd/a file 0644 2\n",
			size:      1,
			shadowed:  1,
			conflicts: 1,
			clashes:   []optfs.Clash{{Path: "d", Layers: [2]int{1, 2}, Kinds: [2]zipdir.Kind{zipdir.Symlink, zipdir.Dir}}},
		},
		{
			name:      "directory, file, directory again",
			layers:    zips{{dir("d"), file("d/a", "1")}, {file("d", "file")}, {file("d/a", "1")}},
			want:      "d dir 0755 3 !2 !1:d/a\nd/a file 0644 3\n",
			size:      1,
			shadowed:  5,
			conflicts: 1,
			clashes: []optfs.Clash{
				{Path: "d", Layers: [2]int{1, 2}, Kinds: [2]zipdir.Kind{zipdir.Dir, zipdir.File}},
				{Path: "d", Layers: [2]int{2, 3}, Kinds: [2]zipdir.Kind{zipdir.File, zipdir.Dir}},
			},
		},
		{
			name:      "directory and file by turns, and another directory after that",
			layers:    zips{{file("d/a", "1")}, {file("d", "2")}, {file("d/a", "3")}, {file("d", "4")}, {file("e/f", "5")}},
			want:      "d file 0644 4 !3:d/a !2 !1:d/a\ne dir 0755 5\ne/f file 0644 5\n",
			size:      2,
			shadowed:  3,
			conflicts: 1,
			clashes: []optfs.Clash{
				{Path: "d", Layers: [2]int{1, 2}, Kinds: [2]zipdir.Kind{zipdir.Dir, zipdir.File}},
				{Path: "d", Layers: [2]int{2, 3}, Kinds: [2]zipdir.Kind{zipdir.File, zipdir.Dir}},
				{Path: "d", Layers: [2]int{3, 4}, Kinds: [2]zipdir.Kind{zipdir.Dir, zipdir.File}},
			},
		},
		{
			name:   "archives without modes",
			layers: zips{{dir("d").DOS(), file("d/x", "1").DOS(), file("zero", "").Perm(0)}},
			want:   "d dir 0755 1\nd/x file 0644 1\nzero file 0000 1\n",
			size:   1,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var layers []optfs.Layer
			for i, entries := range test.layers {
				layers = append(layers, layer(t, fmt.Sprint(i+1), entries...))
			}
			tree := optfs.Merge(layers...)
			if diff := cmp.Diff(test.want, show(tree)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			if tree.Size != test.size || tree.ShadowedBytes != test.shadowed || tree.Conflicts != test.conflicts {
				t.Errorf("size %d, shadowed %d, conflicts %d; want %d, %d, %d", tree.Size, tree.ShadowedBytes, tree.Conflicts, test.size, test.shadowed, test.conflicts)
			}
			if !slices.Equal(tree.Clashes, test.clashes) {
				t.Errorf("clashes %v, want %v", tree.Clashes, test.clashes)
			}
			checkCounts(t, tree)
		})
	}
}

// checkCounts proves that every byte of the layers is accounted for once.
// Shadows of directories by files are the only ones that may vanish, and they
// hold no bytes.
func checkCounts(t interface {
	Helper()
	Errorf(string, ...any)
}, tree *optfs.Tree) {
	t.Helper()
	var all int64
	for _, l := range tree.Layers {
		if l.Dir != nil {
			all += l.Dir.Unzipped
		}
	}
	if tree.Size+tree.ShadowedBytes != all {
		t.Errorf("%d bytes seen and %d shadowed, %d in the layers", tree.Size, tree.ShadowedBytes, all)
	}
	for _, s := range tree.Stats() {
		if s.Known && s.Won+s.Shadowed != s.Unzipped {
			t.Errorf("layer %d: %d won, %d shadowed, %d in all", s.Layer, s.Won, s.Shadowed, s.Unzipped)
		}
		if s.Wasted > s.Shadowed {
			t.Errorf("layer %d: %d wasted of %d shadowed", s.Layer, s.Wasted, s.Shadowed)
		}
	}
}

func TestMergeKeepsTheNumberOfAnUnreadableLayer(t *testing.T) {
	tree := optfs.Merge(layer(t, "one", ziptest.File("x", "1")), optfs.Layer{Source: "gone"}, layer(t, "three", ziptest.File("x", "3")))
	if got := show(tree); got != "x file 0644 3 !1\n" {
		t.Errorf("got %q", got)
	}
	stats := tree.Stats()
	if stats[1].Known || !stats[0].Known || stats[0].Shadowed != 1 || stats[2].WonFiles != 1 {
		t.Errorf("stats %+v", stats)
	}
	if r := tree.Report("/opt"); r.Layers[1].Unzipped != nil || *r.Layers[0].Unzipped != 1 {
		t.Errorf("an unknown size must be null: %+v", r.Layers)
	}
}

func TestReport(t *testing.T) {
	tree := optfs.Merge(
		layer(t, "a.zip", ziptest.Dir("bin"), ziptest.File("bin/x", "1").Perm(0o755), ziptest.File("d/y", "22")),
		layer(t, "b.zip", ziptest.File("bin/x", "1"), ziptest.Link("l", "bin/x"), ziptest.File("d", "!")),
	)
	got, err := json.MarshalIndent(tree.Report("/opt"), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "schema": 1,
 "layers": [
  {"index": 1, "source": "a.zip", "unzipped": 3},
  {"index": 2, "source": "b.zip", "unzipped": 7}
 ],
 "entries": [
  {"path": "/opt/bin", "type": "dir", "mode": "0755", "size": 0, "target": "", "winner": 1, "shadows": []},
  {"path": "/opt/bin/x", "type": "file", "mode": "0644", "size": 1, "target": "", "winner": 2, "shadows": [{"layer": 1, "size": 1, "identical": true}]},
  {"path": "/opt/d", "type": "file", "mode": "0644", "size": 1, "target": "", "winner": 2, "shadows": [{"layer": 1, "size": 2, "identical": false, "path": "/opt/d/y"}]},
  {"path": "/opt/l", "type": "symlink", "mode": "0777", "size": 5, "target": "bin/x", "winner": 2, "shadows": []}
 ],
 "size": 7,
 "shadowedBytes": 3,
 "conflicts": 1,
 "clashes": [{"path": "/opt/d", "layers": [1, 2], "types": ["dir", "file"]}]
}`
	var a, b any
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	for _, e := range tree.Report("").Entries {
		if want := e.Path == "d"; e.Conflict() != want {
			t.Errorf("%q: conflict %v", e.Path, !want)
		}
	}
	empty, err := json.Marshal(optfs.Merge().Report("/opt"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(empty, []byte("null")) {
		t.Errorf("a list is null: %s", empty)
	}
}
