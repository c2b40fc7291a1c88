package whatif_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
		"drop by path":    {must(s.Drop("c.zip")), arn + "a:1 " + arn + "b:7"},
		"add":             {s.Add(optfs.Layer{Source: "d"}), arn + "a:1 " + arn + "b:7 c.zip d"},
		"replace":         {must(s.Replace("b", optfs.Layer{Source: "n"})), arn + "a:1 n c.zip"},
		"order":           {must(s.Order("3", "a", arn+"b:7")), "c.zip " + arn + "a:1 " + arn + "b:7"},
		"numbers stay":    {must(must(s.Drop("1")).Drop("3")), arn + "b:7"},
		"added has one":   {must(s.Add(optfs.Layer{Source: "d"}).Order("4", "1", "2", "3")), "d " + arn + "a:1 " + arn + "b:7 c.zip"},
		"after replacing": {must(must(s.Replace("1", optfs.Layer{Source: "n"})).Drop("1")), arn + "b:7 c.zip"},
		"the beginning":   {s, arn + "a:1 " + arn + "b:7 c.zip"},
	} {
		if have := sources(got.s); have != got.want {
			t.Errorf("%s: %s, want %s", name, have, got.want)
		}
	}
	twice := s.Add(optfs.Layer{Source: arn + "b:8"})
	for want, err := range map[string]error{
		"there is no layer 9":         second(s.Drop("9")),
		"called \"x\"":                second(s.Drop("x")),
		"called \"\"":                 second(s.Drop("")),
		"names 2 layers":              second(twice.Drop("b")),
		"names 2 of 3":                second(s.Order("1", "2")),
		"twice":                       second(s.Order("1", "a", "2")),
		"there are none":              second(whatif.New().Replace("1", optfs.Layer{})),
		"no layer here is called \":": second(s.Drop(":")),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func second(_ whatif.Stack, err error) error { return err }

func TestCompare(t *testing.T) {
	a := layer(t, arn+"a:1", ziptest.File("x", "from a"), ziptest.File("only-a", "1"))
	b := layer(t, arn+"b:1", ziptest.File("x", "from b"), ziptest.File("y", "one"))
	c := layer(t, arn+"b:2", ziptest.File("y", "two, longer"), ziptest.File("z", ""))
	code := int64(100)
	before := optfs.Merge(a, b)
	compare := func(after *optfs.Tree, hasCode bool, code *int64, limit int64) *whatif.Outcome {
		t.Helper()
		o, err := whatif.Compare(t.Context(), "/opt", before, after, hasCode, code, limit, true)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	number := func(n *int64) int64 {
		if n == nil {
			return -1
		}
		return *n
	}

	o := compare(optfs.Merge(a, c), true, &code, 118)
	if number(o.Before.Unzipped) != 100+7+9 || number(o.After.Unzipped) != 100+7+11 || *o.Fits || o.Before.Conflicts != 1 || o.After.Conflicts != 0 {
		t.Errorf("outcome %+v", o)
	}
	if !slices.Equal(o.FixedConflicts, []string{"/opt/x"}) || len(o.NewConflicts) != 0 || len(o.Problems) != 0 {
		t.Errorf("conflicts %q fixed, %q new; problems %q", o.FixedConflicts, o.NewConflicts, o.Problems)
	}
	var changed []string
	for _, f := range o.Changed {
		changed = append(changed, string(f.Change)+" "+f.Path)
	}
	if diff := cmp.Diff([]string{"changed /opt/x", "changed /opt/y", "added /opt/z"}, changed); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if o := compare(optfs.Merge(a, c), true, &code, 119); !*o.Fits {
		t.Error("one byte below the limit does not fit")
	}

	o = compare(optfs.Merge(a, b, c), true, &code, 1000)
	if !slices.Equal(o.NewConflicts, []string{"/opt/y"}) || len(o.Problems) != 1 || !strings.Contains(o.Problems[0], arn+"b is there twice") {
		t.Errorf("new conflicts %q, problems %q", o.NewConflicts, o.Problems)
	}
	o = compare(optfs.Merge(a, a, a, a, a, a), false, nil, 1000)
	if len(o.Problems) == 0 || !strings.Contains(o.Problems[0], "6 layers") || number(o.After.Unzipped) != 42 {
		t.Errorf("six layers: %+v", o)
	}
	for name, o := range map[string]*whatif.Outcome{
		"unknown code":  compare(optfs.Merge(a), true, nil, 1000),
		"unknown layer": compare(optfs.Merge(a, optfs.Layer{Source: "gone"}), true, &code, 1000),
	} {
		if o.After.Unzipped != nil || o.Fits != nil {
			t.Errorf("%s: %v, %v", name, number(o.After.Unzipped), *o.Fits)
		}
	}
	o = compare(optfs.Merge(a, layer(t, "d", ziptest.File("x/y", "z"))), false, nil, 1000)
	if len(o.Problems) != 1 || !strings.Contains(o.Problems[0], "not documented") {
		t.Errorf("a clash: %q", o.Problems)
	}
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
		o, err := whatif.Compare(t.Context(), "", optfs.Merge(layers...), optfs.Merge(s.Layers()...), false, nil, 1, false)
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
