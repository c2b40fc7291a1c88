package rootfs

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// The names that take files of lower layers away
// (https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// FromLayers applies uncompressed image layers, lowest first. The contents of
// files go to one temporary file below dir, which Close removes; memory holds the
// names only.
func FromLayers(ctx context.Context, dir string, layers ...func() (io.ReadCloser, error)) (*Tree, error) {
	spool, err := os.CreateTemp(dir, "rootfs-")
	if err != nil {
		return nil, fmt.Errorf("unpack an image: %w", err)
	}
	t := newTree()
	t.close = func() error { return errors.Join(spool.Close(), os.Remove(spool.Name())) }
	s := &spooler{ctx: ctx, tree: t, file: spool}
	for i, open := range layers {
		if err := s.layer(open); err != nil {
			return nil, errors.Join(fmt.Errorf("unpack image layer %d: %w", i+1, err), t.Close())
		}
	}
	return t, nil
}

type spooler struct {
	ctx  context.Context
	tree *Tree
	file *os.File
	at   int64
}

func (s *spooler) layer(open func() (io.ReadCloser, error)) error {
	rc, err := open()
	if err != nil {
		return err
	}
	defer rc.Close()
	// Whiteouts hide what lower layers hold, never what their own layer adds,
	// wherever they stand in it: entries go to a tree of their own first.
	added := newTree()
	var gone, hollow []string
	tr := tar.NewReader(rc)
	for {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name := path.Clean("/" + h.Name)
		switch base := path.Base(name); {
		case base == opaque:
			hollow = append(hollow, path.Dir(name))
		case strings.HasPrefix(base, whiteout):
			gone = append(gone, path.Join(path.Dir(name), strings.TrimPrefix(base, whiteout)))
		default:
			if err := s.add(added, name, h, tr); err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
		}
	}
	for _, name := range gone {
		s.tree.remove(name)
	}
	for _, name := range hollow {
		if n := s.tree.walk(elements(name)); n != nil && n.Kind == Dir {
			n.children = map[string]*Node{}
		}
	}
	s.tree.overlay("", added.root)
	return nil
}

func (s *spooler) add(added *Tree, name string, h *tar.Header, content io.Reader) error {
	mode := fs.FileMode(h.Mode) & fs.ModePerm
	switch h.Typeflag {
	case tar.TypeDir:
		added.put(name, newDir(mode))
	case tar.TypeSymlink:
		added.put(name, &Node{Kind: Link, Mode: 0o777, Target: h.Linkname})
	case tar.TypeLink:
		target := added.walk(elements(h.Linkname))
		if target == nil {
			target = s.tree.walk(elements(h.Linkname))
		}
		if target == nil {
			return fmt.Errorf("hard link to %s, which is not there", h.Linkname)
		}
		added.put(name, target)
	case tar.TypeReg:
		n, err := io.Copy(s.file, content)
		if err != nil {
			return err
		}
		at, file := s.at, s.file
		s.at += n
		added.put(name, &Node{Kind: File, Mode: mode, Size: n, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(file, at, n)), nil
		}})
	}
	// Devices and pipes are no files a function could read.
	return nil
}

// overlay lays a directory of another tree over the one at name.
func (t *Tree) overlay(name string, over *Node) {
	t.put(name, &Node{Kind: Dir, Mode: over.Mode, children: map[string]*Node{}})
	for child, n := range over.children {
		if n.Kind == Dir {
			t.overlay(name+"/"+child, n)
		} else {
			t.put(name+"/"+child, n)
		}
	}
}
