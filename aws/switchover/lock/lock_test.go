package lock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One run holds a lock; the next one gets it when it is released, and nobody who
// only asks takes it away.
func TestTake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "locks")
	if Held(dir, "shop") {
		t.Error("held before anybody took it")
	}
	first, err := Take(dir, "shop", "function shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(dir, "shop", "function shop"); err == nil || !strings.Contains(err.Error(), "another optlift is working on function shop") {
		t.Errorf("taken twice: %v", err)
	}
	if !Held(dir, "shop") || Held(dir, "other") {
		t.Error("it is not told who is locked")
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may look: %v, %v", info.Mode(), err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if Held(dir, "shop") {
		t.Error("held after its release")
	}
	second, err := Take(dir, "shop", "function shop")
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}
