package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Archive is one opened zip.
type Archive struct {
	Name   string // ARN, path, or "code of NAME"
	Root   layer.Root
	SHA256 string // hex; "" when unknown
	Dir    *zipdir.Directory
	// File is the local file that holds the whole archive; "" while it is
	// read by range, or arriving.
	File string
	// Missing says why a layer that Opener.Elsewhere knows of, or that Opener.Partly
	// does without, has no Dir: it was deleted, or may not be read. State is which.
	Missing error
	State   account.State // OK, Deleted or Denied

	verify func(context.Context) error // nil for what has been verified
}

// Set is what one or more targets stand for. Its methods may be called
// concurrently until Close.
type Set struct {
	// Function is set when one of the targets is a function.
	Function *account.Function
	Layers   []Archive // in merge order
	Code     *Archive  // a function's code; nil for layers and zips

	life    context.Context
	end     context.CancelFunc
	closers []io.Closer

	mu  sync.Mutex
	opt *optfs.Tree
	in  *optfs.Tree // the code alone
}

// Opener opens targets. Session is called once, and only when a target is not
// a local file, so that local work needs no account.
type Opener struct {
	Session func(ctx context.Context) (*session.Session, error)
	// Scratch is where whole archives are kept when a job needs all their bytes.
	Scratch string
	// Cache keeps archives' directories between runs; nil keeps none.
	Cache *archive.Cache
	// Elsewhere, which may be nil, names layers whose files the caller has from
	// elsewhere, by their place in the merge order (from 0) and name: one of them
	// may be deleted or denied.
	Elsewhere func(place int, name string) bool
	// Partly opens a function all the same where a layer of its own was deleted or
	// may not be read; that is then Missing. What lies under /opt is only a part.
	Partly bool
}

// isLocal tells a zip on this machine from what lives in the account. A bare
// name is a function's unless it ends in ".zip" or such a file exists.
func isLocal(target string) bool {
	if strings.HasPrefix(target, "arn:") {
		return false
	}
	if strings.HasSuffix(strings.ToLower(target), ".zip") || strings.ContainsAny(target, `/\`) {
		return true
	}
	info, err := os.Stat(target)
	return err == nil && info.Mode().IsRegular()
}

// item is one archive that a target stands for, not opened yet.
type item struct {
	name   string
	root   layer.Root
	local  bool
	locate archive.Locator
	sum    string // base64, "" when only locate knows
	s      *session.Session
	own    bool // a layer that the function has by itself
}

// plan finds out what the targets stand for. It reads no archive.
func (o *Opener) plan(ctx context.Context, targets []string) (f *account.Function, layers []item, code *item, err error) {
	if len(targets) == 0 {
		return nil, nil, nil, errors.New("no target: name a function, a layer version ARN or a zip")
	}
	var s *session.Session
	for _, t := range targets {
		if isLocal(t) {
			layers = append(layers, item{name: t, root: layer.Opt, local: true})
			continue
		}
		if s == nil {
			if s, err = o.Session(ctx); err != nil {
				return nil, nil, nil, err
			}
		}
		if account.IsLayerVersion(t) {
			layers = append(layers, layerItem(s, t))
			continue
		}
		if strings.Contains(t, ":layer:") {
			return nil, nil, nil, fmt.Errorf("%s names a layer without its version: add the number, as in %s:1", t, t)
		}
		if f != nil {
			return nil, nil, nil, fmt.Errorf("%s and %s are both functions: name one function, and layers to put on top of its own", f.Name, t)
		}
		found, out, err := account.Lookup(ctx, s, t)
		if err != nil {
			return nil, nil, nil, err
		}
		if found.PackageType == "Image" {
			return nil, nil, nil, fmt.Errorf("%s is a container image already: it has no layers and no zip to look into", found.Name)
		}
		f = found
		code = &item{
			name: "code of " + f.Name, root: layer.Task, sum: f.CodeSHA256, s: s,
			locate: account.CodeLocator(s.Lambda(f.Region), t, out),
		}
		for _, l := range f.Layers {
			it := layerItem(s, l.ARN)
			it.own = true
			layers = append(layers, it)
		}
	}
	return f, layers, code, nil
}

func layerItem(s *session.Session, arn string) item {
	return item{name: arn, root: layer.Opt, s: s, locate: account.LayerLocator(s.Lambda(account.RegionOfARN(arn)), arn, nil)}
}

// Open opens targets for looking into: remote archives are read by range. The
// Set outlives ctx; its methods take their own.
func (o *Opener) Open(ctx context.Context, targets ...string) (*Set, error) {
	return o.assemble(ctx, targets, o.look)
}

// look opens one archive, a remote one by range.
func (o *Opener) look(ctx context.Context, set *Set, it item) (Archive, error) {
	if it.local {
		return openLocal(set, it, false)
	}
	loc, err := it.locate(ctx)
	if err != nil {
		return Archive{}, err // it names the function or layer version
	}
	cache := o.Cache
	if cache == nil {
		cache = archive.OpenCache("")
	}
	a, err := cache.Open(set.life, it.s.HTTP(), it.name, loc.SHA256, firstThen(loc, it.locate))
	if err != nil {
		return Archive{}, err
	}
	set.keep(a)
	dir, err := zipdir.Read(it.name, a, a.Size())
	if err != nil {
		var broken *zipdir.Error
		if errors.As(err, &broken) {
			a.Discard()
		}
		return Archive{}, err
	}
	return Archive{Name: it.name, Root: it.root, SHA256: hexSum(loc.SHA256), Dir: dir}, nil
}

// firstThen serves a Location that is at hand once, then asks again.
func firstThen(loc archive.Location, again archive.Locator) archive.Locator {
	used := false
	return func(ctx context.Context) (archive.Location, error) {
		if !used {
			used = true
			return loc, nil
		}
		return again(ctx)
	}
}

// assemble opens every archive of the targets, code last.
func (o *Opener) assemble(ctx context.Context, targets []string, open func(context.Context, *Set, item) (Archive, error)) (*Set, error) {
	f, layers, code, err := o.plan(ctx, targets)
	if err != nil {
		return nil, err
	}
	return o.openAll(ctx, f, layers, code, open)
}

// openAll opens the archives that were planned.
func (o *Opener) openAll(ctx context.Context, f *account.Function, layers []item, code *item, open func(context.Context, *Set, item) (Archive, error)) (_ *Set, err error) {
	set := newSet(ctx, f)
	// While opening, ctx's end ends the set's own life as well.
	stop := context.AfterFunc(ctx, set.end)
	defer func() {
		stop()
		if err != nil {
			_ = set.Close()
		}
	}()
	items := layers
	if code != nil {
		items = append(items, *code)
	}
	opened := make([]Archive, len(items))
	if err := each(ctx, len(items), func(ctx context.Context, i int) error {
		var err error
		opened[i], err = open(ctx, set, items[i])
		if err == nil {
			opened[i].State = account.OK
			return nil
		}
		if i < len(layers) && (o.Partly && items[i].own || o.Elsewhere != nil && o.Elsewhere(i, items[i].name)) {
			if state := account.StateOf(err); state == account.Deleted || state == account.Denied {
				opened[i] = Archive{Name: items[i].name, Root: items[i].root, Missing: err, State: state}
				return nil
			}
		}
		return err
	}); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	set.Layers = opened[:len(layers)]
	if code != nil {
		set.Code = &opened[len(layers)]
	}
	return set, nil
}

func newSet(ctx context.Context, f *account.Function) *Set {
	set := &Set{Function: f}
	set.life, set.end = context.WithCancel(context.WithoutCancel(ctx))
	return set
}

func (s *Set) keep(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, c)
}

// Close closes every archive.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	s.closers = nil
	s.end()
	return errors.Join(errs...)
}

// Request is what an image of the set is made from; base, store and the like
// are the caller's to add.
func (s *Set) Request() image.Request {
	req := image.Request{}
	if f := s.Function; f != nil {
		req.Runtime, req.Handler, req.Architecture = f.Runtime, f.Handler, f.Architecture
		if f.Wrapper != "" {
			req.Executables = []string{f.Wrapper}
		}
	}
	for i := range s.Layers {
		req.Layers = append(req.Layers, s.Layers[i].source())
	}
	if s.Code != nil {
		req.Code = s.Code.source()
	}
	return req
}

func (a *Archive) source() layer.Source {
	return layer.Source{Name: a.Name, Dir: a.Dir, SHA256: a.SHA256, Root: a.Root, Verify: a.verify}
}
