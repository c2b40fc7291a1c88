package optfs

import (
	"io/fs"

	"github.com/optlift/optlift/build/zipdir"
)

// Layer is one archive in the merge, in the function's order.
type Layer struct {
	// Source is what people know it by: an ARN or a path.
	Source string
	// Dir is nil for a layer that can't be read. It keeps its number and adds nothing.
	Dir *zipdir.Directory
}

// Entry is one path of the merged tree.
type Entry struct {
	// Path is below the merge's root, without a leading slash ("bin/x").
	Path   string
	Kind   zipdir.Kind
	Mode   fs.FileMode // permission bits as the winner's archive gives them; 0755 / 0644 where it has none
	Size   int64
	Target string
	// Winner is the 1-based number of the layer whose copy is used; for a
	// directory the last layer that has an entry for it, or, where it is only
	// implied by a child, the first layer that implies it.
	Winner int
	// Zip is the winner's entry; nil for a directory that no archive lists.
	Zip *zipdir.Entry
	// Shadows are the copies of earlier layers that are not seen, last layer
	// first, and by path within a layer. A directory's hold no directories.
	Shadows []Shadow
}

// Conflict tells whether a shadow differs from what is seen.
func (e *Entry) Conflict() bool {
	for i := range e.Shadows {
		if !e.Shadows[i].Identical {
			return true
		}
	}
	return false
}

// Shadow is a copy that a later layer hides.
type Shadow struct {
	Layer int
	// Path differs from the Entry's only where a file or link hides a whole directory.
	Path string
	Zip  *zipdir.Entry
	// Identical: same path, kind and bytes (or link target); modes aside. Bytes
	// are compared by size and CRC-32 unless Confirm was called.
	Identical bool
}

// Clash is a path that is a directory in one layer and something else in
// another. What Lambda does with it is not documented, so image builds refuse it.
type Clash struct {
	Path   string
	Layers [2]int // the earlier and the later layer
	Kinds  [2]zipdir.Kind
}

// Tree is the merged file system. Entries are sorted by path bytewise, each
// path once, with every parent directory present. It does not change once
// made, so that any number of goroutines may read it.
type Tree struct {
	Layers        []Layer
	Entries       []Entry
	Size          int64 // bytes of the winners
	ShadowedBytes int64 // bytes of all shadowed copies, identical ones too
	Conflicts     int   // paths with a shadow that differs
	Clashes       []Clash
}
