package switchover

import (
	"fmt"
	"os"
	"path/filepath"
)

// lock keeps two runs from working on one function. It ends with the process,
// however that ends.
type lock struct{ file *os.File }

// Lock keeps other runs of this machine away from what name stands for, a fleet's
// id, until release is called or the process ends.
func Lock(stateDir, name string) (release func() error, err error) {
	l, err := lockAt(filepath.Join(stateDir, lockDir, name+".lock"), name)
	if err != nil {
		return nil, err
	}
	return l.release, nil
}

// Locked reports whether a run of this machine holds the Lock of name right now.
func Locked(stateDir, name string) bool {
	return heldAt(filepath.Join(stateDir, lockDir, name+".lock"))
}

func lockFile(stateDir, account, region, function string) string {
	return filepath.Join(stateDir, lockDir, account+"-"+region+"-"+function+".lock")
}

// takeLock fails at once when another run of this machine works on the function.
func takeLock(stateDir, account, region, function string) (*lock, error) {
	return lockAt(lockFile(stateDir, account, region, function), "function "+function)
}

func lockAt(name, what string) (*lock, error) {
	if err := ownedDir(filepath.Dir(name)); err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", what, err)
	}
	ok, err := tryLock(file)
	if err == nil && !ok {
		err = fmt.Errorf("another optlift is working on %s: wait until it is done", what)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &lock{file}, nil
}

// release lets others in. The file stays: removing it could take away the lock
// of a run that has just begun.
func (l *lock) release() error { return l.file.Close() }

// held reports whether a run works on the function right now.
func held(stateDir, account, region, function string) bool {
	return heldAt(lockFile(stateDir, account, region, function))
}

func heldAt(name string) bool {
	file, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer file.Close()
	free, err := tryLock(file)
	return err == nil && !free
}
