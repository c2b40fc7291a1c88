package difference_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func tree(t testing.TB, archives ...[]ziptest.Entry) *optfs.Tree {
	t.Helper()
	var layers []optfs.Layer
	for _, entries := range archives {
		dir, file, err := zipdir.OpenFile(ziptest.Write(t, entries...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		layers = append(layers, optfs.Layer{Dir: dir})
	}
	return optfs.Merge(layers...)
}

func lines(files []difference.File) []string {
	out := []string{}
	for _, f := range files {
		line := fmt.Sprintf("%s %s %s", f.Change, f.Path, strings.Join(f.What, "+"))
		for _, s := range []*difference.Side{f.Old, f.New} {
			if s != nil {
				line += fmt.Sprintf(" [%s %s %d %s %d]", s.Type, s.Mode, s.Size, s.Target, s.Layer)
			}
		}
		out = append(out, line)
	}
	return out
}

func TestFiles(t *testing.T) {
	file, link := ziptest.File, ziptest.Link
	a := tree(t, []ziptest.Entry{
		file("same", "x").Deflated(), file("content", "ab"), file("size", "a"), file("mode", "m"), file("gone/deep", "d"),
		file("kind", "k"), link("link", "same"), file("dos", "d").DOS(), ziptest.Dir("dir"), file("dir2/f", ""), file("zero", ""),
	})
	b := tree(t,
		[]ziptest.Entry{file("content", "hidden"), file("same", "x"), file("dos", "d").Perm(0o600)},
		[]ziptest.Entry{
			file("content", "ba"), file("size", "abc").Perm(0o755), file("mode", "m").Perm(0o600), file("new", "n"), ziptest.Dir("kind"),
			link("link", "size"), ziptest.Dir("dir").Perm(0o700), ziptest.Dir("dir2").Perm(0o700), file("dir2/f", ""), file("zero", ""),
		})
	got, err := difference.Files(t.Context(), "/opt", a, b, true)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"changed /opt/content content [file 0644 2  1] [file 0644 2  2]",
		"changed /opt/dir mode [dir 0755 0  1] [dir 0700 0  2]",
		"removed /opt/gone  [dir  0  1]",
		"removed /opt/gone/deep  [file 0644 1  1]",
		"changed /opt/kind type+mode [file 0644 1  1] [dir 0755 0  2]",
		"changed /opt/link target [symlink 0777 4 same 1] [symlink 0777 4 size 2]",
		"changed /opt/mode mode [file 0644 1  1] [file 0600 1  2]",
		"added /opt/new  [file 0644 1  2]",
		"changed /opt/size mode+size+content [file 0644 1  1] [file 0755 3  2]",
	}
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	back, err := difference.Files(t.Context(), "/opt", b, a, true)
	if err != nil || len(back) != len(got) {
		t.Errorf("the other way round: %q, %v", lines(back), err)
	}
	for _, x := range []*optfs.Tree{a, b} {
		if same, err := difference.Files(t.Context(), "/opt", x, x, true); err != nil || len(same) != 0 || same == nil {
			t.Errorf("a tree differs from itself: %q, %v", lines(same), err)
		}
	}
	all, err := difference.Files(t.Context(), "/opt", nil, a, false)
	if err != nil || len(all) != len(a.Entries) {
		t.Errorf("against nothing: %d of %d, %v", len(all), len(a.Entries), err)
	}
}

// Two texts of one length and CRC-32 look the same to the directories alone.
func TestFilesReadsWhereSure(t *testing.T) {
	a := tree(t, []ziptest.Entry{ziptest.File("f", "plumless")})
	b := tree(t, []ziptest.Entry{ziptest.File("f", "buckeroo")})
	for sure, want := range map[bool]int{false: 0, true: 1} {
		got, err := difference.Files(t.Context(), "", a, b, sure)
		if err != nil || len(got) != want {
			t.Errorf("sure %v: %q, %v", sure, lines(got), err)
		}
	}
}

func TestFilesStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := difference.Files(ctx, "", nil, tree(t, []ziptest.Entry{ziptest.File("f", "x")}), true); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestPackages(t *testing.T) {
	node := func(name, version string, shadowed bool) inventory.Package {
		return inventory.Package{Ecosystem: inventory.Node, Name: name, Version: version, Shadowed: shadowed}
	}
	a := &inventory.Inventory{Packages: []inventory.Package{
		node("gone", "1", false), node("hidden", "1", true), node("same", "1", false), node("same", "1", false), node("up", "1", false), node("up", "2", false),
		{Ecosystem: inventory.Python, Name: "A_b", Version: "1"},
	}}
	b := &inventory.Inventory{Packages: []inventory.Package{
		node("new", "", false), node("same", "1", false), node("up", "2", false),
		{Ecosystem: inventory.Python, Name: "a-b", Version: "2"},
	}}
	want := []difference.Package{
		{Ecosystem: inventory.Node, Name: "gone", Change: difference.Removed, Old: []string{"1"}, New: []string{}},
		{Ecosystem: inventory.Node, Name: "new", Change: difference.Added, Old: []string{}, New: []string{""}},
		{Ecosystem: inventory.Node, Name: "up", Change: difference.Changed, Old: []string{"1", "2"}, New: []string{"2"}},
		{Ecosystem: inventory.Python, Name: "a-b", Change: difference.Changed, Old: []string{"1"}, New: []string{"2"}},
	}
	if diff := cmp.Diff(want, difference.Packages(a, b)); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if got := difference.Packages(a, a); len(got) != 0 || got == nil {
		t.Errorf("an inventory differs from itself: %+v", got)
	}
}
