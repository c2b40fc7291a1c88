package whatif

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/optfs"
)

// MaxLayers is what a function may have at most
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MaxLayers = 5

// Function is what layers are of.
type Function struct {
	// Code is the unzipped size of its own zip in bytes, nil where it is not known.
	Code *int64
	// Region, Runtime and Architecture are in Lambda's words, "" for unknown.
	Region, Runtime, Architecture string
}

// Case is a change of layers: those that are, merged, and those that would be.
type Case struct {
	Root   string // where they are merged: "/opt"
	Before *optfs.Tree
	Stack  Stack       // the layers as they would be
	After  *optfs.Tree // its layers, merged
	// Function is nil for layers alone, which then weigh for themselves.
	Function *Function
	Limit    int64 // bytes; code and layers must stay below it
	// Sure compares contents byte by byte (see difference.Files).
	Sure bool
}

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
	// Notes say what Lambda would take, and what may not work all the same.
	Notes []string `json:"notes"`
}

// Weight is what layers come to.
type Weight struct {
	Layers []string `json:"layers"` // sources, in order
	// Unzipped is the bytes of code and layers, null where a part is not known.
	Unzipped      *int64 `json:"unzipped"`
	ShadowedBytes int64  `json:"shadowedBytes"`
	Conflicts     int    `json:"conflicts"`
}

// Compare holds the layers as they would be against those that are. The error is
// ctx's or a reader's.
func (c *Case) Compare(ctx context.Context) (*Outcome, error) {
	o := &Outcome{
		Before: c.weigh(c.Before), After: c.weigh(c.After), Limit: c.Limit,
		NewConflicts: conflicts(c.Root, c.After, c.Before), FixedConflicts: conflicts(c.Root, c.Before, c.After),
		Problems: c.problems(), Notes: c.notes(),
	}
	if c.Function != nil {
		o.Code = c.Function.Code
	}
	if o.After.Unzipped != nil {
		fits := *o.After.Unzipped < c.Limit
		o.Fits = &fits
	}
	var err error
	if o.Changed, err = difference.Files(ctx, c.Root, c.Before, c.After, c.Sure); err != nil {
		return nil, err
	}
	return o, nil
}

func (c *Case) weigh(t *optfs.Tree) Weight {
	w := Weight{Layers: make([]string, len(t.Layers)), ShadowedBytes: t.ShadowedBytes, Conflicts: t.Conflicts}
	known, sum := true, int64(0)
	if f := c.Function; f != nil {
		if known = f.Code != nil; known {
			sum = *f.Code
		}
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

func (c *Case) problems() []string {
	out := []string{}
	if n := len(c.After.Layers); n > MaxLayers {
		out = append(out, fmt.Sprintf("%d layers: a function may have %d at most", n, MaxLayers))
	}
	times := map[string]int{}
	for _, l := range c.After.Layers {
		arn := unversioned(l.Source)
		if arn == "" {
			continue
		}
		// Once for each layer, however often it is there.
		if times[arn]++; times[arn] == 2 {
			out = append(out, fmt.Sprintf("%s is there more than once: a function may have one version of a layer", arn))
		}
		if region := regionOf(l.Source); c.Function != nil && c.Function.Region != "" && region != c.Function.Region {
			out = append(out, fmt.Sprintf("%s lies in %s: a layer must be in the function's region, %s", l.Source, region, c.Function.Region))
		}
	}
	for _, x := range c.After.Clashes {
		out = append(out, fmt.Sprintf("%s/%s is a %s in %s and a %s in %s: what Lambda makes of that is not documented",
			c.Root, x.Path, x.Kinds[0], c.After.Layers[x.Layers[0]-1].Source, x.Kinds[1], c.After.Layers[x.Layers[1]-1].Source))
	}
	return out
}

// notes hold what layers declare, and the programs in them, against the function.
func (c *Case) notes() []string {
	out := []string{}
	f := c.Function
	if f == nil {
		return out
	}
	for _, l := range c.Stack.layers {
		if f.Architecture != "" && len(l.Architectures) > 0 && !slices.Contains(l.Architectures, f.Architecture) {
			out = append(out, fmt.Sprintf("%s is declared for %s, and the function is %s: Lambda takes it, but its programs may not run", l.Source, strings.Join(l.Architectures, " and "), f.Architecture))
		}
		if f.Runtime != "" && len(l.Runtimes) > 0 && !slices.Contains(l.Runtimes, f.Runtime) {
			out = append(out, fmt.Sprintf("%s is declared for %s, and the function runs %s: Lambda takes it, but its code may not work", l.Source, strings.Join(l.Runtimes, ", "), f.Runtime))
		}
		if f.Architecture == "" {
			continue
		}
		if _, err := machine.Settle(l.Programs, f.Architecture); err != nil {
			out = append(out, l.Source+": "+err.Error())
		}
	}
	return out
}
