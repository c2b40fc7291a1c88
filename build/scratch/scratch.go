package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Dir is a directory of this process. Its methods are for one goroutine.
type Dir struct {
	path string
	lock *os.File
}

const (
	lockName = ".lock"
	// settled is how old a directory must be before its lock says anything: it is
	// made first and locked then.
	settled = time.Minute
)

// Make makes a directory, for its owner alone, in the system's place for
// temporary files. Its name begins with prefix. Those with the same prefix that
// ended processes of the same user left are removed; what can't be removed stays.
func Make(prefix string) (*Dir, error) {
	sweep(prefix, time.Now().Add(-settled))
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	d := &Dir{path: path}
	if d.lock, err = os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
		err = hold(d.lock)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the temporary directory %s: %w", path, err), d.Remove())
	}
	return d, nil
}

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory with all that is in it.
func (d *Dir) Remove() error {
	if d.lock != nil {
		_ = d.lock.Close() // before its file goes, for systems that remove no open file
	}
	return os.RemoveAll(d.path)
}

// sweep removes what ended processes left and did not touch since before.
func sweep(prefix string, before time.Time) {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return
	}
	for _, path := range found {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() || !own(info) || info.ModTime().After(before) {
			continue
		}
		if abandoned(filepath.Join(path, lockName)) {
			_ = os.RemoveAll(path)
		}
	}
}

// regular says whether f is a file that could be a lock.
func regular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeType == 0
}
