package switchover

import (
	"fmt"
	"os"
	"path/filepath"
)

// lock keeps two runs from working on one function. It ends with the process,
// however that ends.
type lock struct{ file *os.File }

func lockFile(stateDir, account, region, function string) string {
	return filepath.Join(stateDir, lockDir, account+"-"+region+"-"+function+".lock")
}

// takeLock fails at once when another run of this machine works on the function.
func takeLock(stateDir, account, region, function string) (*lock, error) {
	if err := ownedDir(filepath.Join(stateDir, lockDir)); err != nil {
		return nil, fmt.Errorf("lock function %s: %w", function, err)
	}
	file, err := os.OpenFile(lockFile(stateDir, account, region, function), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock function %s: %w", function, err)
	}
	ok, err := tryLock(file)
	if err == nil && !ok {
		err = fmt.Errorf("another optlift is working on function %s: wait until it is done", function)
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
	file, err := os.OpenFile(lockFile(stateDir, account, region, function), os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	defer file.Close()
	free, err := tryLock(file)
	return err == nil && !free
}
