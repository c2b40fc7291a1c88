package switchover

import (
	"path/filepath"

	"github.com/optlift/optlift/aws/switchover/lock"
)

// Lock keeps other runs of this machine away from what name stands for, a fleet's
// id, until release is called or the process ends.
func Lock(stateDir, name string) (release func() error, err error) {
	l, err := lock.Take(filepath.Join(stateDir, lockDir), name, name)
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// Locked reports whether a run of this machine holds the Lock of name right now.
func Locked(stateDir, name string) bool { return lock.Held(filepath.Join(stateDir, lockDir), name) }

// takeLock fails at once when another run of this machine works on the function.
func takeLock(stateDir, account, region, function string) (*lock.Lock, error) {
	return lock.Take(filepath.Join(stateDir, lockDir), lockName(account, region, function), "function "+function)
}

// held reports whether a run works on the function right now.
func held(stateDir, account, region, function string) bool {
	return Locked(stateDir, lockName(account, region, function))
}

func lockName(account, region, function string) string {
	return account + "-" + region + "-" + function
}
