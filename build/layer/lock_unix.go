//go:build unix

package layer

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Locks belong to the open file, not to the process, so that two files of one
// process exclude each other as well. They end with the file or the process.

// tryLock locks f for this holder alone and says whether it could.
func tryLock(f *os.File) (bool, error) { return flock(f, unix.LOCK_EX|unix.LOCK_NB) }

// share turns f's lock into one that others may hold, too.
func share(f *os.File) error { _, err := flock(f, unix.LOCK_SH); return err }

func flock(f *os.File, how int) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), how)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}

// publish gives the written part, which is locked, its final name, and keeps it
// open with a shared lock. Who was waiting for the part finds that its name is
// another's.
func publish(part *os.File, name string) (*os.File, error) {
	if err := os.Rename(part.Name(), name); err != nil {
		return nil, err
	}
	return part, share(part)
}
