package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/optlift/optlift/build/lru"
	"github.com/optlift/optlift/build/zipdir"
)

var modTime time.Time

func (s *s3) cached(t *testing.T, c *Cache) *Cached {
	t.Helper()
	a, err := c.Open(t.Context(), s.Client(), "layer", s.sum, s.locate)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readDir(t *testing.T, a *Cached) *zipdir.Directory {
	t.Helper()
	dir, err := zipdir.Read("layer", a, a.Size())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCacheAsksNobodyTwice(t *testing.T) {
	s := serve(t, bigZip(t, 5000, 10))
	root := filepath.Join(t.TempDir(), "directories")
	c := OpenCache(root)
	a := s.cached(t, c)
	first := readDir(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(root); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info.Mode(), err)
	}
	before, located := len(s.asked()), s.located

	a = s.cached(t, c)
	again := readDir(t, a)
	if len(s.asked()) != before || s.located != located || a.Requests() != 0 {
		t.Error("the second reading asked somebody")
	}
	if len(again.Entries) != len(first.Entries) || again.Unzipped != first.Unzipped || again.Size != first.Size {
		t.Error("the second reading found something else")
	}
	// What was not read before is fetched now, and kept.
	r, err := again.Open(&again.Entries[17])
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, noise(10)) {
		t.Error(b, err)
	}
	if a.Requests() == 0 {
		t.Error("content came from nowhere")
	}
	_ = a.Close()
	before = len(s.asked())
	a = s.cached(t, c)
	again = readDir(t, a)
	if _, err := again.DataOffset(&again.Entries[17]); err != nil || len(s.asked()) != before {
		t.Error("the content's header was fetched again", err)
	}
	_ = a.Close()
}

func TestDamagedCacheIsAMiss(t *testing.T) {
	s := serve(t, bigZip(t, 2000, 10))
	root := t.TempDir()
	c := OpenCache(root)
	a := s.cached(t, c)
	readDir(t, a)
	_ = a.Close()
	files, err := filepath.Glob(filepath.Join(root, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 1 + len(good)/200 {
		for _, bad := range [][]byte{good[:i], append(append(bytes.Clone(good[:i]), good[i]^0x55), good[i+1:]...), append(bytes.Clone(good), 0)} {
			if err := os.WriteFile(files[0], bad, 0o600); err != nil {
				t.Fatal(err)
			}
			a := s.cached(t, c)
			if dir := readDir(t, a); len(dir.Entries) != 2000 {
				t.Fatalf("damage at %d went unseen", i)
			}
			a.Discard() // keep it from mending the file for the next turn
			_ = a.Close()
		}
	}
}

func TestCacheWithoutUsableKey(t *testing.T) {
	s := serve(t, bigZip(t, 10, 10))
	root := t.TempDir()
	for _, sum := range []string{"", "../../etc/passwd", "AAAA"} {
		s.sum = sum
		a := s.cached(t, OpenCache(root))
		readDir(t, a)
		_ = a.Close()
	}
	a := s.cached(t, OpenCache(""))
	readDir(t, a)
	_ = a.Close()
	if files, _ := os.ReadDir(root); len(files) > 0 {
		t.Error(files)
	}
}

func TestPrune(t *testing.T) {
	root := t.TempDir()
	c := OpenCache(root)
	for i, name := range []string{"old", "middle", "new"} {
		file := filepath.Join(root, name)
		if err := os.WriteFile(file, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1_000_000+i), 0)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Prune(lru.Limit{Bytes: 250}); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(root)
	if len(left) != 2 || left[0].Name() != "middle" || left[1].Name() != "new" {
		t.Error(left)
	}
	if _, err := OpenCache(filepath.Join(root, "none")).Prune(lru.Limit{}); err != nil {
		t.Error(err)
	}
}
