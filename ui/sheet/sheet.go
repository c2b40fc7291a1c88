package sheet

import (
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// Row is one row. Key tells it from the others whatever their order.
type Row interface {
	filter.Row
	Key() string
}

// Sheet is a table of rows. The exported fields are set once, before Set.
type Sheet[R Row] struct {
	Table table.Table
	// Names are what rows can be filtered by.
	Names filter.Columns
	// Compare orders two rows by a column, ascending.
	Compare func(a, b R, column int) int
	// Cell is what stands in a column of a row.
	Cell func(r R, column int) table.Cell

	filter filter.Filter
	all    []R // in order
	rows   []R // those that pass
}

// Set shows rows. Those that Compare finds equal keep their order.
func (s *Sheet[R]) Set(all []R) {
	s.all = append(s.all[:0], all...)
	s.sort()
}

// sort puts the rows in order, which changes seldom; narrow finds out which are seen,
// which may change with every key.
func (s *Sheet[R]) sort() {
	if by := s.Table.Sort; by >= 0 {
		slices.SortStableFunc(s.all, func(a, b R) int {
			c := s.Compare(a, b, by)
			if s.Table.Desc {
				return -c
			}
			return c
		})
	}
	s.narrow()
}

func (s *Sheet[R]) narrow() {
	s.rows = s.rows[:0]
	for _, r := range s.all {
		if s.filter.Match(r) {
			s.rows = append(s.rows, r)
		}
	}
	s.Table.Sync(len(s.rows), func(i int) string { return s.rows[i].Key() })
	s.remember()
}

func (s *Sheet[R]) remember() {
	if r, ok := s.Selected(); ok {
		s.Table.Remember(r.Key())
	}
}

// Selected is the row under the cursor.
func (s *Sheet[R]) Selected() (r R, ok bool) {
	if c := s.Table.Cursor(); c >= 0 && c < len(s.rows) {
		return s.rows[c], true
	}
	return r, false
}

// Rows are those on screen, in order. The slice is good until the next call.
func (s *Sheet[R]) Rows() []R { return s.rows }

// Len is how many rows there are in all.
func (s *Sheet[R]) Len() int { return len(s.all) }

// SetFilter narrows the rows; on an error the last good filter stays in force.
func (s *Sheet[R]) SetFilter(text string) error {
	f, err := filter.Parse(text, s.Names)
	if err != nil {
		return err
	}
	s.filter = f
	s.narrow()
	return nil
}

// Filter is the filter in force.
func (s *Sheet[R]) Filter() string { return s.filter.String() }

// Count says how many rows are shown of how many there are: "3 shown · 12 packages".
func (s *Sheet[R]) Count(all string) string {
	if s.filter.Empty() {
		return all
	}
	return strconv.Itoa(len(s.rows)) + " shown · " + all
}

// sortKeys are the keys of the first ten columns.
var sortKeys = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}

// Actions are the moves and orders that every sheet knows.
func (s *Sheet[R]) Actions() []keys.Action {
	out := []keys.Action{
		{ID: "sort-next", Keys: []string{"s"}, Label: "sort", Minor: true, Group: "List", Help: "sort by the next column"},
		{ID: "sort-turn", Keys: []string{"S"}, Group: "List", Help: "turn the order round"},
	}
	for i := range s.Table.Columns[:min(len(s.Table.Columns), len(sortKeys))] {
		a := keys.Action{ID: "sort-" + sortKeys[i], Keys: sortKeys[i : i+1], Group: "List"}
		if i == 0 {
			a.Help = "sort by the first column; the next digits by those after it"
		}
		out = append(out, a)
	}
	return append(out, list.Actions()...)
}

// Do performs one of Actions and reports whether id was one.
func (s *Sheet[R]) Do(id string) bool {
	if s.Table.Do(id) {
		s.remember()
		return true
	}
	key, ok := strings.CutPrefix(id, "sort-")
	if !ok {
		return false
	}
	switch t := &s.Table; key {
	case "next":
		t.Sort = (t.Sort + 1) % len(t.Columns)
		t.Desc = t.Columns[t.Sort].Number
	case "turn":
		t.Desc = !t.Desc
	default:
		t.SortBy(slices.Index(sortKeys, key))
	}
	s.sort()
	return true
}

// Click takes a click at column x of line y of what View drew: a title sorts, a
// row is selected, and opened where it was selected already.
func (s *Sheet[R]) Click(x, y int) (open, hit bool) {
	row, col := s.Table.At(x, y)
	switch {
	case len(s.rows) == 0 || row < 0 && col < 0:
		return false, false
	case row >= 0 && row == s.Table.Cursor():
		return true, true
	case row >= 0:
		s.Table.Select(row, s.rows[row].Key())
	default:
		s.Table.SortBy(col)
		s.sort()
	}
	return false, true
}

// View draws the titles and the rows seen in h lines.
func (s *Sheet[R]) View(st *theme.Styles, w, h int, mark func(r R) string) []string {
	var of func(int) string
	if mark != nil {
		of = func(i int) string { return mark(s.rows[i]) }
	}
	return s.Table.View(st, w, h, func(row, col int) table.Cell { return s.Cell(s.rows[row], col) }, of)
}
