package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Opt merges the layers into what lies under /opt. The targets of remote
// archives' links are read for it, a request or more each where they lie apart.
func (s *Set) Opt(ctx context.Context) (*optfs.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opt == nil {
		tree, err := s.merge(ctx, s.Layers)
		if err != nil {
			return nil, err
		}
		s.opt = tree
	}
	return s.opt, nil
}

// Task is the tree of the function's code under /var/task; nil without code.
func (s *Set) Task(ctx context.Context) (*optfs.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in == nil && s.Code != nil {
		tree, err := s.merge(ctx, []Archive{*s.Code})
		if err != nil {
			return nil, err
		}
		s.in = tree
	}
	return s.in, nil
}

// merge reads links and merges. The caller holds mu. ctx's end ends the set:
// its reads have no other way to stop.
func (s *Set) merge(ctx context.Context, archives []Archive) (*optfs.Tree, error) {
	defer context.AfterFunc(ctx, s.end)()
	layers := make([]optfs.Layer, len(archives))
	for i := range archives {
		layers[i] = optfs.Layer{Source: archives[i].Name, Dir: archives[i].Dir}
		if archives[i].Dir == nil {
			continue
		}
		if err := archives[i].Dir.ReadLinks(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, err
		}
	}
	return optfs.Merge(layers...), nil
}

// File is one file of a set.
type File struct {
	Path  string // absolute in the function, or below the layer's root
	Tree  *optfs.Tree
	Entry *optfs.Entry
}

// Open returns the file's content, checked against size and CRC-32 while read.
func (f *File) Open() (io.ReadCloser, error) { return f.Tree.Open(f.Entry) }

// Find finds a file by path, following links: "/opt/x" or "/var/task/x" for a
// function, a path below the root for layers and zips, where "/opt/x" is
// understood too. A directory is found as one; the caller looks at Entry.Kind.
func (s *Set) Find(ctx context.Context, name string) (*File, error) {
	const maxHops = 40 // as Linux
	asked := name
	for range maxHops {
		root, rel, err := s.split(name)
		if err != nil {
			return nil, err
		}
		tree, err := s.tree(ctx, root)
		if err != nil {
			return nil, err
		}
		e, err := tree.Resolve("/"+string(root), rel)
		if err == nil {
			return &File{Path: s.show(root, e.Path), Tree: tree, Entry: e}, nil
		}
		// From the code into a layer and back: the link goes on in the other tree.
		next, ok := s.leaves(tree, root, rel)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("there is no %s: see what there is with optlift opt or extract", asked)
		case !ok:
			return nil, fmt.Errorf("%s is a link that leads out of what can be seen here: %w", asked, err)
		}
		name = next
	}
	return nil, fmt.Errorf("%s: %w", asked, optfs.ErrLoop)
}

// split tells which tree a path is in.
func (s *Set) split(name string) (layer.Root, string, error) {
	clean := path.Clean("/" + name)
	for _, root := range []layer.Root{layer.Opt, layer.Task} {
		prefix := "/" + string(root)
		rel, inside := strings.CutPrefix(clean, prefix+"/")
		if clean == prefix {
			rel, inside = "", true
		}
		if inside && strings.HasPrefix(name, "/") && (root == layer.Opt || s.Code != nil) {
			return root, rel, nil
		}
	}
	if s.Function != nil || s.Code != nil {
		return "", "", fmt.Errorf("%q lies neither under /opt nor under /var/task", name)
	}
	return layer.Opt, strings.TrimPrefix(clean, "/"), nil
}

// tree is what lies below a root, all of it.
func (s *Set) tree(ctx context.Context, root layer.Root) (*optfs.Tree, error) {
	if root == layer.Task {
		return s.Task(ctx)
	}
	for i := range s.Layers {
		if l := &s.Layers[i]; l.Missing != nil {
			return nil, fmt.Errorf("what lies under /opt is not known, for layer %d (%s) is %s: %w", i+1, l.Name, l.State, l.Missing)
		}
	}
	return s.Opt(ctx)
}

// show is the path people use for an entry.
func (s *Set) show(root layer.Root, rel string) string {
	if s.Code == nil {
		return rel
	}
	return path.Join("/", string(root), rel)
}

// leaves finds the link on the way to rel that leads out of its tree and into
// the set's other one, and returns where the whole path then is.
func (s *Set) leaves(tree *optfs.Tree, root layer.Root, rel string) (string, bool) {
	parts := strings.Split(rel, "/")
	for i := range parts {
		e, ok := tree.Lookup(strings.Join(parts[:i+1], "/"))
		if !ok || e.Kind != zipdir.Symlink {
			continue
		}
		target := e.Target
		if !path.IsAbs(target) {
			target = path.Join("/", string(root), path.Dir(e.Path), target)
		}
		return path.Join(append([]string{target}, parts[i+1:]...)...), s.Code != nil
	}
	return "", false
}
