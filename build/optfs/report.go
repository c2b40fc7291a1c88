package optfs

import (
	"fmt"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// Stats is what one layer has in the merged tree.
type Stats struct {
	Layer  int // 1-based
	Source string
	// Known is false for a layer that could not be read; the rest is then unknown.
	Known bool
	// Unzipped is the bytes of all its entries: those that Won plus those that are Shadowed.
	Unzipped int64
	Won      int64
	Shadowed int64
	// Wasted is the part of Shadowed that the winner repeats byte by byte.
	Wasted int64
	// WonFiles and ShadowedFiles count files and links.
	WonFiles      int
	ShadowedFiles int
}

// Stats returns the figures of every layer, in order.
func (t *Tree) Stats() []Stats {
	stats := make([]Stats, len(t.Layers))
	for i, l := range t.Layers {
		stats[i] = Stats{Layer: i + 1, Source: l.Source, Known: l.Dir != nil}
		if l.Dir != nil {
			stats[i].Unzipped = l.Dir.Unzipped
		}
	}
	for i := range t.Entries {
		e := &t.Entries[i]
		if e.Kind != zipdir.Dir {
			stats[e.Winner-1].Won += e.Size
			stats[e.Winner-1].WonFiles++
		}
		for j := range e.Shadows {
			s := &e.Shadows[j]
			if s.Zip.Kind == zipdir.Dir {
				continue
			}
			of := &stats[s.Layer-1]
			of.Shadowed += s.Zip.Size
			of.ShadowedFiles++
			if s.Identical {
				of.Wasted += s.Zip.Size
			}
		}
	}
	return stats
}

// Report is the JSON form of a tree. Fields may be added, never renamed; lists
// are never null.
type Report struct {
	Schema        int           `json:"schema"` // 1
	Layers        []ReportLayer `json:"layers"`
	Entries       []ReportEntry `json:"entries"` // sorted by path bytewise
	Size          int64         `json:"size"`
	ShadowedBytes int64         `json:"shadowedBytes"`
	Conflicts     int           `json:"conflicts"`
	Clashes       []ReportClash `json:"clashes"`
}

// ReportLayer is one archive; Unzipped is null if it could not be read.
type ReportLayer struct {
	Index    int    `json:"index"`
	Source   string `json:"source"`
	Unzipped *int64 `json:"unzipped"`
	// State is why it could not be read: "deleted", "denied", or "unknown"; it is
	// there only with an Unzipped that is null. Message says more.
	State   string `json:"state,omitempty"`
	Message string `json:"message,omitempty"`
}

// ReportEntry is one path. Type is file, dir or symlink; Mode octal ("0755");
// Target is empty except for symlinks.
type ReportEntry struct {
	Path    string         `json:"path"`
	Type    string         `json:"type"`
	Mode    string         `json:"mode"`
	Size    int64          `json:"size"`
	Target  string         `json:"target"`
	Winner  int            `json:"winner"`
	Shadows []ReportShadow `json:"shadows"`
}

// ReportShadow is a hidden copy. Path is given only where it is not the
// entry's own.
type ReportShadow struct {
	Layer     int    `json:"layer"`
	Size      int64  `json:"size"`
	Identical bool   `json:"identical"`
	Path      string `json:"path,omitempty"`
}

// ReportClash is a path that is a directory in one layer only.
type ReportClash struct {
	Path   string    `json:"path"`
	Layers [2]int    `json:"layers"`
	Types  [2]string `json:"types"`
}

// Conflict tells whether a shadow differs from what is seen.
func (e *ReportEntry) Conflict() bool {
	for _, s := range e.Shadows {
		if !s.Identical {
			return true
		}
	}
	return false
}

// Report puts the tree into its JSON form, with paths below root ("/opt"; ""
// leaves them relative).
func (t *Tree) Report(root string) Report {
	root = strings.TrimRight(root, "/")
	abs := func(path string) string {
		if root == "" {
			return path
		}
		return root + "/" + path
	}
	r := Report{
		Schema:        1,
		Layers:        make([]ReportLayer, len(t.Layers)),
		Entries:       make([]ReportEntry, len(t.Entries)),
		Size:          t.Size,
		ShadowedBytes: t.ShadowedBytes,
		Conflicts:     t.Conflicts,
		Clashes:       make([]ReportClash, len(t.Clashes)),
	}
	for i, l := range t.Layers {
		r.Layers[i] = ReportLayer{Index: i + 1, Source: l.Source, State: "unknown"}
		if l.Dir != nil {
			r.Layers[i].State = ""
			r.Layers[i].Unzipped = &l.Dir.Unzipped
		}
	}
	for i := range t.Entries {
		e := &t.Entries[i]
		shadows := make([]ReportShadow, len(e.Shadows))
		for j, s := range e.Shadows {
			shadows[j] = ReportShadow{Layer: s.Layer, Size: s.Zip.Size, Identical: s.Identical}
			if s.Path != e.Path {
				shadows[j].Path = abs(s.Path)
			}
		}
		r.Entries[i] = ReportEntry{
			Path: abs(e.Path), Type: e.Kind.String(), Mode: fmt.Sprintf("%04o", uint32(e.Mode)),
			Size: e.Size, Target: e.Target, Winner: e.Winner, Shadows: shadows,
		}
	}
	for i, c := range t.Clashes {
		r.Clashes[i] = ReportClash{Path: abs(c.Path), Layers: c.Layers, Types: [2]string{c.Kinds[0].String(), c.Kinds[1].String()}}
	}
	return r
}
