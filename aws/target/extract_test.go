package target_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// listing is every path below dir with type, mode and content or target.
func listing(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(p)
			out = append(out, fmt.Sprintf("%s -> %s", rel, target))
		case d.IsDir():
			out = append(out, fmt.Sprintf("%s/ %o", rel, info.Mode().Perm()))
		default:
			b, _ := os.ReadFile(p)
			out = append(out, fmt.Sprintf("%s %o %s", rel, info.Mode().Perm(), b))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestExtract(t *testing.T) {
	one := ziptest.Write(t,
		ziptest.Dir("bin").Perm(0o555), ziptest.File("bin/tool", "old").Perm(0o755), ziptest.File("bin/keep", "k").Perm(0o600),
		ziptest.Link("link", "bin/tool"), ziptest.Link("abs", "/opt/bin/tool"), ziptest.File("lib/deep/f", "f"), ziptest.File("suid", "s").Perm(0o4755))
	two := ziptest.Write(t, ziptest.File("bin/tool", "new").Perm(0o750))
	set, err := local(t).Open(t.Context(), one, two)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	all := []string{
		"abs -> /opt/bin/tool", "bin/ 755", "bin/keep 600 k", "bin/tool 750 new", "lib/ 755", "lib/deep/ 755", "lib/deep/f 644 f",
		"link -> bin/tool", "suid 755 s",
	}
	for _, c := range []struct {
		path string
		want []string
		out  []string
	}{
		{"", all, []string{"abs"}},
		{"/", all, []string{"abs"}},
		{"bin", []string{"bin/ 755", "bin/keep 600 k", "bin/tool 750 new"}, nil},
		{"lib", []string{"lib/ 755", "lib/deep/ 755", "lib/deep/f 644 f"}, nil},
		{"lib/deep/f", []string{"f 644 f"}, nil},
		{"link", []string{"link 750 new"}, nil}, // what it leads to, under its name
	} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		var last, total int64
		got, err := set.Extract(t.Context(), c.path, dir, func(d, n int64) { last, total = d, n })
		if err != nil {
			t.Fatalf("%q: %v", c.path, err)
		}
		if list := listing(t, dir); !slices.Equal(list, c.want) {
			t.Errorf("%q:\n%s\nwant\n%s", c.path, strings.Join(list, "\n"), strings.Join(c.want, "\n"))
		}
		if !slices.Equal(got.Outside, c.out) || last != total || got.Bytes != total {
			t.Errorf("%q: %+v, %d of %d", c.path, got, last, total)
		}
	}
	if _, err := set.Extract(t.Context(), "none", filepath.Join(t.TempDir(), "x"), nil); err == nil {
		t.Error("extracted what is not there")
	}
}

// Several names: all or none, each file once, and none under another's name.
func TestExtractAll(t *testing.T) {
	zip := ziptest.Write(t, ziptest.File("a/x", "1"), ziptest.File("b/x", "2"), ziptest.File("b/y", "3"), ziptest.Link("l", "a/x"))
	set, err := local(t).Open(t.Context(), zip)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	dir := t.TempDir()
	got, err := set.ExtractAll(t.Context(), []string{"a/x", "b/x", "b", "b/y", "l"}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/ 755", "a/x 644 1", "b/ 755", "b/x 644 2", "b/y 644 3", "l 644 1"}
	if list := listing(t, dir); !slices.Equal(list, want) || got.Files != 4 || got.Bytes != 4 {
		t.Errorf("%s, %+v", strings.Join(list, "\n"), got)
	}
	dir = filepath.Join(t.TempDir(), "none")
	if _, err := set.ExtractAll(t.Context(), []string{"a/x", "nothing"}, dir, nil); err == nil {
		t.Error("extracted what is not there")
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half of it was left: %v", err)
	}
}

func TestExtractFunction(t *testing.T) {
	acct, _ := account(t)
	set, err := remote(t, acct).Open(t.Context(), "fn")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	dir := t.TempDir()
	if _, err := set.Extract(t.Context(), "/opt/lib", filepath.Join(dir, "part"), nil); err != nil {
		t.Fatal(err)
	}
	if got := listing(t, filepath.Join(dir, "part")); !slices.Equal(got, []string{"opt/ 755", "opt/lib/ 755", "opt/lib/x 644 from two"}) {
		t.Error(got)
	}
	got, err := set.Extract(t.Context(), "", filepath.Join(dir, "all"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"opt/ 755", "opt/code -> /var/task", "opt/extensions/ 755", "opt/extensions/e 755 #!", "opt/lib/ 755", "opt/lib/x 644 from two",
		"opt/out -> /etc/passwd", "var/ 755", "var/task/ 755", "var/task/index.js 644 code", "var/task/loop -> /opt/code/loop", "var/task/x -> /opt/lib/x",
	}
	if list := listing(t, filepath.Join(dir, "all")); !slices.Equal(list, want) {
		t.Error(strings.Join(list, "\n"))
	}
	if len(got.Outside) != 4 {
		t.Error(got.Outside)
	}
}

func TestExtractOverwritesNothing(t *testing.T) {
	zip := ziptest.Write(t, ziptest.File("a/x", "x"), ziptest.File("b/y", "y"), ziptest.Link("l", "a/x"))
	set, err := local(t).Open(t.Context(), zip)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	for name, prepare := range map[string]func(dir string) error{
		"a file":              func(dir string) error { return write(dir, "b/y", "mine") },
		"a file for a folder": func(dir string) error { return write(dir, "b", "mine") },
		"a folder for a file": func(dir string) error { return os.MkdirAll(filepath.Join(dir, "a", "x"), 0o755) },
		"something at a link": func(dir string) error { return write(dir, "l", "mine") },
		"a link out of here":  func(dir string) error { return os.Symlink(os.TempDir(), filepath.Join(dir, "b")) },
		"a dangling link":     func(dir string) error { return os.Symlink("none", filepath.Join(dir, "b")) },
	} {
		dir := t.TempDir()
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before := listing(t, dir)
		if _, err := set.Extract(t.Context(), "", dir, nil); err == nil {
			t.Errorf("%s: extracted over it", name)
		}
		if after := listing(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
	}
	// Other files in the same folders are no obstacle.
	dir := t.TempDir()
	if err := write(dir, "a/z", "mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := set.Extract(t.Context(), "", dir, nil); err != nil {
		t.Error(err)
	}
	if got := listing(t, dir); len(got) != 6 {
		t.Error(got)
	}
}

func write(dir, name, text string) error {
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o600)
}

// Whatever goes wrong, nothing new is left behind.
func TestExtractLeavesNothing(t *testing.T) {
	damaged := ziptest.Write(t, ziptest.File("a", "good"), ziptest.File("b", "bad").Both(func(h *ziptest.Header) { h.CRC++ }))
	clash := [2]string{ziptest.Write(t, ziptest.File("x", "file")), ziptest.Write(t, ziptest.File("x/y", "below"))}
	for name, targets := range map[string][]string{"wrong CRC": {damaged}, "clash": {clash[0], clash[1]}} {
		set, err := local(t).Open(t.Context(), targets...)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := set.Extract(t.Context(), "", filepath.Join(dir, "deep", "er"), nil); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := listing(t, dir); len(got) > 0 {
			t.Errorf("%s: left %v", name, got)
		}
		_ = set.Close()
	}
	set, err := local(t).Open(t.Context(), ziptest.Write(t, ziptest.File("a", "a"), ziptest.File("b", "b")))
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := set.Extract(ctx, "", filepath.Join(dir, "x"), func(int64, int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := listing(t, dir); len(got) > 0 {
		t.Error("left", got)
	}
}
