package preview

import (
	"context"
	"io"
	"os"
)

// spooled is a file's content where it can be read at any place. Closing removes it.
type spooled struct{ *os.File }

func (s spooled) Close() error {
	err := s.File.Close()
	if rm := os.Remove(s.Name()); err == nil && !os.IsNotExist(rm) {
		err = rm
	}
	return err
}

// spool keeps a file's content on disk while it is looked at.
func spool(ctx context.Context, f File, progress func(int64)) (_ *spooled, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	file, err := os.CreateTemp("", "optlift-*") // made 0600
	if err != nil {
		return nil, err
	}
	s := &spooled{file}
	_ = os.Remove(file.Name()) // where that is allowed, nothing is left even when the program is killed
	if _, err = io.Copy(file, &counted{r, progress, 0}); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = s.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return s, nil
}

// counted tells how much has been read.
type counted struct {
	io.Reader
	tell func(int64)
	n    int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	if c.tell != nil {
		c.tell(c.n)
	}
	return n, err
}
