package tree

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/theme"
)

// merged merges archives given as path → content.
func merged(t testing.TB, layers ...map[string]string) *optfs.Tree {
	t.Helper()
	var in []optfs.Layer
	for i, files := range layers {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for name, content := range files {
			f, err := w.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("layer %d", i+1)
		dir, err := zipdir.Read(name, bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, optfs.Layer{Source: name, Dir: dir})
	}
	return optfs.Merge(in...)
}

func build(t testing.TB, layers ...map[string]string) *Tree {
	t.Helper()
	tree, err := Build(context.Background(), merged(t, layers...), theme.Letter)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// paths draws what is seen, indented.
func paths(t *Tree) string {
	var out []string
	for i := range t.Len() {
		n := t.At(i)
		name := n.Name
		if n.Dir() {
			name += "/"
		}
		out = append(out, strings.Repeat(" ", n.Depth)+name)
	}
	return strings.Join(out, "\n")
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.Trim(want, "\n"); got != want {
		t.Fatalf("seen:\n%s\nwant:\n%s", got, want)
	}
}

var two = []map[string]string{
	{"a/x": "old", "a/same": "same", "a-b": "123", "big/file": strings.Repeat("x", 1000), "a.txt": "1"},
	{"a/x": "newer", "a/same": "same", "a/deep/er/y": "y"},
}

func TestOrderAndFolding(t *testing.T) {
	tree := build(t, two...)
	same(t, paths(tree), `
big/
a/
a-b
a.txt`)
	tree.Do("down")
	tree.Note()
	if !tree.Fold(true) {
		t.Fatal("a directory did not unfold")
	}
	same(t, paths(tree), `
big/
a/
 x
 same
 deep/
a-b
a.txt`)
	tree.SetSizeFirst(false)
	same(t, paths(tree), `
a/
 deep/
 same
 x
big/
a-b
a.txt`)
	if got := tree.Selected().Entry.Path; got != "a" {
		t.Fatalf("the selection moved to %s", got)
	}
	tree.FoldAll(true)
	same(t, paths(tree), `
a/
 deep/
  er/
   y
 same
 x
big/
 file
a-b
a.txt`)
	tree.Do("down")
	tree.Do("down")
	tree.Do("down")
	tree.Note()
	tree.Fold(false) // from y to er/
	if got := tree.Selected().Entry.Path; got != "a/deep/er" {
		t.Fatalf("folding a file went to %s", got)
	}
	tree.FoldAll(false)
	same(t, paths(tree), `
a/
big/
a-b
a.txt`)
}

func TestSums(t *testing.T) {
	tree := build(t, two...)
	n := tree.At(1)
	if n.Entry.Path != "a" || n.Files != 3 || n.Size != 5+4+1 || n.Differ != 1 || n.Same != 1 {
		t.Fatalf("a: %d files, %d bytes, %d differ, %d are the same", n.Files, n.Size, n.Differ, n.Same)
	}
}

func TestNarrowing(t *testing.T) {
	tree := build(t, two...)
	tree.SetOnly(Only{Shadowed: true})
	same(t, paths(tree), `
a/
 x
 same`)
	for _, c := range []struct{ filter, want string }{
		{"er/y", "a/\n deep/\n  er/\n   y"},
		{"size>100", "big/\n file"},
		{"shadows:different", "a/\n x"},
		{"layer:b !x", "a/\n same\n deep/\n  er/\n   y"},
		{"zzz", ""},
	} {
		tree.SetOnly(Only{})
		if err := tree.SetFilter(c.filter); err != nil {
			t.Fatal(err)
		}
		same(t, paths(tree), c.want)
	}
	if err := tree.SetFilter(""); err != nil {
		t.Fatal(err)
	}
	if tree.Len() != 4 || tree.Matches() != tree.Files() {
		t.Fatalf("after the filter %d rows are seen", tree.Len())
	}
}

// Letter by letter or at once, forwards or back: the same paths are seen.
func TestTypingNarrowsAsTheWholeFilterDoes(t *testing.T) {
	typed := build(t, two...)
	for _, text := range []string{"a", "a/", "a/s", "a/sa", "a/", "a/ x", "a/ x !", "a/ x !deep", "x", "x ~y", "x ~", "x", "size", "size>", "size>2", "size>200", ""} {
		at, atOnce := typed, build(t, two...)
		if err, want := at.SetFilter(text), atOnce.SetFilter(text); (err == nil) != (want == nil) {
			t.Fatalf("%q: %v, at once %v", text, err, want)
		}
		if paths(at) != paths(atOnce) || at.Matches() != atOnce.Matches() {
			t.Errorf("%q: typed %d\n%s\nat once %d\n%s", text, at.Matches(), paths(at), atOnce.Matches(), paths(atOnce))
		}
	}
}

func TestBuildStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, merged(t, two...), theme.Letter); err == nil {
		t.Fatal("built for a cancelled context")
	}
}

// large is a tree of n files in directories of 50.
func large(b *testing.B, n int) *optfs.Tree {
	files := make(map[string]string, n)
	for i := range n {
		files[fmt.Sprintf("python/pkg%03d/mod%02d/file%05d.py", i/2500, i/50%50, i)] = "x"
	}
	return merged(b, files)
}

func BenchmarkBuild100k(b *testing.B) {
	m := large(b, 100000)
	b.ResetTimer()
	for b.Loop() {
		if _, err := Build(context.Background(), m, theme.Letter); err != nil {
			b.Fatal(err)
		}
	}
}

func open100k(b *testing.B) *Tree {
	t, err := Build(context.Background(), large(b, 100000), theme.Letter)
	if err != nil {
		b.Fatal(err)
	}
	t.Window(44)
	return t
}

// BenchmarkKey100k folds and unfolds a directory of a tree with 100,000 files.
func BenchmarkKey100k(b *testing.B) {
	t := open100k(b)
	t.Fold(true)
	t.Do("down")
	t.Note()
	for b.Loop() {
		t.Fold(true)
		t.Fold(false)
	}
}

func BenchmarkMove100kUnfolded(b *testing.B) {
	t := open100k(b)
	t.FoldAll(true)
	for i := 0; b.Loop(); i++ {
		if i%200 < 100 {
			t.Do("page-down")
		} else {
			t.Do("page-up")
		}
		t.Note()
		t.Window(44)
	}
}

func BenchmarkUnfoldAll100k(b *testing.B) {
	t := open100k(b)
	for b.Loop() {
		t.FoldAll(true)
	}
}

func BenchmarkFilter100k(b *testing.B) {
	t := open100k(b)
	for b.Loop() {
		b.StopTimer()
		if err := t.SetFilter(""); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := t.SetFilter("file0001"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkType100k is one letter more in the filter over 100,000 files.
func BenchmarkType100k(b *testing.B) {
	t := open100k(b)
	for b.Loop() {
		b.StopTimer()
		if err := t.SetFilter(""); err != nil {
			b.Fatal(err)
		}
		if err := t.SetFilter("file0"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := t.SetFilter("file00"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestOnly(t *testing.T) {
	tree := build(t, two...)
	for _, c := range []struct {
		only Only
		want string
	}{
		{Only{Layer: "B"}, "a/\n x\n same\n deep/\n  er/\n   y"},
		{Only{Layer: "A"}, "big/\n file\na/\n x\n same\na-b\na.txt"}, // what of it is shadowed, too
		{Only{Layer: "A", Shadowed: true}, "a/\n x\n same"},
		{Only{Paths: []string{"a", "big/file"}}, "big/\n file\na/\n x\n same\n deep/\n  er/\n   y"},
		{Only{Paths: []string{}}, ""},
		{Only{}, "big/\na/\na-b\na.txt"},
	} {
		tree.SetOnly(c.only)
		same(t, paths(tree), c.want)
	}
}

// Flat, the largest files of any depth come first, and filters hold.
func TestFlat(t *testing.T) {
	tree := build(t, two...)
	list := func() string {
		var out []string
		for i := range tree.Len() {
			out = append(out, tree.At(i).Entry.Path)
		}
		return strings.Join(out, " ")
	}
	tree.SetFlat(true)
	same(t, list(), "big/file a/x a/same a-b a.txt a/deep/er/y")
	tree.SetOnly(Only{Layer: "B"})
	same(t, list(), "a/x a/same a/deep/er/y")
	if err := tree.SetFilter("er"); err != nil {
		t.Fatal(err)
	}
	same(t, list(), "a/deep/er/y")
	other := build(t, two...)
	other.Follow(tree)
	tree = other
	same(t, list(), "a/deep/er/y")
	tree.SetFlat(false)
	same(t, paths(tree), "a/\n deep/\n  er/\n   y")
}

func TestReveal(t *testing.T) {
	tr, err := Build(t.Context(), merged(t, map[string]string{"a/b/c.txt": "x", "a/b/d.txt": "yy", "e.txt": "z"}), theme.Letter)
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []func(){
		func() {}, func() { tr.FoldAll(false) }, func() { tr.SetFlat(true) },
		func() { _ = tr.SetFilter("e.txt") }, func() { tr.SetOnly(Only{Paths: []string{"e.txt"}}) },
	} {
		before()
		if !tr.Reveal("a/b/c.txt") || tr.Selected().Entry.Path != "a/b/c.txt" || tr.Filter() != "" || tr.Matches() != tr.Files() {
			t.Fatalf("selected %+v", tr.Selected())
		}
		if !tr.Reveal("a/b") || tr.Selected().Name != "b" {
			t.Fatalf("selected %+v", tr.Selected())
		}
		if tr.Reveal("a/none") || tr.Reveal("") || tr.Selected().Name != "b" {
			t.Fatal("a path that is not there was selected")
		}
	}
}
