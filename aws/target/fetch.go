package target

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
)

// downloadsAtOnce bounds parallel transfers: one alone rarely fills a line.
const downloadsAtOnce = 4

// Fetch opens targets for converting: remote archives are downloaded to
// Scratch and verified against Lambda's SHA-256 first. progress, which may be
// nil, is never called concurrently.
func (o *Opener) Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*Set, error) {
	return o.assemble(ctx, targets, o.fetcher(progress, true))
}

// Follow opens targets for converting while they arrive: it returns as soon as
// the remote archives' directories are known, and what reads them waits for
// their bytes. They go to Scratch and count for nothing before their sources'
// Verify has held them against Lambda's SHA-256. ctx bounds the transfers, Close
// ends them. progress, which may be nil, is never called concurrently.
func (o *Opener) Follow(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*Set, error) {
	set, err := o.assemble(ctx, targets, o.fetcher(progress, false))
	if err == nil {
		context.AfterFunc(ctx, set.end)
	}
	return set, err
}

// fetcher opens archives for converting, once they are there or before.
func (o *Opener) fetcher(progress func(name string, done, total int64), whole bool) func(context.Context, *Set, item) (Archive, error) {
	var mu sync.Mutex
	return func(ctx context.Context, set *Set, it item) (Archive, error) {
		if it.local {
			return openLocal(set, it, true)
		}
		return o.fetch(ctx, set, it, whole, func(done, total int64) {
			if progress != nil {
				mu.Lock()
				defer mu.Unlock()
				progress(it.name, done, total)
			}
		})
	}
}

// FetchLocal opens local zips for converting. code may be "".
func (o *Opener) FetchLocal(ctx context.Context, code string, layers []string) (_ *Set, err error) {
	set := newSet(ctx, nil)
	defer func() {
		if err != nil {
			_ = set.Close()
		}
	}()
	for _, file := range layers {
		a, err := openLocal(set, item{name: file, root: layer.Opt}, true)
		if err != nil {
			return nil, err
		}
		set.Layers = append(set.Layers, a)
	}
	if code != "" {
		a, err := openLocal(set, item{name: code, root: layer.Task}, true)
		if err != nil {
			return nil, err
		}
		set.Code = &a
	}
	return set, ctx.Err()
}

// fetch downloads one archive, or takes the copy that an earlier call left. Unless
// the whole is asked for it returns while the archive arrives.
func (o *Opener) fetch(ctx context.Context, set *Set, it item, whole bool, progress func(done, total int64)) (Archive, error) {
	loc, err := it.locate(ctx)
	if err != nil {
		return Archive{}, err // it names the function or layer version
	}
	sum := hexSum(loc.SHA256)
	if sum == "" {
		return Archive{}, fmt.Errorf("download %s: no SHA-256 is known to hold it against", it.name)
	}
	if err := os.MkdirAll(o.Scratch, 0o700); err != nil {
		return Archive{}, fmt.Errorf("make the scratch directory: %w", err)
	}
	file := filepath.Join(o.Scratch, sum+".zip")
	switch {
	case intact(file, sum):
		if info, err := os.Stat(file); err == nil {
			progress(info.Size(), info.Size())
		}
	case whole:
		if err := archive.Download(ctx, it.s.HTTP(), it.name, firstThen(loc, it.locate), file, progress); err != nil {
			return Archive{}, err
		}
	default:
		a, err := archive.Follow(set.life, it.s.HTTP(), it.name, firstThen(loc, it.locate), file, progress)
		if err != nil {
			return Archive{}, err
		}
		set.keep(a)
		dir, err := zipdir.Read(it.name, a, a.Size())
		return Archive{Name: it.name, Root: it.root, SHA256: sum, Dir: dir, verify: a.Verify}, err
	}
	dir, err := openZip(set, it.name, file)
	if err != nil {
		return Archive{}, err
	}
	return Archive{Name: it.name, Root: it.root, SHA256: sum, Dir: dir, File: file}, nil
}

// intact reports whether file holds the bytes of sum.
func intact(file, sum string) bool {
	got, err := fileSum(file)
	return err == nil && got == sum
}

func fileSum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hexSum turns Lambda's base64 into hex; "" for anything that is no SHA-256.
func hexSum(sum string) string {
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || len(raw) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(raw)
}

// openLocal opens a zip on this machine. Its SHA-256 costs reading it all, so
// it is computed only where asked for.
func openLocal(set *Set, it item, withSum bool) (Archive, error) {
	a := Archive{Name: it.name, Root: it.root, File: it.name}
	dir, closer, err := zipdir.OpenFile(it.name)
	if errors.Is(err, os.ErrNotExist) {
		return Archive{}, fmt.Errorf("there is no file %s", it.name)
	}
	if err != nil {
		return Archive{}, err
	}
	set.keep(closer)
	a.Dir = dir
	if withSum {
		if a.SHA256, err = fileSum(it.name); err != nil {
			return Archive{}, fmt.Errorf("read %s: %w", it.name, err)
		}
	}
	return a, nil
}

// openZip opens a downloaded archive under the name that people know.
func openZip(set *Set, name, file string) (*zipdir.Directory, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	set.keep(f)
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	dir, err := zipdir.Read(name, f, info.Size())
	if err != nil {
		return nil, err
	}
	return dir, dir.ReadLinks()
}

// each runs f for 0 to n-1, a few at once, until one fails.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(downloadsAtOnce)
	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}
