package sheet

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

type row struct {
	name string
	n    int
}

func (r row) Key() string                                    { return r.name }
func (r row) FilterText() string                             { return r.name }
func (r row) FilterName() string                             { return r.name }
func (r row) FilterField(string) []string                    { return []string{r.name} }
func (r row) FilterNumber(string) (float64, filter.Presence) { return float64(r.n), filter.Known }
func (r row) String() string                                 { return r.name }

func newSheet() *Sheet[row] {
	s := &Sheet[row]{Names: filter.Columns{"n": true}}
	s.Table.Columns = []table.Column{{ID: "name", Title: "NAME", Width: 8}, {ID: "n", Title: "N", Width: 4, Number: true}}
	s.Compare = func(a, b row, column int) int {
		if column == 1 {
			return cmp.Compare(a.n, b.n)
		}
		return cmp.Compare(a.name, b.name)
	}
	s.Cell = func(r row, column int) table.Cell { return table.Text(theme.Plain, r.name, false) }
	return s
}

func (s *Sheet[R]) names() string { return strings.Trim(fmt.Sprint(s.Rows()), "[]") }

func TestSheet(t *testing.T) {
	s := newSheet()
	st := theme.Named("dark", true, theme.Mono)
	is := func(want string) {
		t.Helper()
		if got := s.names(); got != want {
			t.Fatalf("%s, not %s", got, want)
		}
	}
	if _, ok := s.Selected(); ok || s.Do("down") && s.Len() != 0 {
		t.Fatal("a row of none is selected")
	}
	given := []row{{"b", 2}, {"a", 1}, {"d", 1}, {"c", 3}}
	s.Set(given)
	is("a b c d")
	if given[0].name != "b" {
		t.Fatal("what was given was changed")
	}
	s.View(st, 40, 10, nil)
	s.Do("down")
	s.Do("sort-2") // numbers: the largest first, equals as they were
	is("c b a d")
	if r, _ := s.Selected(); r.name != "b" {
		t.Fatalf("%v is selected", r)
	}
	s.Do("sort-turn")
	is("a d b c")
	s.Do("sort-next")
	is("a b c d")
	if err := s.SetFilter("n<3 !a"); err != nil {
		t.Fatal(err)
	}
	is("b d")
	if got := s.Count("4 rows"); got != "2 shown · 4 rows" {
		t.Fatal(got)
	}
	if err := s.SetFilter("x>much"); err == nil || s.Filter() != "n<3 !a" {
		t.Fatal("a wrong filter is in force", err)
	}
	// More rows come: the filter holds, the selected one stays.
	s.Set(append(given, row{"aa", 1}, row{"bb", 1}))
	is("b bb d")
	if r, _ := s.Selected(); r.name != "b" {
		t.Fatalf("%v is selected", r)
	}
	s.View(st, 40, 10, nil)
	if open, hit := s.Click(2, 3); open || !hit {
		t.Fatal("a first click opens, or finds nothing")
	}
	if open, _ := s.Click(2, 3); !open {
		t.Fatal("a second click does not open")
	}
	if open, hit := s.Click(2, 0); open || !hit || !s.Table.Desc {
		t.Fatal("a click on the title does not turn the order")
	}
	is("d bb b")
	if _, hit := s.Click(2, 9); hit {
		t.Fatal("there is nothing")
	}
}

// BenchmarkFilter is a letter typed among 100,000 rows.
func BenchmarkFilter(b *testing.B) {
	s := newSheet()
	rows := make([]row, 100_000)
	for i := range rows {
		rows[i] = row{fmt.Sprintf("opt/python/lib/python3.13/site-packages/package%d/file%d.py", i%700, i), i}
	}
	s.Set(rows)
	for b.Loop() {
		for _, f := range []string{"p", "package69"} {
			if err := s.SetFilter(f); err != nil {
				b.Fatal(err)
			}
		}
	}
}
