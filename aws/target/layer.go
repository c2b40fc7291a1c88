package target

import (
	"context"
	"fmt"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
)

// Layer is one layer, opened to be looked at or tried with others.
type Layer struct {
	*Set
	whatif.Layer
}

// Layer opens one layer: a zip on this machine, a layer version, or the newest
// version of a layer (see account.FindLayer). near is the ARN of what it is to be
// tried with, "" for none: a layer's name alone is one of that region. told,
// which may be nil, is told what is being done.
func (o *Opener) Layer(ctx context.Context, ref, near string, told func(step string)) (_ *Layer, err error) {
	if told == nil {
		told = func(string) {}
	}
	it := item{name: ref, root: layer.Opt, local: isLocal(ref)}
	out := &Layer{}
	if !it.local {
		if it.s, err = o.Session(ctx); err != nil {
			return nil, err
		}
		found, err := account.FindLayer(ctx, it.s, ref, regionNear(near), told)
		if err != nil {
			return nil, err
		}
		it.name, it.locate = found.ARN, found.Locate
		out.Runtimes, out.Architectures = found.Runtimes, found.Architectures
	}
	told("reading the directory of " + it.name)
	if out.Set, err = o.openAll(ctx, nil, []item{it}, nil, o.look); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = out.Close()
		}
	}()
	tree, err := out.Opt(ctx)
	if err != nil {
		return nil, err
	}
	out.Layer.Layer = tree.Layers[0]
	if it.local {
		// Of an archive far away each program would be a request.
		told("looking at the programs in " + it.name)
		if out.Programs, err = machine.Programs(ctx, out.Dir); err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
	}
	return out, nil
}

// Near is the ARN of what the set stands for, by which Layer finds others: the
// function's, or else the first layer version's; "" for zips alone.
func (s *Set) Near() string {
	if s.Function != nil {
		return s.Function.ARN
	}
	for _, l := range s.Layers {
		if account.IsLayerVersion(l.Name) {
			return l.Name
		}
	}
	return ""
}

// WhatIf is the change from the set's own layers, merged as before, to those of
// stack, merged as after.
func (s *Set) WhatIf(before *optfs.Tree, stack whatif.Stack, after *optfs.Tree) *whatif.Case {
	c := &whatif.Case{Root: "/opt", Before: before, Stack: stack, After: after, Limit: account.UnzippedLimit}
	if s.Code == nil {
		return c
	}
	c.Function = &whatif.Function{Code: &s.Code.Dir.Unzipped}
	if f := s.Function; f != nil {
		c.Function.Region, c.Function.Runtime, c.Function.Architecture = f.Region, f.Runtime, f.Architecture
	}
	return c
}

// regionNear is the region of a function's or layer's ARN.
func regionNear(arn string) string {
	if r := account.RegionOfLayer(arn); r != "" {
		return r
	}
	return account.RegionOfARN(arn)
}
