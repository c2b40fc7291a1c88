package whatif

import (
	"context"
	"fmt"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/optfs"
)

// MaxLayers is what a function may have at most
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MaxLayers = 5

// Outcome is what a change of layers would mean. Its lists are never nil.
type Outcome struct {
	Before Weight `json:"before"`
	After  Weight `json:"after"`
	// Code is the unzipped size of the function's own zip in bytes, null where
	// there is none or it is not known.
	Code  *int64 `json:"code"`
	Limit int64  `json:"limit"`
	// Fits says that code and layers together stay below Limit; null where a
	// size is not known.
	Fits *bool `json:"fits"`
	// NewConflicts and FixedConflicts are the paths whose shadowed copy differs
	// after but not before, and the other way round.
	NewConflicts   []string `json:"newConflicts"`
	FixedConflicts []string `json:"fixedConflicts"`
	// Changed are the paths that look otherwise than before.
	Changed []difference.File `json:"changed"`
	// Problems say what Lambda would refuse besides the size.
	Problems []string `json:"problems"`
}

// Weight is what layers come to.
type Weight struct {
	Layers []string `json:"layers"` // sources, in order
	// Unzipped is the bytes of code and layers, null where a part is not known.
	Unzipped      *int64 `json:"unzipped"`
	ShadowedBytes int64  `json:"shadowedBytes"`
	Conflicts     int    `json:"conflicts"`
}

// Compare holds the layers as they would be against those that are, merged for
// root ("/opt"). code is the unzipped size of the function's own zip; hasCode is
// false for layers alone, which then weigh for themselves, and a nil code with
// hasCode is a size that is not known. sure compares contents byte by byte
// (see difference.Files). The error is ctx's or a reader's.
func Compare(ctx context.Context, root string, before, after *optfs.Tree, hasCode bool, code *int64, limit int64, sure bool) (*Outcome, error) {
	o := &Outcome{
		Before: weigh(before, hasCode, code), After: weigh(after, hasCode, code), Code: code, Limit: limit,
		NewConflicts: conflicts(root, after, before), FixedConflicts: conflicts(root, before, after), Problems: problems(after),
	}
	if o.After.Unzipped != nil {
		fits := *o.After.Unzipped < limit
		o.Fits = &fits
	}
	var err error
	if o.Changed, err = difference.Files(ctx, root, before, after, sure); err != nil {
		return nil, err
	}
	return o, nil
}

func weigh(t *optfs.Tree, hasCode bool, code *int64) Weight {
	w := Weight{Layers: make([]string, len(t.Layers)), ShadowedBytes: t.ShadowedBytes, Conflicts: t.Conflicts}
	known := !hasCode || code != nil
	var sum int64
	if code != nil {
		sum = *code
	}
	for i, l := range t.Layers {
		w.Layers[i] = l.Source
		if l.Dir == nil {
			known = false
			continue
		}
		sum += l.Dir.Unzipped
	}
	if known {
		w.Unzipped = &sum
	}
	return w
}

// conflicts lists the paths in conflict in a and not in b.
func conflicts(root string, a, b *optfs.Tree) []string {
	out := []string{}
	for i := range a.Entries {
		e := &a.Entries[i]
		if !e.Conflict() {
			continue
		}
		if other, ok := b.Lookup(e.Path); !ok || !other.Conflict() {
			out = append(out, root+"/"+e.Path)
		}
	}
	return out
}

func problems(t *optfs.Tree) []string {
	out := []string{}
	if n := len(t.Layers); n > MaxLayers {
		out = append(out, fmt.Sprintf("%d layers: a function may have %d at most", n, MaxLayers))
	}
	seen := map[string]bool{}
	for _, l := range t.Layers {
		if arn := unversioned(l.Source); arn != "" {
			if seen[arn] {
				out = append(out, fmt.Sprintf("%s is there twice: a function may have one version of a layer", arn))
			}
			seen[arn] = true
		}
	}
	for _, c := range t.Clashes {
		out = append(out, fmt.Sprintf("/opt/%s is a %s in layer %d and a %s in layer %d: what Lambda makes of that is not documented", c.Path, c.Kinds[0], c.Layers[0], c.Kinds[1], c.Layers[1]))
	}
	return out
}
