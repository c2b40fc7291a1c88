package main

import (
	"context"
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
	f.StringArrayVar(&e.add, "add", nil, "what if this layer version or zip came on top; may be given several times")
	f.StringArrayVar(&e.replace, "replace", nil, "what if a layer were another: OLD=NEW; may be given several times")
	f.StringSliceVar(&e.order, "order", nil, "what if the layers lay in this order, the last one winning: 2,1,3")
}

func (e *edits) any() bool { return len(e.drop)+len(e.add)+len(e.replace)+len(e.order) > 0 }

// apply makes the tree as it would be: replaced first, then dropped, added and
// ordered. What it opens is closed by done, which is never nil.
func (e *edits) apply(ctx context.Context, opener *target.Opener, now *optfs.Tree) (tree *optfs.Tree, done func(), err error) {
	var opened []*target.Set
	done = func() {
		for _, s := range opened {
			_ = s.Close() // it was only read
		}
	}
	layer := func(ref string) (optfs.Layer, error) {
		set, err := opener.Open(ctx, ref)
		if err != nil {
			return optfs.Layer{}, err
		}
		opened = append(opened, set)
		if set.Function != nil {
			return optfs.Layer{}, usagef("%s is a function: --add and --replace take a layer version or a zip", ref)
		}
		t, err := set.Opt(ctx)
		if err != nil {
			return optfs.Layer{}, err
		}
		return t.Layers[0], nil
	}
	stack := whatif.New(now.Layers...)
	for _, pair := range e.replace {
		old, ref, ok := strings.Cut(pair, "=")
		if !ok || old == "" || ref == "" {
			return nil, done, usagef("--replace takes OLD=NEW, not %q", pair)
		}
		l, err := layer(ref)
		if err != nil {
			return nil, done, err
		}
		if stack, err = stack.Replace(old, l); err != nil {
			return nil, done, usagef("--replace %s: %w", pair, err)
		}
	}
	for _, ref := range e.drop {
		if stack, err = stack.Drop(ref); err != nil {
			return nil, done, usagef("--drop %s: %w", ref, err)
		}
	}
	for _, ref := range e.add {
		l, err := layer(ref)
		if err != nil {
			return nil, done, err
		}
		stack = stack.Add(l)
	}
	if len(e.order) > 0 {
		if stack, err = stack.Order(e.order...); err != nil {
			return nil, done, usagef("--order %s: %w", strings.Join(e.order, ","), err)
		}
	}
	return optfs.Merge(stack.Layers()...), done, nil
}

// compare holds the tree as it would be against the one that is.
func (e *edits) compare(ctx context.Context, set *target.Set, before, after *optfs.Tree, sure bool) (*whatif.Outcome, error) {
	var code *int64
	if set.Code != nil {
		code = &set.Code.Dir.Unzipped
	}
	return whatif.Compare(ctx, "/opt", before, after, set.Code != nil, code, account.UnzippedLimit, sure)
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
	fmt.Fprintf(&b, "conflicts: %d -> %d, %d new, %d fixed; shadowed %s -> %s\n", o.Before.Conflicts, o.After.Conflicts, len(o.NewConflicts), len(o.FixedConflicts),
		humanize.IBytes(uint64(o.Before.ShadowedBytes)), humanize.IBytes(uint64(o.After.ShadowedBytes)))
	for _, list := range []struct {
		name  string
		paths []string
	}{{"new conflict", o.NewConflicts}, {"fixed conflict", o.FixedConflicts}, {"problem", o.Problems}} {
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
