package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
)

// twin holds the files of an image layer against the archive that it was made
// from, byte for byte, while both are inflated side by side: all that the
// archive has to say is read from the archive itself. Nothing needs to be hashed
// for that.
type twin struct {
	ctx      context.Context
	src      *layer.Source
	files    *fileReader
	buf      []byte
	progress func(int64) // gets files' bytes, may be nil
	programs []machine.Program
}

// errOther says that a layer does not hold what its archive does.
var errOther = errors.New("not what the archive holds")

// scanTwin scans a layer that was made from src. Where the layer holds anything
// else than src it returns nil: then hashes have to tell what.
func scanTwin(ctx context.Context, l v1.Layer, src *layer.Source, progress func(int64)) *layerScan {
	t := &twin{ctx: ctx, src: src, files: newFileReader(), buf: make([]byte, 64<<10), progress: progress}
	s, err := scanLayer(ctx, l, v1.Descriptor{}, t.check, nil)
	if err != nil || s.err != nil {
		return nil // to be read again, by who tells why
	}
	for _, e := range s.entries {
		if e.linked() {
			return nil // it has its content from somewhere else
		}
	}
	s.twin, s.programs = identity(*src), t.programs
	return s
}

// check compares one file.
func (t *twin) check(e *entry, r io.Reader) error {
	name, below := strings.CutPrefix(e.name, string(t.src.Root)+"/")
	zip, found := t.src.Dir.Lookup(name)
	if !below || !found || zip.Kind != zipdir.File || zip.Size != e.size {
		return errOther
	}
	same := &comparison{with: r, buf: t.buf}
	if err := t.files.read(t.ctx, t.src, zip, same); err != nil {
		return err
	}
	if a := machine.Of(same.head[:same.n]); a != "" {
		t.programs = append(t.programs, machine.Program{Path: name, Architecture: a})
	}
	if t.progress != nil {
		t.progress(zip.Size)
	}
	return nil
}

// comparison is a writer that takes what another reader gives, and nothing else.
type comparison struct {
	with io.Reader
	buf  []byte
	head [machine.HeadSize]byte // of what was written
	n    int
}

func (c *comparison) Write(p []byte) (int, error) {
	c.n += copy(c.head[c.n:], p)
	for done := 0; done < len(p); {
		n, err := io.ReadFull(c.with, c.buf[:min(len(c.buf), len(p)-done)])
		if err != nil {
			return done, err
		}
		if !bytes.Equal(c.buf[:n], p[done:done+n]) {
			return done, errOther
		}
		done += n
	}
	return len(p), nil
}
