package whatif_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

const arn = "arn:aws:lambda:eu-central-1:123456789012:layer:"

func layer(t testing.TB, source string, entries ...ziptest.Entry) optfs.Layer {
	t.Helper()
	dir, file, err := zipdir.OpenFile(ziptest.Write(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return optfs.Layer{Source: source, Dir: dir}
}

func sources(s whatif.Stack) string {
	var out []string
	for _, l := range s.Layers() {
		out = append(out, l.Source)
	}
	return strings.Join(out, " ")
}

func TestStack(t *testing.T) {
	s := whatif.New(optfs.Layer{Source: arn + "a:1"}, optfs.Layer{Source: arn + "b:7"}, optfs.Layer{Source: "c.zip"})
	must := func(s whatif.Stack, err error) whatif.Stack {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, got := range map[string]struct {
		s    whatif.Stack
		want string
	}{
		"drop by number":  {must(s.Drop("2")), arn + "a:1 c.zip"},
		"drop by ARN":     {must(s.Drop(arn + "b:7")), arn + "a:1 c.zip"},
		"drop by layer":   {must(s.Drop(arn + "b")), arn + "a:1 c.zip"},
		"drop by name":    {must(s.Drop("b")), arn + "a:1 c.zip"},
		"drop by version": {must(s.Drop("b:7")), arn + "a:1 c.zip"},
		"drop by path":    {must(s.Drop("c.zip")), arn + "a:1 " + arn + "b:7"},
		"add":             {s.Add(plain("d")), arn + "a:1 " + arn + "b:7 c.zip d"},
		"replace":         {must(s.Replace("b", plain("n"))), arn + "a:1 n c.zip"},
		"order":           {must(s.Order("3", "a", arn+"b:7")), "c.zip " + arn + "a:1 " + arn + "b:7"},
		"numbers stay":    {must(must(s.Drop("1")).Drop("3")), arn + "b:7"},
		"added has one":   {must(s.Add(plain("d")).Order("4", "1", "2", "3")), "d " + arn + "a:1 " + arn + "b:7 c.zip"},
		"after replacing": {must(must(s.Replace("1", plain("n"))).Drop("1")), arn + "b:7 c.zip"},
		"the beginning":   {s, arn + "a:1 " + arn + "b:7 c.zip"},
	} {
		if have := sources(got.s); have != got.want {
			t.Errorf("%s: %s, want %s", name, have, got.want)
		}
	}
	twice := s.Add(plain(arn + "b:8"))
	for want, err := range map[string]error{
		"there is no layer 9":         second(s.Drop("9")),
		"called \"x\"":                second(s.Drop("x")),
		"called \"\"":                 second(s.Drop("")),
		"names 2 layers":              second(twice.Drop("b")),
		"names 2 of 3":                second(s.Order("1", "2")),
		"twice":                       second(s.Order("1", "a", "2")),
		"there are none":              second(whatif.New().Replace("1", whatif.Layer{})),
		"no layer here is called \":": second(s.Drop(":")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func plain(source string) whatif.Layer { return whatif.Layer{Layer: optfs.Layer{Source: source}} }

func second(_ whatif.Stack, err error) error { return err }

func TestCompare(t *testing.T) {
	a := layer(t, arn+"a:1", ziptest.File("x", "from a"), ziptest.File("only-a", "1"))
	b := layer(t, arn+"b:1", ziptest.File("x", "from b"), ziptest.File("y", "one"))
	c := layer(t, arn+"b:2", ziptest.File("y", "two, longer"), ziptest.File("z", ""))
	code := int64(100)
	fn := &whatif.Function{Code: &code, Region: "eu-central-1", Runtime: "nodejs22.x", Architecture: "arm64"}
	before := optfs.Merge(a, b)
	compareStack := func(s whatif.Stack, f *whatif.Function, limit int64) *whatif.Outcome {
		t.Helper()
		w := whatif.Case{Root: "/opt", Before: before, Stack: s, After: optfs.Merge(s.Layers()...), Function: f, Limit: limit, Sure: true}
		o, err := w.Compare(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	compare := func(f *whatif.Function, limit int64, layers ...optfs.Layer) *whatif.Outcome {
		t.Helper()
		return compareStack(whatif.New(layers...), f, limit)
	}
	number := func(n *int64) int64 {
		if n == nil {
			return -1
		}
		return *n
	}

	o := compare(fn, 118, a, c)
	if number(o.Before.Unzipped) != 100+7+9 || number(o.After.Unzipped) != 100+7+11 || *o.Fits || o.Before.Conflicts != 1 || o.After.Conflicts != 0 {
		t.Errorf("outcome %+v", o)
	}
	if !slices.Equal(o.FixedConflicts, []string{"/opt/x"}) || len(o.NewConflicts) != 0 || len(o.Problems) != 0 || len(o.Notes) != 0 {
		t.Errorf("conflicts %q fixed, %q new; problems %q; notes %q", o.FixedConflicts, o.NewConflicts, o.Problems, o.Notes)
	}
	var changed []string
	for _, f := range o.Changed {
		changed = append(changed, string(f.Change)+" "+f.Path)
	}
	if diff := cmp.Diff([]string{"changed /opt/x", "changed /opt/y", "added /opt/z"}, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if o := compare(fn, 119, a, c); !*o.Fits {
		t.Error("one byte below the limit does not fit")
	}

	o = compare(fn, 1000, a, b, c, c)
	if !slices.Equal(o.NewConflicts, []string{"/opt/y"}) || len(o.Problems) != 1 || !strings.Contains(o.Problems[0], arn+"b is there more than once") {
		t.Errorf("new conflicts %q, problems %q", o.NewConflicts, o.Problems)
	}
	o = compare(nil, 1000, a, a, a, a, a, a)
	if len(o.Problems) != 2 || !strings.Contains(o.Problems[0], "6 layers") || number(o.After.Unzipped) != 42 || o.Code != nil {
		t.Errorf("six layers: %+v", o)
	}
	if o := compare(nil, 1000, a, b, layer(t, "c.zip"), layer(t, "d.zip"), layer(t, "e.zip")); len(o.Problems) != 0 {
		t.Errorf("five layers are too many: %q", o.Problems)
	}
	for name, o := range map[string]*whatif.Outcome{
		"unknown code":  compare(&whatif.Function{}, 1000, a),
		"unknown layer": compare(fn, 1000, a, optfs.Layer{Source: "gone"}),
	} {
		if o.After.Unzipped != nil || o.Fits != nil {
			t.Errorf("%s: %v, %v", name, number(o.After.Unzipped), *o.Fits)
		}
	}
	o = compare(nil, 1000, a, layer(t, "d", ziptest.File("x/y", "z")))
	if len(o.Problems) != 1 || o.Problems[0] != "/opt/x is a file in "+arn+"a:1 and a dir in d: what Lambda makes of that is not documented" {
		t.Errorf("a clash: %q", o.Problems)
	}
	elsewhere := strings.Replace(arn, "eu-central-1", "us-east-1", 1) + "far:1"
	o = compare(fn, 1000, layer(t, elsewhere))
	if len(o.Problems) != 1 || !strings.Contains(o.Problems[0], "lies in us-east-1: a layer must be in the function's region, eu-central-1") {
		t.Errorf("another region: %q", o.Problems)
	}

	// What a layer declares, and the programs in it, are no reason to refuse it.
	x86 := []machine.Program{{Path: "lib/a.so", Architecture: machine.X86}}
	for name, c := range map[string]struct {
		layer whatif.Layer
		f     *whatif.Function
		want  []string
	}{
		"declared for it":      {whatif.Layer{Layer: a, Architectures: []string{"x86_64", "arm64"}, Runtimes: []string{"nodejs22.x"}}, fn, nil},
		"nothing is declared":  {whatif.Layer{Layer: a}, fn, nil},
		"another architecture": {whatif.Layer{Layer: a, Architectures: []string{"x86_64"}}, fn, []string{"is declared for x86_64, and the function is arm64"}},
		"another runtime":      {whatif.Layer{Layer: a, Runtimes: []string{"python3.13", "python3.12"}}, fn, []string{"is declared for python3.13, python3.12, and the function runs nodejs22.x"}},
		"programs":             {whatif.Layer{Layer: a, Programs: x86}, fn, []string{"none of the 1 programs runs on arm64: lib/a.so is for x86_64"}},
		"no function":          {whatif.Layer{Layer: a, Programs: x86, Architectures: []string{"x86_64"}}, nil, nil},
	} {
		o := compareStack(whatif.New().Add(c.layer), c.f, 1000)
		if len(o.Problems) != 0 || len(o.Notes) != len(c.want) {
			t.Errorf("%s: problems %q, notes %q", name, o.Problems, o.Notes)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(o.Notes[i], want) || !strings.HasPrefix(o.Notes[i], a.Source) {
				t.Errorf("%s: %q, want %q", name, o.Notes[i], want)
			}
		}
	}
}

func TestNumbersAndSame(t *testing.T) {
	s := whatif.New(optfs.Layer{Source: "a"}, optfs.Layer{Source: "b"})
	moved, err := s.Order("2", "1")
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := s.Add(plain("c")).Drop("1")
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := s.Replace("2", plain("n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		s    whatif.Stack
		want []int
	}{"beginning": {s, []int{1, 2}}, "moved": {moved, []int{2, 1}}, "added and dropped": {dropped, []int{2, 3}}, "replaced": {replaced, []int{1, 2}}} {
		if got := c.s.Numbers(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got := c.s.Same(s); got != (name == "beginning") {
			t.Errorf("%s is the same: %t", name, got)
		}
	}
	if back, err := moved.Order("1", "2"); err != nil || !back.Same(s) {
		t.Errorf("moved back it is another: %v", err)
	}
}

// Whatever has been done, the steps do it again.
func TestStepsLeadThere(t *testing.T) {
	from := whatif.New(optfs.Layer{Source: "a"}, optfs.Layer{Source: "b"}, optfs.Layer{Source: "c"})
	if got := from.Steps(from); len(got) != 0 {
		t.Errorf("to stay there takes %v", got)
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := from
		for i := range rapid.IntRange(0, 8).Draw(rt, "changes") {
			numbers := s.Numbers()
			verb := rapid.SampledFrom([]string{"add", "drop", "replace", "order"}).Draw(rt, "verb")
			if verb == "add" || len(numbers) == 0 {
				s = s.Add(plain(fmt.Sprint("new", i)))
				continue
			}
			ref := strconv.Itoa(rapid.SampledFrom(numbers).Draw(rt, "layer"))
			var err error
			switch verb {
			case "drop":
				s, err = s.Drop(ref)
			case "replace":
				s, err = s.Replace(ref, plain(fmt.Sprint("other", i)))
			case "order":
				var refs []string
				for _, n := range rapid.Permutation(numbers).Draw(rt, "order") {
					refs = append(refs, strconv.Itoa(n))
				}
				s, err = s.Order(refs...)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		got := from
		rank := -1
		verbs := []string{"replace", "drop", "add", "order"}
		steps := s.Steps(from)
		for _, step := range steps {
			if r := slices.Index(verbs, step.Verb); r < rank {
				rt.Fatalf("%v are not in order", steps)
			} else {
				rank = r
			}
			var err error
			switch step.Verb {
			case "replace":
				old, source, _ := strings.Cut(step.What, "=")
				got, err = got.Replace(old, plain(source))
			case "drop":
				got, err = got.Drop(step.What)
			case "add":
				got = got.Add(plain(step.What))
			case "order":
				got, err = got.Order(strings.Split(step.What, ",")...)
			}
			if err != nil {
				rt.Fatalf("%v: %v", steps, err)
			}
		}
		if sources(got) != sources(s) {
			rt.Fatalf("%v lead to %s, want %s", steps, sources(got), sources(s))
		}
	})
}

// Another order changes neither the size nor what there is.
func TestOrderKeepsSizeAndPaths(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	var layers []optfs.Layer
	for i := range 3 {
		var entries []ziptest.Entry
		for j, n := range names {
			if (i+j)%3 != 0 {
				entries = append(entries, ziptest.File(n, strings.Repeat(n, i+j)))
			}
		}
		layers = append(layers, layer(t, n(i), entries...))
	}
	rapid.Check(t, func(rt *rapid.T) {
		order := rapid.Permutation([]string{"1", "2", "3"}).Draw(rt, "order")
		s, err := whatif.New(layers...).Order(order...)
		if err != nil {
			rt.Fatal(err)
		}
		w := whatif.Case{Before: optfs.Merge(layers...), Stack: s, After: optfs.Merge(s.Layers()...), Limit: 1}
		o, err := w.Compare(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		if *o.Before.Unzipped != *o.After.Unzipped {
			rt.Errorf("%d bytes, then %d", *o.Before.Unzipped, *o.After.Unzipped)
		}
		for _, f := range o.Changed {
			if f.Old == nil || f.New == nil {
				rt.Errorf("%s is %s", f.Path, f.Change)
			}
		}
	})
}

func n(i int) string { return string(rune('1' + i)) }
