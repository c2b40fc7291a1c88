package layer

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// The locked byte lies far behind any data: Windows' locks keep others from
// reading what they cover.
const lockOffsetHigh = 1 << 30

// tryLock locks f for this holder alone and says whether it could.
func tryLock(f *os.File) (bool, error) {
	return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
}

// share turns f's lock into one that others may hold, too.
func share(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: lockOffsetHigh}
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, at) // not locked is fine
	_, err := lockFile(f, 0)
	return err
}

func lockFile(f *os.File, flags uint32) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: lockOffsetHigh})
	if err == nil {
		return true, nil
	}
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
}

// publish gives the written part its final name and keeps it open with a shared
// lock. Windows renames no open file.
func publish(part *os.File, name string) (*os.File, error) {
	if err := part.Close(); err != nil {
		return nil, err
	}
	if err := os.Rename(part.Name(), name); err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return f, share(f)
}
