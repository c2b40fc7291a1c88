package table

import (
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/theme"
)

// Column describes one column.
type Column struct {
	ID     string
	Title  string
	Width  int  // columns it needs
	Flex   bool // takes what is left, up to Max
	Max    int
	Right  bool // aligned to the right
	Number bool // sorted with the largest first
	// Rank decides what goes first when there is no room: the highest.
	Rank int
	Hide bool
}

// Cell draws itself into a line, in exactly w columns.
type Cell func(l *draw.Line, w int)

// Text is a cell of one tone, aligned as its column.
func Text(t theme.Tone, s string, right bool) Cell {
	return func(l *draw.Line, w int) {
		if right {
			l.Right(t, s, w)
		} else {
			l.Cell(t, s, w)
		}
	}
}

// Table is a list in columns.
type Table struct {
	list.List
	Columns []Column
	Sort    int // index of the column that gives the order, -1 for none
	Desc    bool

	widths []int // as drawn last
}

// At tells what lies at column x of line y of what View drew last: a row, or in
// the line of titles a column; -1 for what is not there.
func (t *Table) At(x, y int) (row, column int) {
	if y != 0 {
		return t.List.At(y - 1), -1
	}
	at := 1
	for i, w := range t.widths {
		if w == 0 {
			continue
		}
		if x >= at && x < at+w {
			return -1, i
		}
		at += w + gap
	}
	return -1, -1
}

// SortBy orders by column i; a second time turns the order round.
func (t *Table) SortBy(i int) {
	if i < 0 || i >= len(t.Columns) {
		return
	}
	if t.Sort == i {
		t.Desc = !t.Desc
		return
	}
	t.Sort, t.Desc = i, t.Columns[i].Number
}

const gap = 2

// layout returns the width of each column for a table w columns wide, 0 for
// those that are left out.
func (t *Table) layout(w int) []int {
	widths := make([]int, len(t.Columns))
	used := 1 // the selection's mark
	for i, c := range t.Columns {
		if c.Hide {
			continue
		}
		widths[i] = c.Width
		used += c.Width + gap
	}
	used -= gap
	for used > w {
		worst := -1
		for i, c := range t.Columns {
			if widths[i] > 0 && c.Rank > 0 && (worst < 0 || c.Rank > t.Columns[worst].Rank) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		used -= widths[worst] + gap
		widths[worst] = 0
	}
	// What is left goes to the flexible columns, evenly.
	for grown := true; grown && used < w; {
		grown = false
		for i, c := range t.Columns {
			if c.Flex && widths[i] > 0 && widths[i] < c.Max && used < w {
				widths[i]++
				used++
				grown = true
			}
		}
	}
	return widths
}

// View draws a header and the rows seen in h lines. cell returns what stands in
// a row's column; mark is one column wide and put before a row ("" for none).
func (t *Table) View(st *theme.Styles, w, h int, cell func(row, col int) Cell, mark func(row int) string) []string {
	if h <= 0 {
		return nil
	}
	widths := t.layout(w - 1) // the last column stays free
	t.widths = widths
	out := make([]string, 0, h)
	head := draw.NewLine(st, w, false).Gap(1)
	first := true
	for i, c := range t.Columns {
		if widths[i] == 0 {
			continue
		}
		if !first {
			head.Gap(gap)
		}
		first = false
		title, tone := c.Title, theme.Head
		if t.Sort == i {
			arrow := "↑"
			if t.Desc {
				arrow = "↓"
			}
			tone = theme.Accent
			if c.Right {
				title = arrow + title
			} else {
				title += arrow
			}
		}
		if c.Right {
			head.Right(tone, title, widths[i])
		} else {
			head.Cell(tone, title, widths[i])
		}
	}
	out = append(out, head.String())
	from, to := t.Window(h - 1)
	for row := from; row < to; row++ {
		selected := row == t.Cursor()
		l := draw.NewLine(st, w, selected)
		m := " "
		if selected {
			m = "▌"
		}
		if mark != nil {
			if s := mark(row); s != "" {
				m = s
			}
		}
		l.Cell(theme.Accent, m, 1)
		first := true
		for i := range t.Columns {
			if widths[i] == 0 {
				continue
			}
			if !first {
				l.Gap(gap)
			}
			first = false
			cell(row, i)(l, widths[i])
		}
		out = append(out, l.String())
	}
	return out
}
