package inventory_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// FuzzTake puts any bytes where each ecosystem keeps its metadata. Every file is
// a package or is told, and nothing ends the inventory.
func FuzzTake(f *testing.F) {
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	if part, err := w.Create("META-INF/maven/g/a/pom.properties"); err != nil {
		f.Fatal(err)
	} else if _, err := part.Write([]byte("groupId=g\nartifactId=a\nversion=1\n")); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		jar.Bytes(), []byte(`{"name":"x","version":"1"}`), []byte(`{"libraries":{"A/1":{"type":"package"}}}`),
		[]byte("Name: x\nVersion: 1\n"), []byte("# stub: x 1 ruby lib\n"),
	} {
		f.Add(seed)
	}
	names := []string{
		"java/lib/a.jar", "META-INF/maven/g/a/pom.properties", "python/a-1.dist-info/METADATA", "nodejs/node_modules/a/package.json",
		"ruby/gems/3.3.0/specifications/a-1.gemspec", "a.deps.json",
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var entries []ziptest.Entry
		for _, n := range names {
			entries = append(entries, ziptest.File(n, string(content)))
		}
		b := ziptest.Bytes(entries...)
		dir, err := zipdir.Read("fuzz", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		inv, err := inventory.Take(t.Context(), optfs.Merge(optfs.Layer{Source: "fuzz", Dir: dir}), nil)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, p := range inv.Packages {
			told[p.Path[len("/opt/"):min(len(p.Path), len("/opt/")+14)]] = true
		}
		for _, u := range inv.Unread {
			told[u.Path[len("/opt/"):min(len(u.Path), len("/opt/")+14)]] = true
		}
		for _, n := range names[:5] { // a list of libraries may be empty
			if !told[n[:min(len(n), 14)]] {
				t.Errorf("%s is neither a package nor unread", n)
			}
		}
		if err := inv.WriteCycloneDX(&bytes.Buffer{}, inventory.Subject{Name: "fuzz"}); err != nil {
			t.Error(err)
		}
	})
}
