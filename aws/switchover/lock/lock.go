package lock

import (
	"fmt"
	"os"
	"path/filepath"
)

// Lock is held until it is released, or until the process ends, however that ends.
type Lock struct{ file *os.File }

// Take locks name in a directory, which is made for the owner alone; it fails at
// once when another run holds it. what says for people what is locked.
func Take(dir, name, what string) (*Lock, error) {
	l, err := take(dir, name, what)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	return l, nil
}

func take(dir, name, what string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(fileOf(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	free, err := tryLock(file)
	if err == nil && !free {
		err = fmt.Errorf("another optlift is working on %s: wait until it is done", what)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Lock{file}, nil
}

func fileOf(dir, name string) string { return filepath.Join(dir, name+".lock") }

// Release lets others in. The file stays: removing it could take away the lock
// of a run that has just begun.
func (l *Lock) Release() error { return l.file.Close() }

// Held reports whether a run of this machine holds the lock right now.
func Held(dir, name string) bool {
	file, err := os.OpenFile(fileOf(dir, name), os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer file.Close()
	free, err := tryLock(file)
	return err == nil && !free
}
