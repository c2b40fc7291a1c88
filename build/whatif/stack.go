package whatif

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/optfs"
)

// Layer is a layer to try, and what is known of it besides its files.
type Layer struct {
	optfs.Layer
	// Runtimes and Architectures are what its publisher declares; empty for
	// nothing, and where it was not asked for.
	Runtimes, Architectures []string
	// Programs are the programs in it, nil where they were not looked at.
	Programs []machine.Program
}

// Stack is a function's layers while they are rearranged. Every method returns
// a new one, so that steps can be taken back. The zero value has no layers.
type Stack struct {
	layers []numbered
	next   int // the number the next added layer gets, less one
}

// numbered is a layer with the number by which it stays known: its place in the
// beginning. Added layers get the numbers after those.
type numbered struct {
	Layer
	number int
}

// New returns the stack to begin with; layers are numbered from 1.
func New(layers ...optfs.Layer) Stack {
	var s Stack
	for _, l := range layers {
		s = s.Add(Layer{Layer: l})
	}
	return s
}

// Layers are the layers in their order.
func (s Stack) Layers() []optfs.Layer {
	out := make([]optfs.Layer, len(s.layers))
	for i, l := range s.layers {
		out[i] = l.Layer.Layer
	}
	return out
}

// Numbers are those by which the layers stay known, in their order.
func (s Stack) Numbers() []int {
	out := make([]int, len(s.layers))
	for i, l := range s.layers {
		out[i] = l.number
	}
	return out
}

// Same reports whether both have the same layers in the same order.
func (s Stack) Same(other Stack) bool {
	return slices.EqualFunc(s.layers, other.layers, func(a, b numbered) bool {
		return a.number == b.number && a.Source == b.Source && a.Dir == b.Dir
	})
}

// Add puts a layer on top, where its files win.
func (s Stack) Add(l Layer) Stack {
	return Stack{layers: append(slices.Clip(s.layers), numbered{l, s.next + 1}), next: s.next + 1}
}

// Drop takes a layer away. ref is a layer's number, its source (an ARN or a
// path), or as much of its ARN as names one: without the version, the layer's
// name alone, or NAME:VERSION.
func (s Stack) Drop(ref string) (Stack, error) {
	i, err := s.find(ref)
	if err != nil {
		return s, err
	}
	s.layers = slices.Delete(slices.Clone(s.layers), i, i+1)
	return s, nil
}

// Replace puts a layer in the place of another, whose number it takes over.
func (s Stack) Replace(ref string, l Layer) (Stack, error) {
	i, err := s.find(ref)
	if err != nil {
		return s, err
	}
	s.layers = slices.Clone(s.layers)
	s.layers[i].Layer = l
	return s, nil
}

// Order rearranges the layers; refs name each of them once, the last one wins.
func (s Stack) Order(refs ...string) (Stack, error) {
	var order []numbered
	for _, ref := range refs {
		i, err := s.find(ref)
		if err != nil {
			return s, err
		}
		l := s.layers[i]
		if slices.ContainsFunc(order, func(o numbered) bool { return o.number == l.number }) {
			return s, fmt.Errorf("the order names layer %d (%s) twice", l.number, l.Source)
		}
		order = append(order, l)
	}
	if len(order) != len(s.layers) {
		return s, fmt.Errorf("the order names %d of %d layers: name every layer that stays", len(order), len(s.layers))
	}
	s.layers = order
	return s, nil
}

// Step is a change of layers in words: Verb is "replace" (What is OLD=NEW), "drop",
// "add" or "order" (What is numbers with commas).
type Step struct{ Verb, What string }

// Steps lead from one stack to this one, in the order in which each may be done:
// replaced first, then dropped, added and ordered. Layers that are there are named
// by number, others by source.
func (s Stack) Steps(from Stack) []Step {
	var out, added []Step
	number := map[int]int{} // that a layer has once the others are added
	for _, was := range from.layers {
		i := slices.IndexFunc(s.layers, func(l numbered) bool { return l.number == was.number })
		switch {
		case i < 0:
			added = append(added, Step{"drop", strconv.Itoa(was.number)})
		case s.layers[i].Source != was.Source || s.layers[i].Dir != was.Dir:
			out = append(out, Step{"replace", strconv.Itoa(was.number) + "=" + s.layers[i].Source})
		}
		number[was.number] = was.number
	}
	next := from.next
	plain := []int{} // the order without one being asked for
	for _, was := range from.layers {
		if slices.ContainsFunc(s.layers, func(l numbered) bool { return l.number == was.number }) {
			plain = append(plain, was.number)
		}
	}
	var order []int
	for _, l := range s.layers {
		if _, there := number[l.number]; !there {
			next++
			number[l.number] = next
			plain = append(plain, next)
			added = append(added, Step{"add", l.Source})
		}
		order = append(order, number[l.number])
	}
	out = append(out, added...)
	if !slices.Equal(order, plain) {
		words := make([]string, len(order))
		for i, n := range order {
			words[i] = strconv.Itoa(n)
		}
		out = append(out, Step{"order", strings.Join(words, ",")})
	}
	return out
}

// find returns the index of the one layer that ref names.
func (s Stack) find(ref string) (int, error) {
	if n, err := strconv.Atoi(ref); err == nil {
		for i, l := range s.layers {
			if l.number == n {
				return i, nil
			}
		}
		return 0, fmt.Errorf("there is no layer %d here: there are %s", n, s.known())
	}
	// A full name beats a part of one.
	for _, names := range []func(source string) bool{
		func(source string) bool { return source == ref },
		func(source string) bool { return ref != "" && unversioned(source) == ref },
		func(source string) bool { return ref != "" && layerName(source) == ref },
		func(source string) bool { return unversioned(source) != "" && strings.HasSuffix(source, ":layer:"+ref) },
	} {
		var at []int
		for i, l := range s.layers {
			if names(l.Source) {
				at = append(at, i)
			}
		}
		switch len(at) {
		case 0:
		case 1:
			return at[0], nil
		default:
			return 0, fmt.Errorf("%q names %d layers here: use the layer's number", ref, len(at))
		}
	}
	return 0, fmt.Errorf("no layer here is called %q: there are %s", ref, s.known())
}

func (s Stack) known() string {
	if len(s.layers) == 0 {
		return "none"
	}
	var all []string
	for _, l := range s.layers {
		all = append(all, fmt.Sprintf("%d (%s)", l.number, l.Source))
	}
	return strings.Join(all, ", ")
}

// unversioned is a layer version's ARN without the version, "" for anything else
// (arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION).
func unversioned(source string) string {
	i := strings.LastIndexByte(source, ':')
	if !strings.HasPrefix(source, "arn:") || strings.Count(source, ":") != 7 {
		return ""
	}
	return source[:i]
}

func layerName(source string) string {
	arn := unversioned(source)
	return arn[strings.LastIndexByte(arn, ':')+1:]
}

// regionOf is the region of a layer version's ARN.
func regionOf(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		return parts[3]
	}
	return ""
}
