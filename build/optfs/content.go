package optfs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/optlift/optlift/build/zipdir"
)

// Open returns the content of the winner, checked while it is read (see
// zipdir.Directory.Open).
func (t *Tree) Open(e *Entry) (io.ReadCloser, error) {
	if e.Kind == zipdir.Dir {
		return nil, fmt.Errorf("open %q: is a directory", e.Path)
	}
	return t.open(e.Winner, e.Zip)
}

// OpenShadow returns the content of a shadowed copy.
func (t *Tree) OpenShadow(s Shadow) (io.ReadCloser, error) {
	if s.Zip.Kind == zipdir.Dir {
		return nil, fmt.Errorf("open %q: is a directory", s.Path)
	}
	return t.open(s.Layer, s.Zip)
}

func (t *Tree) open(layer int, z *zipdir.Entry) (io.ReadCloser, error) {
	return t.Layers[layer-1].Dir.Open(z)
}

// Confirm reads every file whose copies look identical by size and CRC-32 and
// compares them byte by byte. It returns the tree as it truly is: t itself if
// all was true, else a copy with Identical and Conflicts corrected. It holds
// two small buffers, whatever the sizes.
func (t *Tree) Confirm(ctx context.Context) (*Tree, error) {
	sure := t
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for i := range t.Entries {
		e := &t.Entries[i]
		for j := range e.Shadows {
			s := &e.Shadows[j]
			if !s.Identical || e.Size == 0 || e.Kind == zipdir.Dir {
				continue
			}
			same, err := t.same(ctx, e, s, a, b)
			if err != nil {
				return nil, fmt.Errorf("compare %q in layers %d and %d: %w", e.Path, e.Winner, s.Layer, err)
			}
			if same {
				continue
			}
			if sure == t {
				c := *t
				c.Entries = slices.Clone(t.Entries)
				sure = &c
			}
			changed := &sure.Entries[i]
			if &changed.Shadows[0] == &e.Shadows[0] {
				changed.Shadows = slices.Clone(e.Shadows)
			}
			changed.Shadows[j].Identical = false
		}
	}
	if sure != t {
		sure.count()
	}
	return sure, nil
}

// same compares a winner with a shadow of the same size.
func (t *Tree) same(ctx context.Context, e *Entry, s *Shadow, a, b []byte) (bool, error) {
	x, err := t.Open(e)
	if err != nil {
		return false, err
	}
	defer x.Close()
	y, err := t.OpenShadow(*s)
	if err != nil {
		return false, err
	}
	defer y.Close()
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		n, errX := io.ReadFull(x, a)
		m, errY := io.ReadFull(y, b)
		for _, err := range []error{errX, errY} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return false, err
			}
		}
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if errX != nil || errY != nil {
			return true, nil
		}
	}
}
