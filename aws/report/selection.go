package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
)

// Selection says which functions of a report are shown, and in which order.
type Selection struct {
	filter filter.Filter
	sort   []sortKey
}

type sortKey struct {
	column Column
	desc   bool
}

// ParseSelection reads a filter (see aws/filter for its grammar) and a sort
// order: columns, separated by commas, the first one counting most; a "-" in
// front turns one round. Both may be "".
func ParseSelection(filterText, sortText string) (Selection, error) {
	return ParseSavedSelection(filterText, sortText, nil)
}

// ParseSavedSelection is ParseSelection where "@name" in the filter stands for a
// saved one.
func ParseSavedSelection(filterText, sortText string, saved filter.Saved) (Selection, error) {
	f, err := filter.ParseSaved(filterText, filterColumns(), saved)
	if err != nil {
		return Selection{}, fmt.Errorf("filter: %w", err)
	}
	s := Selection{filter: f}
	all := Columns()
	for word := range strings.SplitSeq(sortText, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		id, desc := strings.CutPrefix(word, "-")
		c, ok := lookup(all, id)
		if !ok {
			return Selection{}, fmt.Errorf("sort: no column %q: there are %s", id, names(all))
		}
		s.sort = append(s.sort, sortKey{c, desc})
	}
	return s, nil
}

// Of returns the report with the functions that are selected. The report itself
// is left as it is.
func (s Selection) Of(r *account.Report) *account.Report {
	out := *r
	out.Functions = []account.FunctionReport{}
	for i := range r.Functions {
		if s.filter.Match(newRow(&r.Functions[i])) {
			out.Functions = append(out.Functions, r.Functions[i])
		}
	}
	out.Layers = layersOf(r.Layers, out.Functions)
	if len(s.sort) > 0 {
		slices.SortStableFunc(out.Functions, s.compare)
	}
	return &out
}

// layersOf keeps the layer versions that one of the functions uses; who else uses
// them stays told.
func layersOf(layers []account.LayerVersionReport, functions []account.FunctionReport) []account.LayerVersionReport {
	used := map[string]bool{}
	for i := range functions {
		for _, l := range functions[i].Layers {
			used[l.ARN] = true
		}
	}
	out := []account.LayerVersionReport{}
	for _, l := range layers {
		if used[l.ARN] {
			out = append(out, l)
		}
	}
	return out
}

func (s Selection) compare(a, b account.FunctionReport) int {
	for _, k := range s.sort {
		if c := k.compare(&a, &b); c != 0 {
			return c
		}
	}
	return 0
}

// compare puts rows without a value last either way.
func (k sortKey) compare(a, b *account.FunctionReport) int {
	var c int
	if k.column.number == nil {
		x, y := k.column.value(a), k.column.value(b)
		if (x == "") != (y == "") {
			return cmp.Compare(len(y), len(x))
		}
		c = cmp.Compare(x, y)
	} else {
		x, xIs := k.column.number(a)
		y, yIs := k.column.number(b)
		if xIs != filter.Known || yIs != filter.Known {
			return cmp.Compare(xIs, yIs) // Known comes first
		}
		if k.column.ID == "findings" {
			x, y = x+weight(a), y+weight(b)
		}
		c = cmp.Compare(x, y)
	}
	if k.desc {
		return -c
	}
	return c
}

// weight makes the worst severity count more than any number of findings.
func weight(f *account.FunctionReport) float64 {
	return map[string]float64{account.Error: 2 << 32, account.Warning: 1 << 32}[f.Worst()]
}

// row is a function as filters see it.
type row struct {
	f       *account.FunctionReport
	columns []Column
}

func newRow(f *account.FunctionReport) *row { return &row{f: f, columns: Columns()} }

// FilterText implements filter.Row.
func (r *row) FilterText() string {
	parts := []string{r.f.Name, r.f.Region, r.f.PackageType, r.f.Runtime, r.f.Architecture, r.f.Handler}
	for _, l := range r.f.Layers {
		parts = append(parts, l.ARN)
	}
	for _, e := range r.f.Extensions {
		parts = append(parts, e.Name)
	}
	for _, x := range r.f.Findings {
		parts = append(parts, x.ID)
	}
	if r.f.ManagedBy != nil {
		parts = append(parts, *r.f.ManagedBy)
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// FilterName implements filter.Row.
func (r *row) FilterName() string { return strings.ToLower(r.f.Name) }

// FilterField implements filter.Row.
func (r *row) FilterField(column string) []string {
	if column == "env" {
		return lower(r.f.EnvNames)
	}
	c, ok := lookup(r.columns, column)
	switch {
	case !ok:
		return nil
	case c.texts != nil:
		return lower(c.texts(r.f))
	}
	return lower([]string{c.value(r.f)})
}

// FilterNumber implements filter.Row.
func (r *row) FilterNumber(column string) (float64, filter.Presence) {
	c, ok := lookup(r.columns, column)
	if !ok || c.number == nil {
		return 0, filter.None
	}
	return c.number(r.f)
}

func lower(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strings.ToLower(s)
	}
	return out
}
