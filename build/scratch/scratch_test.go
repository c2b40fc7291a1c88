//go:build unix

package scratch

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain stands in for a process that gets killed: it makes a directory, says
// where, and waits.
func TestMain(m *testing.M) {
	if os.Getenv("SCRATCH_TEST_CHILD") != "" {
		d, err := Make("scratch-test-")
		if err != nil {
			panic(err)
		}
		fmt.Println(d.Path())
		select {}
	}
	os.Exit(m.Run())
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

func TestKilledProcess(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), "SCRATCH_TEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	left := strings.TrimSpace(line)
	if err := os.WriteFile(filepath.Join(left, "blob"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	sweep("scratch-test-", later)
	if !exists(left) {
		t.Fatal("the directory of a running process was removed")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	if info, err := os.Stat(left); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", info, err)
	}
	sweep("scratch-test-", time.Now().Add(-time.Hour))
	if !exists(left) {
		t.Error("a directory that may still be without its lock was removed")
	}
	sweep("scratch-test-", later)
	if exists(left) {
		t.Error("the directory of a killed process is still there")
	}
}

func TestMakeAndRemove(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	// What is not a directory of ours stays, however it is called.
	for _, name := range []string{"a-file", "a-dir/sub", "a-linked/.lock"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(temp, name)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(temp, "elsewhere"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(temp, "elsewhere"), filepath.Join(temp, "a-linked", lockName)); err != nil {
		t.Fatal(err)
	}
	sweep("a-", time.Now().Add(time.Hour))
	for _, name := range []string{"a-dir", "a-linked", "elsewhere"} {
		if !exists(filepath.Join(temp, name)) {
			t.Errorf("%s was removed", name)
		}
	}
	d, err := Make("b-")
	if err != nil {
		t.Fatal(err)
	}
	sweep("b-", time.Now().Add(time.Hour))
	if !exists(d.Path()) {
		t.Error("the directory of this very process was removed")
	}
	if err := d.Remove(); err != nil || exists(d.Path()) {
		t.Errorf("still there, %v", err)
	}
	t.Setenv("TMPDIR", filepath.Join(temp, "missing"))
	if _, err := Make("b-"); err == nil {
		t.Error("made where there is no place")
	}
}
