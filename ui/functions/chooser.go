package functions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Chooser is the list of all columns, in which those of the table are chosen and
// put in order. The table follows at once, until the program ends.
type Chooser struct {
	table *Screen
	list  list.List
	ids   []string // those on screen in their order, then the others
}

func newChooser(s *Screen) *Chooser {
	c := &Chooser{table: s}
	c.fill()
	return c
}

func (c *Chooser) fill() {
	c.ids = slices.Clone(c.table.layout.Columns)
	for _, id := range ColumnNames() {
		if !slices.Contains(c.ids, id) {
			c.ids = append(c.ids, id)
		}
	}
	c.list.Sync(len(c.ids), func(i int) string { return c.ids[i] })
	c.list.Remember(c.ids[c.list.Cursor()])
}

// Crumb implements screen.Screen.
func (c *Chooser) Crumb() string { return "columns" }

// Count implements screen.Counter.
func (c *Chooser) Count() string {
	return fmt.Sprintf("%d of %s", len(c.table.layout.Columns), draw.Plural(len(c.ids), "column"))
}

func (c *Chooser) selected() string { return c.ids[c.list.Cursor()] }

func (c *Chooser) chosen(id string) bool { return slices.Contains(c.table.layout.Columns, id) }

// Actions implements screen.Screen.
func (c *Chooser) Actions() []keys.Action {
	const group = "Columns"
	id := c.selected()
	hidden, always := "", ""
	if !c.chosen(id) {
		hidden = "this column is not shown"
	}
	if id == "name" {
		always = "a table without names would tell little"
	}
	return append([]keys.Action{
		{ID: "show", Keys: []string{"space"}, Label: "show or hide", Group: group, Help: "show the column, or leave it out", Disabled: always},
		{ID: "earlier", Keys: []string{"<", "alt+up"}, Label: "earlier", Group: group, Help: "move the column to the left", Disabled: hidden},
		{ID: "later", Keys: []string{">", "alt+down"}, Label: "later", Group: group, Help: "move the column to the right", Disabled: hidden},
		{ID: "wider", Keys: []string{"+", "right"}, Label: "wider", Minor: true, Group: group, Help: "make the column wider", Disabled: hidden},
		{ID: "narrower", Keys: []string{"-", "left"}, Label: "narrower", Minor: true, Group: group, Help: "make the column narrower", Disabled: hidden},
		{ID: "sort-by", Keys: []string{"enter", "s"}, Label: "sort", Group: group, Help: "sort by the column; again turns the order round"},
		{ID: "copy", Keys: []string{"y"}, Label: "copy for config.toml", Group: group, Help: "copy the lines that keep this choice in the configuration file"},
		{ID: "configured", Keys: []string{"u"}, Group: group, Help: "the columns of the configuration again"},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (c *Chooser) Do(id string) screen.Effect {
	if c.list.Do(id) {
		c.list.Remember(c.selected())
		return screen.Effect{}
	}
	l := c.table.layout.clone()
	col, _ := columnOf(c.selected())
	at := slices.Index(l.Columns, col.ID)
	switch id {
	case "show":
		if at >= 0 {
			l.Columns = slices.Delete(l.Columns, at, at+1)
		} else {
			l.Columns = append(l.Columns, col.ID)
		}
	case "earlier":
		if at > 0 {
			l.Columns[at-1], l.Columns[at] = l.Columns[at], l.Columns[at-1]
		}
	case "later":
		if at < len(l.Columns)-1 {
			l.Columns[at+1], l.Columns[at] = l.Columns[at], l.Columns[at+1]
		}
	case "wider":
		c.widen(&l, col, 1)
	case "narrower":
		c.widen(&l, col, -1)
	case "sort-by":
		if by, desc := c.table.sorting(); by == col.ID {
			l.Sort = direction(col.ID, !desc)
		} else {
			l.Sort = direction(col.ID, col.Number)
		}
	case "copy":
		return screen.Effect{Copy: c.table.layout.TOML()}
	case "configured":
		l = c.table.Layout
	default:
		return screen.Effect{}
	}
	c.table.use(l)
	c.table.sync()
	c.fill()
	return screen.Effect{}
}

func direction(id string, desc bool) string {
	if desc {
		return "-" + id
	}
	return id
}

func (c *Chooser) widen(l *Layout, col column, by int) {
	w, ok := l.Widths[col.ID]
	if !ok {
		w = max(col.Width, col.Max)
	}
	if l.Widths == nil {
		l.Widths = map[string]int{}
	}
	l.Widths[col.ID] = min(max(w+by, MinWidth), MaxWidth)
}

// TOML is the layout as the configuration file has it.
func (l Layout) TOML() string {
	quoted := make([]string, len(l.Columns))
	for i, id := range l.Columns {
		quoted[i] = `"` + id + `"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[functions]\ncolumns = [%s]\nsort = %q\n", strings.Join(quoted, ", "), l.Sort)
	if len(l.Widths) > 0 {
		b.WriteString("[functions.widths]\n")
		for _, id := range slices.Sorted(maps.Keys(l.Widths)) {
			fmt.Fprintf(&b, "%s = %d\n", id, l.Widths[id])
		}
	}
	return b.String()
}

// Update implements screen.Screen.
func (c *Chooser) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (c *Chooser) Close() {}

// Click implements screen.Clickable.
func (c *Chooser) Click(_, y int) (screen.Effect, bool) {
	row := c.list.At(y - 2)
	if row < 0 {
		return screen.Effect{}, false
	}
	again := row == c.list.Cursor()
	c.list.Select(row, c.ids[row])
	if again && c.selected() != "name" {
		return c.Do("show"), true
	}
	return screen.Effect{}, true
}

// View implements screen.Screen.
func (c *Chooser) View(st *theme.Styles, w, h int) []string {
	out := []string{draw.Text(st, w, theme.Dim, " The table follows at once, until you leave; config.toml keeps a choice."), ""}
	by, desc := c.table.sorting()
	from, to := c.list.Window(h - len(out))
	for i := from; i < to; i++ {
		col, _ := columnOf(c.ids[i])
		l := draw.NewLine(st, w, i == c.list.Cursor())
		mark, tone := "[ ]", theme.Dim
		if c.chosen(col.ID) {
			mark, tone = "[x]", theme.Plain
		}
		l.Cell(theme.Accent, map[bool]string{true: "▌", false: " "}[i == c.list.Cursor()], 2).Put(tone, mark).Gap(1).Cell(tone, col.ID, 12)
		arrow := ""
		if by == col.ID {
			arrow = map[bool]string{true: "↓ sorts", false: "↑ sorts"}[desc]
		}
		width := ""
		if n, ok := c.table.layout.Widths[col.ID]; ok {
			width = fmt.Sprintf("%d wide", n)
		}
		l.Cell(theme.Accent, arrow, 9).Cell(theme.Dim, width, 10).Put(theme.Dim, col.help)
		out = append(out, l.String())
	}
	return out
}
