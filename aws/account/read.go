package account

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/zipdir"
)

// archive reads a zip's directory, and the links and first bytes that decide
// what Lambda runs, from the cache or by range. wrapper is the path in it of a
// script that Lambda starts beside the extensions, "" for none.
func (r *run) archive(ctx context.Context, name, sum, wrapper string, locate archive.Locator) Archive {
	fail := func(err error) Archive { return Archive{State: StateOf(err), Message: session.Explain(err)} }
	if err := acquire(ctx, r.archives); err != nil {
		return fail(err)
	}
	defer release(r.archives)
	a, err := r.cache.Open(ctx, r.session.HTTP(), name, sum, locate)
	if err != nil {
		return fail(err)
	}
	defer a.Close()
	dir, err := zipdir.Read(name, a, a.Size())
	if err != nil {
		var broken *zipdir.Error
		if errors.As(err, &broken) {
			// Next time judge the archive itself, not what may be a damaged
			// copy of its end.
			a.Discard()
		}
		return fail(err)
	}
	readLinks(dir)
	return Archive{State: OK, Unzipped: dir.Unzipped, Dir: dir, heads: readHeads(dir, wrapper)}
}

// A link costs a read, so only those are read that may lead to a program Lambda
// starts: extensions, and links at the root, where wrappers lie; and what they
// lead to. A symlink's target is its content.
const (
	maxLinks  = 32
	maxTarget = 4095
)

func readLinks(dir *zipdir.Directory) {
	left := maxLinks
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if !strings.Contains(e.Name, "/") || path.Dir(e.Name) == extensionsDir {
			followLink(dir, e, &left)
		}
	}
}

// followLink reads e and the links it leads to. What can't be read is left out:
// where it leads is then unknown.
func followLink(dir *zipdir.Directory, e *zipdir.Entry, left *int) {
	for e != nil && e.Kind == zipdir.Symlink && e.Target == "" && e.Size <= maxTarget && *left > 0 {
		*left--
		r, err := dir.Open(e)
		if err != nil {
			return
		}
		target, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil || zipdir.Climbs(e.Name, string(target)) {
			return
		}
		e.Target = string(target)
		e = linked(dir, e)
	}
}

// wrapperIn is a wrapper's path below root, "" where it is not there.
func wrapperIn(root, wrapper string) string {
	rel, _ := below(root, wrapper)
	return rel
}

// below cuts root from an absolute path that lies under it.
func below(root, p string) (string, bool) { return strings.CutPrefix(path.Clean(p), root+"/") }
