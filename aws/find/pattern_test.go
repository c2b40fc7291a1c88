package find

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func open(t testing.TB, entries ...ziptest.Entry) *zipdir.Directory {
	t.Helper()
	dir, file, err := zipdir.OpenFile(ziptest.Write(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return dir
}

func TestPatterns(t *testing.T) {
	dir := open(t,
		ziptest.Dir("python"), ziptest.File("python/numpy/core.py", "12345"), ziptest.File("python/numpy/lib/x.so", "1"),
		ziptest.File("python/Numpy-1.26.4.dist-info/METADATA", "M"), ziptest.File("python/numpy_financial-1.0.0.dist-info/METADATA", "M"),
		ziptest.File("lib/libssl.so", "ssl"), ziptest.Link("lib/libssl.so.3", "libssl.so"), ziptest.Dir("lib/empty"),
		ziptest.File("nodejs/node_modules/@aws-sdk/client-s3/package.json", "{}"), ziptest.File("nodejs/node_modules/left/package.json", "{}"),
		ziptest.File("bin/İx/tool", "t"),
	)
	for _, c := range []struct{ pattern, want string }{
		{"numpy", "/opt/python/Numpy-1.26.4.dist-info dir 1 1, /opt/python/numpy dir 2 6, /opt/python/numpy_financial-1.0.0.dist-info dir 1 1"},
		{"NUMPY/core", "/opt/python/numpy/core.py file 1 5"},
		{"numpy/", "/opt/python/numpy dir 2 6"},
		{"/opt/lib/lib", "/opt/lib/libssl.so file 1 3, /opt/lib/libssl.so.3 symlink 1 9"},
		{"/lib", "/opt/lib dir 2 12"},
		{"*.so", "/opt/lib/libssl.so file 1 3, /opt/python/numpy/lib/x.so file 1 1"},
		{"lib/*.so", "/opt/lib/libssl.so file 1 3, /opt/python/numpy/lib/x.so file 1 1"},
		{"/lib/*.so", "/opt/lib/libssl.so file 1 3"},
		{"*.dist-info", "/opt/python/Numpy-1.26.4.dist-info dir 1 1, /opt/python/numpy_financial-1.0.0.dist-info dir 1 1"},
		{"em?ty", "/opt/lib/empty dir 0 0"},
		{"x/tool", "/opt/bin/İx/tool file 1 1"},
		{"nothing", ""},
		{"package:numpy", "/opt/python/Numpy-1.26.4.dist-info/METADATA file 1 1 python Numpy 1.26.4"},
		{"pkg:numpy-financial", "/opt/python/numpy_financial-1.0.0.dist-info/METADATA file 1 1 python numpy_financial 1.0.0"},
		{"package:num*@1.26*", "/opt/python/Numpy-1.26.4.dist-info/METADATA file 1 1 python Numpy 1.26.4"},
		{"package:numpy@2", ""},
		{"package:left@1", ""}, // its path does not tell the version
		{"package:*s3", "/opt/nodejs/node_modules/@aws-sdk/client-s3/package.json file 1 2 node @aws-sdk/client-s3 "},
		{"package:@aws-sdk/*", "/opt/nodejs/node_modules/@aws-sdk/client-s3/package.json file 1 2 node @aws-sdk/client-s3 "},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		var got []string
		for _, h := range p.In(dir) {
			line := fmt.Sprintf("%s %s %d %d", h.Path, h.Type, h.Files, h.Size)
			if h.Package != nil {
				line += fmt.Sprintf(" %s %s %s", h.Package.Ecosystem, h.Package.Name, h.Package.Version)
			}
			got = append(got, line)
		}
		if s := strings.Join(got, ", "); s != c.want {
			t.Errorf("%s finds\n%s\nnot\n%s", c.pattern, s, c.want)
		}
		if p.String() != c.pattern {
			t.Errorf("%s became %s", c.pattern, p)
		}
	}
	for _, wrong := range []string{"", "  ", "/", "/opt/", "[a", "package:", "package:[", "package:x@["} {
		if p, err := Parse(wrong); err == nil {
			t.Errorf("%q is a pattern: %v", wrong, p)
		}
	}
}

// TestWordsFindAll holds a word against looking at each path: every file whose path
// contains it lies at a hit or below one, and is counted once.
func TestWordsFindAll(t *testing.T) {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`([a-c]{1,2}/){0,3}[A-C]{1,2}\.x`), 1, 12, rapid.ID)
	rapid.Check(t, func(rt *rapid.T) {
		dir := &zipdir.Directory{}
		for _, n := range names.Draw(rt, "names") {
			dir.Entries = append(dir.Entries, zipdir.Entry{Name: n, Kind: zipdir.File, Size: 1})
		}
		word := rapid.StringMatching(`[a-cA-C/.]{1,3}`).Draw(rt, "word")
		p, err := Parse(word)
		if err != nil || strings.HasPrefix(word, "/") {
			return
		}
		want := 0
		for i := range dir.Entries {
			if strings.Contains(strings.ToLower(dir.Entries[i].Name)+"/", strings.ToLower(word)) {
				want++
			}
		}
		got, hits := 0, p.In(dir)
		for _, h := range hits {
			got += h.Files
		}
		if got != want || !slices.IsSortedFunc(hits, func(a, b Hit) int { return strings.Compare(a.Path, b.Path) }) {
			rt.Fatalf("%s finds %d of %d files: %+v", word, got, want, hits)
		}
	})
}
