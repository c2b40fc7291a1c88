package recipe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write makes dir with the files in it: whole or not at all. A directory that is
// there must be empty. What is already on disk under CopyOf is copied.
func Write(ctx context.Context, dir string, files []File) error {
	dir = filepath.Clean(dir)
	if err := write(ctx, dir, files); err != nil {
		return fmt.Errorf("write the recipe to %s: %w", dir, err)
	}
	return nil
}

func write(ctx context.Context, dir string, files []File) error {
	found, err := os.ReadDir(dir)
	switch {
	case err == nil && len(found) > 0:
		return errors.New("the directory is not empty: name another")
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	part, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part) // does nothing once it has its final name
	for _, f := range files {
		if err := f.write(ctx, part); err != nil {
			return err
		}
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(part, dir)
}

func (f *File) write(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
		return fmt.Errorf("%q is no name within the folder", f.Name)
	}
	to := filepath.Join(dir, filepath.FromSlash(f.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if f.Exec {
		mode = 0o755
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	err = f.content(ctx, out)
	return errors.Join(err, out.Close())
}

func (f *File) content(ctx context.Context, out io.Writer) error {
	if f.CopyOf == "" {
		_, err := out.Write(f.Content)
		return err
	}
	in, err := os.Open(f.CopyOf)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, &reader{ctx, in})
	return err
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
