package scratch

import (
	"io/fs"
	"os"
)

// hold has nothing to do: Windows removes no file that is open.
func hold(*os.File) error { return nil }

// own is true: Windows' place for temporary files is each user's own.
func own(fs.FileInfo) bool { return true }

// abandoned says whether there is a lock that nobody holds, and removes it.
func abandoned(lock string) bool { return os.Remove(lock) == nil }
