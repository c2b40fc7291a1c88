package optfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func names(entries []*optfs.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Path)
	}
	return out
}

func TestLookupAndChildren(t *testing.T) {
	tree := optfs.Merge(layer(t, "1",
		ziptest.File("a/b/c", ""), ziptest.File("a/b-c/d", ""), ziptest.File("a/b.c", ""), ziptest.File("a/b0/x/y", ""),
		ziptest.File("a-", ""), ziptest.File("a0", ""), ziptest.File("a/é/x", ""), ziptest.Dir("empty")))
	for dir, want := range map[string][]string{
		"":      {"a", "a-", "a0", "empty"},
		".":     {"a", "a-", "a0", "empty"},
		"a":     {"a/b", "a/b-c", "a/b.c", "a/b0", "a/é"},
		"a/b":   {"a/b/c"},
		"a/b0":  {"a/b0/x"},
		"empty": nil,
		"a0":    nil,
		"nope":  nil,
	} {
		if got := names(tree.Children(dir)); !slices.Equal(got, want) {
			t.Errorf("children of %q: %q, want %q", dir, got, want)
		}
	}
	for path, want := range map[string]bool{"a": true, "a/b/c": true, "a/b0/x": true, "": false, ".": false, "a/": false, "a/c": false, "zz": false} {
		e, ok := tree.Lookup(path)
		if ok != want || (ok && e.Path != path) {
			t.Errorf("lookup %q: %v, %v", path, e, ok)
		}
	}
}

func TestResolve(t *testing.T) {
	link := ziptest.Link
	tree := optfs.Merge(
		layer(t, "1",
			ziptest.File("lib/real.so", "x"), link("lib/so", "real.so"), link("l", "lib"), link("abs", "/opt//./lib/so"),
			link("out", "/usr/bin/python3"), link("sneak", "d/deep/../.."), link("d/deep", "../lib"), link("loop", "loop2"), link("loop2", "loop"),
			link("dangling", "nowhere"), link("root", "/opt"), link("sibling", "/optional/x"), link("bin/up", "../l/so")),
		layer(t, "2", ziptest.File("lib/real.so", "y")))
	for path, want := range map[string]string{
		"lib/real.so": "lib/real.so", "lib/so": "lib/real.so", "l/so": "lib/real.so", "abs": "lib/real.so", "bin/up": "lib/real.so",
		"l": "lib", "lib/../l/./so": "lib/real.so", "root": "", "root/l/so": "lib/real.so", "": "",
	} {
		e, err := tree.Resolve("/opt", path)
		if err != nil || e.Path != want {
			t.Errorf("%q: %v, %v; want %q", path, e, err, want)
			continue
		}
		if want == "lib/real.so" && e.Winner != 2 {
			t.Errorf("%q ends at layer %d's copy", path, e.Winner)
		}
	}
	for path, want := range map[string]error{
		"out": optfs.ErrOutside, "sneak": optfs.ErrOutside, "..": optfs.ErrOutside, "sibling": optfs.ErrOutside,
		"loop": optfs.ErrLoop, "dangling": fs.ErrNotExist, "lib/real.so/x": fs.ErrNotExist, "none": fs.ErrNotExist,
	} {
		if e, err := tree.Resolve("/opt", path); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v; want %v", path, e, err, want)
		}
	}
}

func TestResolveBoundsTheLinks(t *testing.T) {
	// Each link doubles the path: 2^30 steps if nothing stopped it.
	entries := []ziptest.Entry{ziptest.Link("l30", ".")}
	for i := range 30 {
		next := fmt.Sprintf("l%02d", i+1)
		entries = append(entries, ziptest.Link(fmt.Sprintf("l%02d", i), next+"/"+next))
	}
	tree := optfs.Merge(layer(t, "1", entries...))
	if _, err := tree.Resolve("/opt", "l00"); !errors.Is(err, optfs.ErrLoop) {
		t.Errorf("got %v", err)
	}
	if e, err := tree.Resolve("/opt", "l27"); err != nil || e.Path != "" {
		t.Errorf("a few links are fine, got %v, %v", e, err)
	}
}
