package lru

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	fill := func(t *testing.T) string {
		dir := t.TempDir()
		for name, age := range map[string]time.Duration{"a": 3 * time.Hour, "b": 2 * time.Hour, "c": time.Hour, "other": 9 * time.Hour} {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	ours := func(name string) bool { return len(name) == 1 }
	dir := fill(t)
	u, err := Look(dir, ours)
	if err != nil || u.Files != 3 || u.Bytes != 300 || !u.Oldest.Equal(now.Add(-3*time.Hour)) || !u.Newest.Equal(now.Add(-time.Hour)) {
		t.Errorf("%+v %v", u, err)
	}
	if u, err := Look(filepath.Join(dir, "none"), nil); err != nil || u.Files != 0 {
		t.Errorf("%+v %v", u, err)
	}
	for _, c := range []struct {
		keep Limit
		left string
	}{
		{Limit{Bytes: 300}, "a b c"},
		{Limit{Bytes: 299}, "b c"},
		{Limit{Bytes: 100}, "c"},
		{Limit{}, ""},
		{Limit{Bytes: 300, Since: now.Add(-90 * time.Minute)}, "c"},
		{Limit{Bytes: 300, Since: now}, ""},
	} {
		dir := fill(t)
		removed, err := Prune(dir, ours, c.keep)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, name := range []string{"a", "b", "c"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				left = append(left, name)
			}
		}
		if strings.Join(left, " ") != c.left || removed.Files != 3-len(left) || removed.Bytes != int64(100*(3-len(left))) {
			t.Errorf("%+v leaves %q, removed %+v", c.keep, left, removed)
		}
		for _, name := range []string{"other", "d"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
}
