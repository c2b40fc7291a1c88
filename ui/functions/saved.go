package functions

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

func (s *Screen) unsaved() string {
	if len(s.Saved) == 0 {
		return "the configuration file has no filters: optlift config shows how they are written"
	}
	return ""
}

// Menu is the list of saved filters, each with how many functions it finds.
type Menu struct {
	table *Screen
	list  list.List
	names []string
	width int
	found map[string]int // -1 for a filter that is broken
}

func newMenu(s *Screen) *Menu {
	m := &Menu{table: s, names: s.Saved.Names(), found: map[string]int{}}
	for _, n := range m.names {
		m.width = max(m.width, sanitize.Width(n))
	}
	m.list.Sync(len(m.names), func(i int) string { return m.names[i] })
	m.count()
	return m
}

func (m *Menu) count() {
	for _, n := range m.names {
		f, err := filter.ParseSaved("@"+n, inventory.Columns(), m.table.Saved)
		m.found[n] = -1
		if err != nil {
			continue
		}
		m.found[n] = 0
		for _, r := range m.table.inv.Rows() {
			if f.Match(r) {
				m.found[n]++
			}
		}
	}
}

// Crumb implements screen.Screen.
func (m *Menu) Crumb() string { return "saved filters" }

// Count implements screen.Counter.
func (m *Menu) Count() string { return draw.Plural(len(m.names), "filter") }

// Actions implements screen.Screen.
func (m *Menu) Actions() []keys.Action {
	none := ""
	if len(m.names) == 0 {
		none = m.table.unsaved()
	}
	return append([]keys.Action{
		{ID: "use", Keys: []string{"enter"}, Label: "use", Group: "Filters", Help: "show the functions that the filter finds", Disabled: none},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (m *Menu) Do(id string) screen.Effect {
	if m.list.Do(id) {
		return screen.Effect{}
	}
	if id == "use" && m.list.Cursor() >= 0 {
		return screen.Effect{Open: screen.Place{Name: "functions", Args: []string{"@" + m.names[m.list.Cursor()]}}}
	}
	return screen.Effect{}
}

// Update implements screen.Screen.
func (m *Menu) Update(msg tea.Msg) screen.Effect {
	if _, ok := msg.(Changed); ok {
		m.count()
	}
	return screen.Effect{}
}

// Close implements screen.Screen.
func (m *Menu) Close() {}

// Click implements screen.Clickable.
func (m *Menu) Click(_, y int) (screen.Effect, bool) {
	row := m.list.At(y)
	if row < 0 {
		return screen.Effect{}, false
	}
	if row == m.list.Cursor() {
		return m.Do("use"), true
	}
	m.list.Select(row, m.names[row])
	return screen.Effect{}, true
}

// View implements screen.Screen.
func (m *Menu) View(st *theme.Styles, w, h int) []string {
	if len(m.names) == 0 {
		return append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, m.table.unsaved())...)
	}
	from, to := m.list.Window(h)
	var out []string
	for i := from; i < to; i++ {
		n := m.names[i]
		l := draw.NewLine(st, w, i == m.list.Cursor())
		l.Cell(theme.Accent, map[bool]string{true: "▌", false: " "}[i == m.list.Cursor()], 1).
			Cell(theme.Strong, n, min(m.width, 30)).Gap(2)
		found := draw.Plural(m.found[n], "function")
		if m.found[n] < 0 {
			found = "can't be read"
		}
		l.Right(theme.Plain, found, 16).Gap(3).Put(theme.Dim, m.table.Saved[n])
		out = append(out, l.String())
	}
	return out
}
