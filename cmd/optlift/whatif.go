package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
)

// edits are the changes of layers that opt is asked to try.
type edits struct {
	drop, add, replace []string
	order              []string
}

func (e *edits) register(f *pflag.FlagSet) {
	f.StringArrayVar(&e.drop, "drop", nil, "what if this layer went; may be given several times")
	f.StringArrayVar(&e.add, "add", nil, "what if this layer or zip came on top; may be given several times")
	f.StringArrayVar(&e.replace, "replace", nil, "what if a layer were another: OLD=NEW; may be given several times")
	f.StringSliceVar(&e.order, "order", nil, "what if the layers lay in this order, the last one winning: 2,1,3")
}

func (e *edits) any() bool { return len(e.drop)+len(e.add)+len(e.replace)+len(e.order) > 0 }

// apply makes the layers as they would be: replaced first, then dropped, added
// and ordered. What it opens is closed by done, which is never nil.
func (e *edits) apply(ctx context.Context, opener *target.Opener, set *target.Set, now *optfs.Tree) (stack whatif.Stack, done func(), err error) {
	var opened []*target.Layer
	done = func() {
		for _, l := range opened {
			_ = l.Close() // it was only read
		}
	}
	layer := func(ref string) (whatif.Layer, error) {
		l, err := opener.Layer(ctx, ref, set.Near(), nil)
		switch {
		case errors.Is(err, account.ErrNoLayer):
			return whatif.Layer{}, usageError{err}
		case err != nil:
			return whatif.Layer{}, err
		}
		opened = append(opened, l)
		return l.Layer, nil
	}
	stack = whatif.New(now.Layers...)
	for _, pair := range e.replace {
		old, ref, ok := strings.Cut(pair, "=")
		if !ok || old == "" || ref == "" {
			return stack, done, usagef("--replace takes OLD=NEW, not %q", pair)
		}
		l, err := layer(ref)
		if err != nil {
			return stack, done, err
		}
		if stack, err = stack.Replace(old, l); err != nil {
			return stack, done, usagef("--replace %s: %w", pair, err)
		}
	}
	for _, ref := range e.drop {
		if stack, err = stack.Drop(ref); err != nil {
			return stack, done, usagef("--drop %s: %w", ref, err)
		}
	}
	for _, ref := range e.add {
		l, err := layer(ref)
		if err != nil {
			return stack, done, err
		}
		stack = stack.Add(l)
	}
	if len(e.order) > 0 {
		if stack, err = stack.Order(e.order...); err != nil {
			return stack, done, usagef("--order %s: %w", strings.Join(e.order, ","), err)
		}
	}
	return stack, done, nil
}

func printOutcome(s *streams, o *whatif.Outcome) error {
	var b strings.Builder
	size := func(n *int64) string {
		if n == nil {
			return "unknown"
		}
		return humanize.IBytes(uint64(*n))
	}
	what := "layers"
	if o.Code != nil {
		what = "code and layers"
	}
	fmt.Fprintf(&b, "what if: %s %s -> %s unzipped", what, size(o.Before.Unzipped), size(o.After.Unzipped))
	switch {
	case o.Fits == nil:
		b.WriteString("; whether that fits is not known\n")
	case *o.Fits:
		fmt.Fprintf(&b, ", %.1f%% of the limit, %s left\n", float64(*o.After.Unzipped)/float64(o.Limit)*100, humanize.IBytes(uint64(o.Limit-*o.After.Unzipped)))
	default:
		fmt.Fprintf(&b, ", not below the limit of %d bytes: Lambda would refuse it\n", o.Limit)
	}
	fmt.Fprintf(&b, "layers: %d -> %d of %d at most\n", len(o.Before.Layers), len(o.After.Layers), whatif.MaxLayers)
	fmt.Fprintf(&b, "conflicts: %d -> %d, %d new, %d fixed; shadowed %s -> %s\n", o.Before.Conflicts, o.After.Conflicts, len(o.NewConflicts), len(o.FixedConflicts),
		humanize.IBytes(uint64(o.Before.ShadowedBytes)), humanize.IBytes(uint64(o.After.ShadowedBytes)))
	for _, list := range []struct {
		name  string
		paths []string
	}{{"new conflict", o.NewConflicts}, {"fixed conflict", o.FixedConflicts}, {"problem", o.Problems}, {"note", o.Notes}} {
		for _, p := range slices.Sorted(slices.Values(list.paths)) {
			fmt.Fprintf(&b, "%s: %s\n", list.name, printable(p))
		}
	}
	for _, f := range o.Changed {
		fmt.Fprintf(&b, "%s %s\n", diffSigns[f.Change], printable(f.Path))
	}
	_, err := fmt.Fprintln(s.out, b.String())
	return err
}
