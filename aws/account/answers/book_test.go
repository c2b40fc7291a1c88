package answers

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

var then = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func TestBook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "answers")
	b := Open(dir, "caller", "eu-central-1")
	if err := b.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("nothing to keep, and a directory is made")
	}
	b.PutLayer("l1", &Layer{SHA256: "s", Size: 7, Runtimes: []string{"r"}, Asked: then})
	b.PutLayer("l2", &Layer{Gone: "no such version", Asked: then})
	b.PutFunction("f1", &Function{SHA256: "c", ManagedBy: "stack", Asked: then})
	b.PutFunction("f2", &Function{})
	b.PutFunction("f2", nil)
	b.PutNewest(&Newest{Versions: map[string]int64{"l": 3}, Asked: then})
	if err := b.Save(); err != nil {
		t.Fatal(err)
	}
	again := Open(dir, "caller", "eu-central-1")
	if l, ok := again.Layer("l1"); !ok || l.SHA256 != "s" || l.Size != 7 || !l.Asked.Equal(then) || len(l.Runtimes) != 1 {
		t.Errorf("%+v", l)
	}
	if l, ok := again.Layer("l2"); !ok || l.Gone == "" {
		t.Errorf("%+v", l)
	}
	if f, ok := again.Function("f1"); !ok || f.ManagedBy != "stack" {
		t.Errorf("%+v", f)
	}
	if _, ok := again.Function("f2"); ok {
		t.Error("f2 is not forgotten")
	}
	if n := again.Newest(); n == nil || n.Versions["l"] != 3 {
		t.Errorf("%+v", n)
	}
	again.Retain(func(string) bool { return false }, func(arn string) bool { return arn == "l2" })
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	last := Open(dir, "caller", "eu-central-1")
	_, f1 := last.Function("f1")
	_, l1 := last.Layer("l1")
	if _, l2 := last.Layer("l2"); f1 || l1 || !l2 {
		t.Error(f1, l1, l2)
	}
	// Another caller, or the same one elsewhere, was answered nothing.
	for _, other := range []*Book{Open(dir, "caller", "us-east-1"), Open(dir, "other", "eu-central-1"), Open("", "caller", "eu-central-1")} {
		if _, ok := other.Layer("l2"); ok {
			t.Error("one book for two")
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"foreign": func([]byte) []byte { return []byte("something else") },
		"flipped": func(b []byte) []byte { b[len(b)-6] ^= 1; return b },
	} {
		whole, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], damage(append([]byte{}, whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		b := Open(dir, "caller", "eu-central-1")
		if _, ok := b.Layer("l2"); ok {
			t.Errorf("%s: read all the same", name)
		}
		b.PutLayer("l2", &Layer{Asked: then})
		if err := b.Save(); err != nil {
			t.Error(err)
		}
	}
}
