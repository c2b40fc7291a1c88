package difference

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Change is what happened to a path or a package.
type Change string

// The changes there are.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
)

// File is a path that is not the same in both trees.
type File struct {
	Path   string `json:"path"` // absolute
	Change Change `json:"change"`
	// What lists, for a changed path, what of it differs: "type", "mode",
	// "size", "content", "target".
	What []string `json:"what"`
	Old  *Side    `json:"old"` // null for what was added
	New  *Side    `json:"new"` // null for what was removed
}

// Side is a path in one of the trees.
type Side struct {
	Type string `json:"type"` // file, dir or symlink
	// Mode is octal ("0755"), "" where the archive carries none.
	Mode   string `json:"mode"`
	Size   int64  `json:"size"` // bytes
	Target string `json:"target"`
	Layer  int    `json:"layer"` // 1-based, within its tree
}

// Files compares what is seen of two trees unpacked at root ("/opt"); nil is an
// empty tree. The result is sorted by path and never nil. Files of one size and
// CRC-32 count as equal; where sure is set they are read and compared byte by
// byte. Modes are compared where both archives carry them.
func Files(ctx context.Context, root string, a, b *optfs.Tree, sure bool) ([]File, error) {
	if a == nil {
		a = &optfs.Tree{}
	}
	if b == nil {
		b = &optfs.Tree{}
	}
	out := []File{}
	i, j := 0, 0
	for i < len(a.Entries) || j < len(b.Entries) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		switch {
		case j == len(b.Entries) || (i < len(a.Entries) && a.Entries[i].Path < b.Entries[j].Path):
			x := &a.Entries[i]
			out = append(out, File{Path: root + "/" + x.Path, Change: Removed, What: []string{}, Old: side(x)})
			i++
		case i == len(a.Entries) || b.Entries[j].Path < a.Entries[i].Path:
			y := &b.Entries[j]
			out = append(out, File{Path: root + "/" + y.Path, Change: Added, What: []string{}, New: side(y)})
			j++
		default:
			x, y := &a.Entries[i], &b.Entries[j]
			what := compare(x, y)
			if len(what) == 0 && sure && x.Kind == zipdir.File && x.Size > 0 {
				same, err := sameBytes(ctx, a, b, x, y)
				if err != nil {
					return nil, fmt.Errorf("compare %q: %w", x.Path, err)
				}
				if !same {
					what = append(what, "content")
				}
			}
			if len(what) > 0 {
				out = append(out, File{Path: root + "/" + x.Path, Change: Changed, What: what, Old: side(x), New: side(y)})
			}
			i, j = i+1, j+1
		}
	}
	return out, nil
}

func side(e *optfs.Entry) *Side {
	s := &Side{Type: e.Kind.String(), Size: e.Size, Target: e.Target, Layer: e.Winner}
	if hasMode(e) {
		s.Mode = fmt.Sprintf("%04o", uint32(e.Mode))
	}
	return s
}

func hasMode(e *optfs.Entry) bool { return e.Zip != nil && e.Zip.HasMode }

// compare lists what differs by the directories alone.
func compare(x, y *optfs.Entry) []string {
	var what []string
	if x.Kind != y.Kind {
		what = append(what, "type")
	}
	// A link's mode means nothing on Linux.
	if hasMode(x) && hasMode(y) && x.Mode != y.Mode && x.Kind != zipdir.Symlink {
		what = append(what, "mode")
	}
	if x.Kind != y.Kind {
		return what
	}
	switch x.Kind {
	case zipdir.File:
		switch {
		case x.Size != y.Size:
			what = append(what, "size", "content")
		case x.Zip.CRC32 != y.Zip.CRC32:
			what = append(what, "content")
		}
	case zipdir.Symlink:
		if x.Target != y.Target || x.Zip.CRC32 != y.Zip.CRC32 {
			what = append(what, "target")
		}
	}
	return what
}

func sameBytes(ctx context.Context, a, b *optfs.Tree, x, y *optfs.Entry) (bool, error) {
	r, err := a.Open(x)
	if err != nil {
		return false, err
	}
	defer r.Close()
	s, err := b.Open(y)
	if err != nil {
		return false, err
	}
	defer s.Close()
	var bufs [2][32 << 10]byte
	for {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		n, errR := io.ReadFull(r, bufs[0][:])
		m, errS := io.ReadFull(s, bufs[1][:])
		for _, err := range []error{errR, errS} {
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return false, err
			}
		}
		if !bytes.Equal(bufs[0][:n], bufs[1][:m]) {
			return false, nil
		}
		if errR != nil || errS != nil {
			return true, nil
		}
	}
}
