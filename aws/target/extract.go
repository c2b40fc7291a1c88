package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Extracted says what Extract wrote.
type Extracted struct {
	Files int   // files and links
	Bytes int64 // of the files
	// Outside are links that lead out of the directory, such as absolute ones.
	// They are written as they are; nothing was written through them.
	Outside []string
}

// Extract unpacks the merged files below name ("" or "/" is everything) into
// dir. A function's go to dir/opt and dir/var/task, the files of layers and zips
// right below dir; a single file goes to dir under its own name.
//
// Nothing that is there is overwritten: one path in the way refuses the whole.
// Files are unpacked beside their place first and moved when all are complete
// and their CRC-32 has been checked, so that a failure leaves nothing behind.
// progress, which may be nil, gets bytes done and total.
func (s *Set) Extract(ctx context.Context, name, dir string, progress func(done, total int64)) (*Extracted, error) {
	return s.ExtractAll(ctx, []string{name}, dir, progress)
}

// ExtractAll is Extract for several names, all of them or none. Where there is
// more than one, a single file keeps its directories below dir, so that two of
// the same name don't meet.
func (s *Set) ExtractAll(ctx context.Context, names []string, dir string, progress func(done, total int64)) (*Extracted, error) {
	x := &extraction{ctx: ctx, progress: progress, whole: len(names) > 1, seen: map[string]bool{}}
	for _, name := range names {
		if err := s.gather(ctx, x, name); err != nil {
			return nil, err
		}
	}
	made, err := makeDir(dir)
	if err == nil {
		err = x.write(dir)
	}
	if err != nil {
		for _, d := range made { // deepest first; only what is empty goes
			_ = os.Remove(d)
		}
		return nil, fmt.Errorf("extract to %s: %w", dir, err)
	}
	return &x.result, nil
}

// makeDir makes dir and says which directories it had to make, deepest first.
func makeDir(dir string) (made []string, err error) {
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Lstat(d); err == nil || !errors.Is(err, fs.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	return made, os.MkdirAll(dir, 0o755)
}

// gather collects what lies below name.
func (s *Set) gather(ctx context.Context, x *extraction, name string) error {
	for i := range s.Layers {
		if s.Layers[i].Dir == nil {
			continue
		}
		if err := s.Layers[i].Dir.CheckBomb(zipdir.DefaultLimits()); err != nil {
			return err
		}
	}
	if s.Code != nil {
		if err := s.Code.Dir.CheckBomb(zipdir.DefaultLimits()); err != nil {
			return err
		}
	}
	if path.Clean("/"+name) == "/" {
		opt, err := s.tree(ctx, layer.Opt)
		if err != nil {
			return err
		}
		if s.Code == nil {
			return x.add(opt, "", "")
		}
		task, err := s.Task(ctx)
		if err != nil {
			return err
		}
		if err := x.add(opt, "", string(layer.Opt)); err != nil {
			return err
		}
		return x.add(task, "", string(layer.Task))
	}
	f, err := s.Find(ctx, name)
	if err != nil {
		return err
	}
	if f.Entry.Kind != zipdir.Dir {
		to := path.Base(path.Clean("/" + name))
		if x.whole {
			to = path.Clean("/" + name)[1:]
		}
		x.put(to, f.Tree, f.Entry)
		return nil
	}
	return x.add(f.Tree, f.Entry.Path, strings.TrimPrefix(f.Path, "/"))
}

// extraction is one run of Extract.
type extraction struct {
	ctx      context.Context
	progress func(done, total int64)
	whole    bool // a single file keeps its directories
	items    []piece
	seen     map[string]bool // what is among items already
	done     int64
	total    int64
	result   Extracted
}

type piece struct {
	to    string // slash-separated, below the directory
	tree  *optfs.Tree
	entry *optfs.Entry // nil for a directory that only holds others
}

// add takes a tree's entries below from, placed below to.
func (x *extraction) add(tree *optfs.Tree, from, to string) error {
	if len(tree.Clashes) > 0 {
		c := tree.Clashes[0]
		return fmt.Errorf("%q is a %s in layer %d and a %s in layer %d: extract the layers one by one",
			c.Path, c.Kinds[0], c.Layers[0], c.Kinds[1], c.Layers[1])
	}
	x.parents(to + "/x")
	for i := range tree.Entries {
		e := &tree.Entries[i]
		rel, inside := e.Path, true
		if from != "" {
			rel, inside = strings.CutPrefix(e.Path, from+"/")
		}
		if inside {
			x.put(path.Join(to, rel), tree, e)
		}
	}
	return nil
}

func (x *extraction) put(to string, tree *optfs.Tree, e *optfs.Entry) {
	x.parents(to)
	if x.seen[to] {
		return
	}
	x.seen[to] = true
	x.items = append(x.items, piece{to: to, tree: tree, entry: e})
	if e.Kind == zipdir.File {
		x.total += e.Size
	}
}

func (x *extraction) parents(to string) {
	for i, c := range to {
		if c == '/' && i > 0 && !x.seen[to[:i]] {
			x.seen[to[:i]] = true
			x.items = append(x.items, piece{to: to[:i]})
		}
	}
}

func (p piece) isDir() bool  { return p.entry == nil || p.entry.Kind == zipdir.Dir }
func (p piece) isLink() bool { return p.entry != nil && p.entry.Kind == zipdir.Symlink }

// write unpacks into a directory of its own inside dir and moves the result
// into place. An os.Root keeps every step inside, whatever links are there.
func (x *extraction) write(dir string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := x.inTheWay(root); err != nil {
		return err
	}
	stageDir, err := os.MkdirTemp(dir, ".optlift-*")
	if err != nil {
		return err
	}
	stage := filepath.Base(stageDir)
	defer func() {
		if rmErr := root.RemoveAll(stage); err == nil {
			err = rmErr
		}
	}()
	for n, p := range x.items {
		if err := x.stage(root, fmt.Sprintf("%s/%d", stage, n), p); err != nil {
			return err
		}
	}
	return x.place(root, stage)
}

// inTheWay refuses when a path is there already; directories may be.
func (x *extraction) inTheWay(root *os.Root) error {
	for _, p := range x.items {
		info, err := root.Lstat(filepath.FromSlash(p.to))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !p.isDir() || !info.IsDir():
			return fmt.Errorf("%s is there already: nothing is overwritten; choose another directory", p.to)
		}
	}
	return nil
}

// stage unpacks one file under a name that no archive chose. Links come later.
func (x *extraction) stage(root *os.Root, as string, p piece) error {
	if p.isDir() || p.isLink() {
		return x.ctx.Err()
	}
	src, err := p.tree.Open(p.entry)
	if err != nil {
		return err
	}
	defer src.Close()
	f, err := root.OpenFile(filepath.FromSlash(as), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, &counted{Reader: src, x: x}, make([]byte, 128<<10))
	if err == nil {
		err = f.Chmod(p.entry.Mode & fs.ModePerm)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// counted reports progress and stops when the context ends.
type counted struct {
	io.Reader
	x *extraction
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.Reader.Read(b)
	c.x.done += int64(n)
	if c.x.progress != nil && n > 0 {
		c.x.progress(c.x.done, c.x.total)
	}
	return n, err
}

// place makes the directories, moves the files, and makes the links last, so
// that no file goes through one. On failure it takes back what it made.
func (x *extraction) place(root *os.Root, stage string) (err error) {
	var made []string
	dirs := map[string]bool{}
	defer func() {
		if err != nil {
			for _, name := range slices.Backward(made) {
				_ = root.Remove(name)
			}
		}
	}()
	for n, p := range x.items {
		to := filepath.FromSlash(p.to)
		switch {
		case p.isLink():
			continue
		case p.isDir():
			err = root.Mkdir(to, 0o755)
			if errors.Is(err, fs.ErrExist) {
				err = nil
				continue
			}
			dirs[p.to] = true
		default:
			err = root.Rename(filepath.FromSlash(fmt.Sprintf("%s/%d", stage, n)), to)
			x.result.Files++
			x.result.Bytes += p.entry.Size
		}
		if err != nil {
			return err
		}
		made = append(made, to)
	}
	for _, p := range x.items {
		if !p.isLink() {
			continue
		}
		to := filepath.FromSlash(p.to)
		if err := root.Symlink(p.entry.Target, to); err != nil {
			return err
		}
		made = append(made, to)
		x.result.Files++
		if path.IsAbs(p.entry.Target) || zipdir.Climbs(p.to, p.entry.Target) {
			x.result.Outside = append(x.result.Outside, p.to)
		}
	}
	// Modes of new directories last and deepest first; their owner keeps access.
	for _, p := range slices.Backward(x.items) {
		if dirs[p.to] && p.entry != nil {
			if err := root.Chmod(filepath.FromSlash(p.to), p.entry.Mode&fs.ModePerm|0o700); err != nil {
				return err
			}
		}
	}
	return nil
}
