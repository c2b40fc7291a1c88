package optfs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// bigLayers makes 100,000 files in 5 layers, a fifth of them shadowed.
func bigLayers(b *testing.B) []optfs.Layer {
	b.Helper()
	var layers []optfs.Layer
	for l := range 5 {
		var entries []ziptest.Entry
		for i := range 20_000 {
			n := i + l*16_000
			entries = append(entries, ziptest.File(fmt.Sprintf("python/lib/site-packages/package%d/module%d/file%d.py", n%211, n%53, n), "x"))
		}
		layers = append(layers, layer(b, fmt.Sprint(l), entries...))
	}
	return layers
}

func BenchmarkMerge100k(b *testing.B) {
	layers := bigLayers(b)
	b.ReportAllocs()
	for b.Loop() {
		optfs.Merge(layers...)
	}
}

// The way without an index, to compare with: last layer wins, nothing else is known.
func BenchmarkMerge100kPlainMap(b *testing.B) {
	layers := bigLayers(b)
	b.ReportAllocs()
	for b.Loop() {
		seen := map[string]int{}
		for i, l := range layers {
			for j := range l.Dir.Entries {
				seen[l.Dir.Entries[j].Name] = i
			}
		}
	}
}

func BenchmarkWalk100k(b *testing.B) {
	tree := optfs.Merge(bigLayers(b)...)
	b.ReportAllocs()
	for b.Loop() {
		var walk func(string) int
		walk = func(dir string) (n int) {
			for _, e := range tree.Children(dir) {
				n += 1 + walkDir(e, walk)
			}
			return n
		}
		if n := walk(""); n != len(tree.Entries) {
			b.Fatal(n)
		}
	}
}

func walkDir(e *optfs.Entry, walk func(string) int) int {
	if strings.HasSuffix(e.Path, ".py") {
		return 0
	}
	return walk(e.Path)
}

func BenchmarkReport100k(b *testing.B) {
	tree := optfs.Merge(bigLayers(b)...)
	b.ReportAllocs()
	for b.Loop() {
		tree.Report("/opt")
	}
}
