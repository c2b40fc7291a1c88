package overlay

import (
	"archive/tar"
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/flate"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

// maxBytes bounds what is taken of an image: Lambda runs none that is larger
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxBytes = 10 << 30

// Source writes the files to an archive in dir and returns it as a layer that
// people know as name. The same image gives the same archive. Close lets go of it
// and removes it.
func (o *Image) Source(ctx context.Context, name, dir string) (layer.Source, io.Closer, error) {
	src, file, err := o.source(ctx, name, dir)
	if err != nil {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		return layer.Source{}, nil, fmt.Errorf("take layer files from the image %s: %w", o.Reference, err)
	}
	return src, file, nil
}

// scratch is a file that goes when it is closed.
type scratch struct{ *os.File }

func (s scratch) Close() error { return errors.Join(s.File.Close(), os.Remove(s.Name())) }

func (o *Image) source(ctx context.Context, name, dir string) (src layer.Source, _ io.Closer, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return src, nil, err
	}
	file, err := os.CreateTemp(dir, "layer-*.zip")
	if err != nil {
		return src, nil, err
	}
	sum := sha256.New()
	size := &count{w: io.MultiWriter(file, sum)}
	if err := o.pack(ctx, size); err != nil {
		return src, scratch{file}, err
	}
	read, err := zipdir.Read(name, file, size.n)
	if err != nil {
		return src, scratch{file}, err
	}
	return layer.Source{Name: name, Dir: read, Root: layer.Opt, SHA256: hex.EncodeToString(sum.Sum(nil)), Image: o.Pinned}, scratch{file}, nil
}

type count struct {
	w io.Writer
	n int64
}

func (c *count) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// pack writes the files as a zip. A hard link becomes a file of its own, in a
// further pass over the image, which few of them need.
func (o *Image) pack(ctx context.Context, w io.Writer) error {
	out := zip.NewWriter(w)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.DefaultCompression) })
	left := int64(maxBytes)
	add := func(to string, mode fs.FileMode, r io.Reader) error {
		name := strings.TrimPrefix(to, string(layer.Opt)+"/")
		if mode.IsDir() {
			name += "/"
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		if mode.IsDir() {
			h.Method = zip.Store
		}
		f, err := out.CreateHeader(h)
		if err != nil {
			return err
		}
		n, err := io.Copy(f, io.LimitReader(r, left+1))
		if left -= n; err == nil && left < 0 {
			err = fmt.Errorf("its files are more than the %d GiB that Lambda runs", maxBytes>>30)
		}
		return err
	}
	shared := make(map[string][]string) // hard links, by the path that has the file
	err := o.walk(ctx, func(to string, h *tar.Header, r io.Reader) error {
		mode := fs.FileMode(h.Mode & 0o777)
		switch f := o.found[to]; {
		case h.Typeflag == tar.TypeDir:
			return add(to, fs.ModeDir|mode, strings.NewReader(""))
		case h.Typeflag == tar.TypeSymlink:
			return add(to, fs.ModeSymlink|0o777, strings.NewReader(h.Linkname))
		case h.Typeflag == tar.TypeReg:
			return add(to, mode, r)
		case h.Typeflag == tar.TypeLink && f.from != "":
			from := f.from
			for o.found[from].from != "" {
				from = o.found[from].from
			}
			if o.found[from].kind != tar.TypeReg {
				return errors.New("it shares what is no file")
			}
			shared[from] = append(shared[from], to)
			return nil
		}
		return errors.New("it is neither a file, a link nor a directory")
	})
	for err == nil && len(shared) > 0 {
		err = o.walk(ctx, func(from string, h *tar.Header, r io.Reader) error {
			names := shared[from]
			if len(names) == 0 || h.Typeflag != tar.TypeReg {
				return nil
			}
			if shared[from] = names[1:]; len(names) == 1 {
				delete(shared, from)
			}
			return add(names[0], fs.FileMode(h.Mode&0o777), r)
		})
	}
	return errors.Join(err, out.Close())
}
