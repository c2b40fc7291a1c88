package zipdir

import (
	"context"
	"fmt"
	"io"
	"os"
)

// OpenFile opens and reads a local archive, which errors call by its path.
// Since reading costs little there, every local header is checked and the
// symlinks' targets are read as well. Close the closer when done with the
// Directory.
func OpenFile(path string) (*Directory, io.Closer, error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	if err != nil {
		return nil, nil, fmt.Errorf("open archive: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &Error{Archive: path, Rule: RuleNotZip, Detail: "not a regular file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open archive: %w", err)
	}
	d, err := readFile(path, f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return d, f, nil
}

func readFile(path string, f *os.File) (*Directory, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	d, err := Read(path, f, info.Size())
	if err != nil {
		return nil, err
	}
	if err := d.CheckHeaders(context.Background()); err != nil {
		return nil, err
	}
	return d, d.ReadLinks()
}
