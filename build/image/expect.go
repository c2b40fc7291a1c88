package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"path"
	"slices"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
	"golang.org/x/sync/errgroup"
)

// expected is what the archives make, by path in the image, not rooted.
type expected map[string]*wanted

// wanted is one path as the archives say.
type wanted struct {
	kind   zipdir.Kind
	zip    *zipdir.Entry // nil for a directory that is only implied
	source *layer.Source
	target string
	sha256 [sha256.Size]byte
	hashed bool // sha256 has been taken
}

// expect merges the archives' directories; contents are read by hash or links.
func expect(layers []layer.Source, code *layer.Source) (expected, error) {
	want := make(expected)
	for i := range layers {
		if err := want.add("opt", &layers[i]); err != nil {
			return nil, err
		}
	}
	if code != nil {
		if err := want.add("var/task", code); err != nil {
			return nil, err
		}
	}
	return want, nil
}

// add merges an archive in, over what is there.
func (x expected) add(root string, src *layer.Source) error {
	for i := range src.Dir.Entries {
		e := &src.Dir.Entries[i]
		name := root + "/" + e.Name
		for dir := path.Dir(name); dir != root; dir = path.Dir(dir) {
			old := x[dir]
			if old == nil {
				x[dir] = &wanted{kind: zipdir.Dir, source: src}
			} else if old.kind != zipdir.Dir {
				return clash(dir, old, zipdir.Dir, src)
			}
		}
		if old := x[name]; old != nil && (old.kind == zipdir.Dir) != (e.Kind == zipdir.Dir) {
			return clash(name, old, e.Kind, src)
		}
		x[name] = &wanted{kind: e.Kind, zip: e, source: src}
	}
	return nil
}

func clash(name string, old *wanted, kind zipdir.Kind, src *layer.Source) error {
	return fmt.Errorf("prove the image: /%s is a %s in %s and a %s in %s: what Lambda makes of that is not documented",
		name, kindName(old.kind), old.source.Name, kindName(kind), src.Name)
}

// bytes is how much hash will report: the sizes of the files that won.
func (x expected) bytes() int64 {
	total := int64(0)
	for _, w := range x {
		if w.zip != nil && w.kind == zipdir.File {
			total += w.zip.Size
		}
	}
	return total
}

// hash takes the links' targets and the files' SHA-256 from the archives, one
// archive in each goroutine, in the order of its data. progress, which may be
// nil, gets the files' bytes from those goroutines.
func (x expected) hash(ctx context.Context, progress func(int64)) error {
	jobs := make(map[*layer.Source][]*wanted)
	for _, w := range x {
		if w.zip != nil && w.kind != zipdir.Dir {
			jobs[w.source] = append(jobs[w.source], w)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel())
	for src, list := range jobs {
		slices.SortFunc(list, func(a, b *wanted) int {
			return int(min(max(a.zip.HeaderOffset-b.zip.HeaderOffset, -1), 1))
		})
		group.Go(func() error {
			files, sum := newFileReader(), sha256.New()
			for _, w := range list {
				if err := ctx.Err(); err != nil {
					return err
				}
				if w.kind == zipdir.Symlink {
					if err := w.link(); err != nil {
						return err
					}
					continue
				}
				sum.Reset()
				if err := files.read(ctx, src, w.zip, sum); err != nil {
					return err
				}
				w.hashed = true
				sum.Sum(w.sha256[:0])
				if progress != nil {
					progress(w.zip.Size)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// links takes the links' targets from the archives.
func (x expected) links(ctx context.Context) error {
	for _, w := range x {
		if w.kind != zipdir.Symlink {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.link(); err != nil {
			return err
		}
	}
	return nil
}

// maxTarget is the longest link target that Linux takes (PATH_MAX).
const maxTarget = 4096

// link takes a link's target from its archive.
func (w *wanted) link() error {
	rc, err := w.source.Dir.Open(w.zip)
	if err != nil {
		return readError(w.source, w.zip, err)
	}
	defer rc.Close()
	target, err := io.ReadAll(io.LimitReader(rc, maxTarget+1))
	if err != nil {
		return readError(w.source, w.zip, err)
	}
	w.target = string(target)
	return nil
}

func readError(src *layer.Source, e *zipdir.Entry, err error) error {
	return fmt.Errorf("read %s of %s: %w", e.Name, src.Name, err)
}

// fileReader reads files of archives, fast. What it finds wrong it leaves to
// zipdir to tell.
type fileReader struct {
	crc      hash.Hash32
	inflater *inflate.Reader
	buf      []byte
}

func newFileReader() *fileReader {
	return &fileReader{crc: crc32.NewIEEE(), inflater: inflate.NewReader(), buf: make([]byte, 64<<10)}
}

// read writes a file's content to w, and fails unless it is what its archive says.
// What w answers is returned as it is.
func (r *fileReader) read(ctx context.Context, src *layer.Source, e *zipdir.Entry, w io.Writer) error {
	whole, err := r.content(ctx, src.Dir, e, w)
	if whole || err != nil {
		return err
	}
	rc, err := src.Dir.Open(e)
	if err != nil {
		return readError(src, e, err)
	}
	defer rc.Close()
	if _, err = io.CopyBuffer(io.Discard, &cancelable{ctx, rc}, r.buf); err == nil {
		err = errors.New("two ways to read it do not agree")
	}
	return readError(src, e, err)
}

// content does that without saying what is wrong with an archive. An error is w's
// or ctx's.
func (r *fileReader) content(ctx context.Context, dir *zipdir.Directory, e *zipdir.Entry, w io.Writer) (whole bool, err error) {
	off, err := dir.DataOffset(e)
	if err != nil {
		return false, ctx.Err()
	}
	var in io.Reader = io.NewSectionReader(dir.ReaderAt(), off, e.CompressedSize)
	if e.Method == zipdir.Deflate {
		r.inflater.Reset(in)
		in = r.inflater
	}
	r.crc.Reset()
	out := &watchedWriter{w: w}
	n, err := io.CopyBuffer(io.MultiWriter(out, r.crc), &cancelable{ctx, io.LimitReader(in, e.Size+1)}, r.buf)
	if out.err != nil {
		return false, out.err
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	used := e.CompressedSize
	if e.Method == zipdir.Deflate {
		used = (r.inflater.EndBit() + 7) / 8
	}
	return err == nil && n == e.Size && used == e.CompressedSize && r.crc.Sum32() == e.CRC32, nil
}

// watchedWriter tells its writer's errors from a reader's.
type watchedWriter struct {
	w   io.Writer
	err error
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}
