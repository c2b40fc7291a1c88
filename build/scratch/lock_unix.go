//go:build unix

package scratch

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// hold locks f for as long as it is open.
func hold(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// own says whether a directory is this user's. Others may put what they like into
// the place for temporary files.
func own(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}

// abandoned says whether there is a lock that nobody holds.
func abandoned(lock string) bool {
	f, err := os.OpenFile(lock, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return regular(f) && hold(f) == nil
}
