package image

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func sum(s string) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

// TestTree applies layers as those who unpack images do.
func TestTree(t *testing.T) {
	for name, c := range map[string]struct {
		layers [][]file
		want   []string
	}{
		"later layers win":           {[][]file{{text("opt/a", "1")}, {text("opt/a", "22")}}, []string{"opt/a 2"}},
		"a whiteout deletes":         {[][]file{{text("opt/a", "1"), text("opt/b", "1")}, {text("opt/.wh.a", "")}}, []string{"opt/b 1"}},
		"a whiteout takes a tree":    {[][]file{{text("opt/d/a", "1"), text("opt/b", "1")}, {text("opt/.wh.d", "")}}, []string{"opt/b 1"}},
		"not its own layer's files":  {[][]file{{text("opt/a", "1")}, {text("opt/a", "22"), text("opt/.wh.a", "")}}, []string{"opt/a 2"}},
		"opaque hides what is below": {[][]file{{text("opt/a", "1"), text("opt/d/x", "1")}, {text("opt/.wh..wh..opq", ""), text("opt/n", "1")}}, []string{"opt/n 1"}},
		"opaque after its own":       {[][]file{{text("opt/a", "1")}, {text("opt/n", "1"), text("opt/.wh..wh..opq", "")}}, []string{"opt/n 1"}},
		"a file over a directory":    {[][]file{{text("opt/d/x", "1")}, {text("opt/d", "22")}}, []string{"opt/d 2"}},
		"a directory over a file":    {[][]file{{text("opt/d", "22")}, {dir("opt/d"), text("opt/d/x", "1")}}, []string{"opt/d/x 1"}},
		"a directory again":          {[][]file{{text("opt/d/x", "1")}, {dir("opt/d")}}, []string{"opt/d/x 1"}},
		"through a link":             {[][]file{{dir("real"), link("opt", "/real")}, {text("opt/x", "1")}}, []string{"opt -> /real", "real/x 1"}},
		"a directory over a link":    {[][]file{{dir("real"), link("opt", "real")}, {dir("opt"), text("opt/x", "1")}}, []string{"opt/x 1"}},
		"under a dead link":          {[][]file{{link("opt", "nowhere")}, {text("opt/x", "1")}}, []string{"opt/x 1"}},
		"a hard link":                {[][]file{{text("opt/a", "333")}, {hardLink("opt/b", "opt/a")}}, []string{"opt/a 3", "opt/b 3"}},
		"a hard link to nothing":     {[][]file{{hardLink("opt/b", "opt/a")}}, []string{"opt/b broken"}},
		"out of the root":            {[][]file{{text("../x", "1"), text("./opt/./y", "1"), text("/opt/z", "1")}}, []string{"opt/y 1", "opt/z 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			var layers []v1.Layer
			for _, files := range c.layers {
				layers = append(layers, plainLayer(t, ociFamily, files...))
			}
			s, err := new(scanner).scan(context.Background(), imageOf(t, ociFamily, v1.ConfigFile{}, layers...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			newTree(s.layers).root.walk(func(n *node) {
				switch {
				case n.broken:
					got = append(got, n.name+" broken")
				case n.dir():
				case n.entry.target != "":
					got = append(got, n.name+" -> "+n.entry.target)
				default:
					got = append(got, fmt.Sprint(n.name, " ", n.entry.size))
				}
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindFollowsLinks(t *testing.T) {
	s, err := new(scanner).scan(context.Background(), imageOf(t, ociFamily, v1.ConfigFile{}, plainLayer(t, ociFamily,
		dir("a"), dir("a/b"), text("a/b/f", "1"), link("a/up", "../a/b"), link("abs", "/a/b/f"), link("loop", "loop"),
		link("out", "../../../a"), link("chain", "abs"))))
	if err != nil {
		t.Fatal(err)
	}
	tree := newTree(s.layers)
	for path, want := range map[string]string{
		"a/up/f": "a/b/f", "abs": "a/b/f", "/abs": "a/b/f", "chain": "a/b/f", "out/b/f": "a/b/f", "a/b/../b/f": "a/b/f",
		"": "", "loop": "none", "a/x": "none", "abs/x": "none",
	} {
		got := "none"
		if n := tree.find(path, true); n != nil {
			got = n.name
		}
		if got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
	if n := tree.find("abs", false); n == nil || n.name != "abs" {
		t.Errorf("unfollowed, abs is %v", n)
	}
}
