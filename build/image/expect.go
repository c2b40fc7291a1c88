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
}

// expect merges the archives' directories; contents are read by read.
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

// bytes is how much read will report: the sizes of the files that won.
func (x expected) bytes() int64 {
	total := int64(0)
	for _, w := range x {
		if w.zip != nil && w.kind == zipdir.File {
			total += w.zip.Size
		}
	}
	return total
}

// read takes the links' targets and the files' hashes from the archives, one
// archive in each goroutine, in the order of its data. progress, which may be
// nil, gets the files' bytes from those goroutines.
func (x expected) read(ctx context.Context, progress func(int64)) error {
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
			files := &fileReader{sum: sha256.New(), crc: crc32.NewIEEE(), inflater: inflate.NewReader(), buf: make([]byte, 64<<10)}
			for _, w := range list {
				if err := w.read(ctx, src, files, progress); err != nil {
					return fmt.Errorf("read %s of %s: %w", w.zip.Name, src.Name, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// maxTarget is the longest link target that Linux takes (PATH_MAX).
const maxTarget = 4096

func (w *wanted) read(ctx context.Context, src *layer.Source, files *fileReader, progress func(int64)) error {
	if w.kind == zipdir.File {
		whole, err := files.read(ctx, src.Dir, w.zip)
		if err != nil {
			return err
		}
		if whole {
			files.sum.Sum(w.sha256[:0])
			if progress != nil {
				progress(w.zip.Size)
			}
			return nil
		}
	}
	rc, err := src.Dir.Open(w.zip)
	if err != nil {
		return err
	}
	defer rc.Close()
	in := &cancelable{ctx, rc}
	if w.kind == zipdir.Symlink {
		target, err := io.ReadAll(io.LimitReader(in, maxTarget+1))
		w.target = string(target)
		return err
	}
	if _, err = io.CopyBuffer(io.Discard, in, files.buf); err == nil {
		err = errors.New("two ways to read it do not agree")
	}
	return err
}

// fileReader hashes files of one archive, fast. What it finds wrong it leaves to
// zipdir to tell.
type fileReader struct {
	sum      hash.Hash
	crc      hash.Hash32
	inflater *inflate.Reader
	buf      []byte
}

// read takes a file's SHA-256 to sum and reports whether the file is what its
// archive says. An error is ctx's.
func (r *fileReader) read(ctx context.Context, dir *zipdir.Directory, e *zipdir.Entry) (whole bool, err error) {
	off, err := dir.DataOffset(e)
	if err != nil {
		return false, ctx.Err()
	}
	var in io.Reader = io.NewSectionReader(dir.ReaderAt(), off, e.CompressedSize)
	if e.Method == zipdir.Deflate {
		r.inflater.Reset(in)
		in = r.inflater
	}
	r.sum.Reset()
	r.crc.Reset()
	out := struct{ io.Writer }{io.MultiWriter(r.sum, r.crc)}
	n, err := io.CopyBuffer(out, &cancelable{ctx, io.LimitReader(in, e.Size+1)}, r.buf)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	used := e.CompressedSize
	if e.Method == zipdir.Deflate {
		used = (r.inflater.EndBit() + 7) / 8
	}
	return err == nil && n == e.Size && used == e.CompressedSize && r.crc.Sum32() == e.CRC32, nil
}
