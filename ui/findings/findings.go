package findings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// finding is one finding of one function. It is a filter.Row.
type finding struct {
	*account.Finding
	function *inventory.Row
	key      string
	text     string // lower case
}

// filterColumns are what findings can be filtered by; none is a number.
var filterColumns = filter.Columns{"name": false, "severity": false, "finding": false, "message": false, "region": false}

const (
	colSeverity = iota
	colFunction
	colRule
	colMessage
)

// Screen is the table of findings.
type Screen struct {
	keys.Hints
	inv    *inventory.Inventory
	table  table.Table
	filter filter.Filter
	all    []finding
	rows   []*finding // those that pass the filter
}

// New returns the screen over an inventory.
func New(inv *inventory.Inventory) *Screen {
	s := &Screen{inv: inv}
	s.table.Columns = []table.Column{
		{ID: "severity", Title: "SEV", Width: 3},
		{ID: "function", Title: "FUNCTION", Width: 20, Flex: true, Max: 40},
		{ID: "finding", Title: "FINDING", Width: 16, Flex: true, Max: 28},
		{ID: "message", Title: "WHAT", Width: 20, Flex: true, Max: 200, Rank: 1},
	}
	s.table.Sort = -1
	s.sync()
	return s
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "findings" }

// Count implements screen.Counter.
func (s *Screen) Count() string {
	var errors, warnings int
	for _, f := range s.all {
		switch f.Severity {
		case account.Error:
			errors++
		case account.Warning:
			warnings++
		}
	}
	out := draw.Plural(errors, "error") + " · " + draw.Plural(warnings, "warning") + " · " + draw.Plural(len(s.all)-errors-warnings, "note")
	if !s.filter.Empty() {
		out = strconv.Itoa(len(s.rows)) + " shown · " + out
	}
	return out
}

func (s *Screen) selected() *finding {
	if c := s.table.Cursor(); c >= 0 {
		return s.rows[c]
	}
	return nil
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	none := ""
	if s.selected() == nil {
		none = "no finding is selected"
	}
	return append([]keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "function", Group: "Finding", Help: "show the function", Disabled: none},
		{ID: "same", Keys: []string{"f"}, Label: "all with it", Group: "Finding", Help: "the functions that have the same finding", Disabled: none},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if s.table.Do(id) {
		s.remember()
		return screen.Effect{}
	}
	f := s.selected()
	if f == nil {
		return screen.Effect{}
	}
	switch id {
	case "open":
		return screen.Effect{Open: screen.Place{Name: "function", Args: []string{f.function.ARN}}}
	case "same":
		return screen.Effect{Open: screen.Place{Name: "functions", Args: []string{"finding:" + f.ID}}}
	}
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	if _, ok := msg.(functions.Changed); ok {
		s.sync()
	}
	return screen.Effect{}
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error {
	f, err := filter.Parse(text, filterColumns)
	if err != nil {
		return err
	}
	s.filter = f
	s.narrow()
	return nil
}

// Filter implements screen.Filterable.
func (s *Screen) Filter() string { return s.filter.String() }

// Close implements screen.Screen.
func (s *Screen) Close() {}

// sync takes in what changed: the gravest first, then by function.
func (s *Screen) sync() {
	s.all = s.all[:0]
	for _, r := range s.inv.Rows() {
		if r.Facts == nil {
			continue
		}
		for i := range r.Facts.Findings {
			f := &r.Facts.Findings[i]
			s.all = append(s.all, finding{
				Finding: f, function: r, key: r.ARN + " " + strconv.Itoa(i),
				text: strings.ToLower(r.Name + " " + f.ID + " " + f.Severity + " " + f.Message),
			})
		}
	}
	slices.SortStableFunc(s.all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(gravity(b.Severity), gravity(a.Severity)), cmp.Compare(a.function.Name, b.function.Name), cmp.Compare(a.function.ARN, b.function.ARN))
	})
	s.narrow()
}

func gravity(severity string) int {
	switch severity {
	case account.Error:
		return 2
	case account.Warning:
		return 1
	}
	return 0
}

func (s *Screen) narrow() {
	s.rows = s.rows[:0]
	for i := range s.all {
		if s.filter.Match(&s.all[i]) {
			s.rows = append(s.rows, &s.all[i])
		}
	}
	s.table.Sync(len(s.rows), func(i int) string { return s.rows[i].key })
	s.remember()
}

func (s *Screen) remember() {
	if f := s.selected(); f != nil {
		s.table.Remember(f.key)
	}
}

// FilterText implements filter.Row.
func (f *finding) FilterText() string { return f.text }

// FilterName implements filter.Row.
func (f *finding) FilterName() string { return strings.ToLower(f.function.Name) }

// FilterField implements filter.Row.
func (f *finding) FilterField(column string) []string {
	field := map[string]string{
		"name": f.function.Name, "severity": f.Severity, "finding": f.ID, "message": f.Message, "region": f.function.Region,
	}[column]
	return []string{strings.ToLower(field)}
}

// FilterNumber implements filter.Row.
func (f *finding) FilterNumber(string) (float64, filter.Presence) { return 0, filter.None }

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	if len(s.rows) == 0 {
		return append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, s.empty())...)
	}
	detail := s.detail(st, w)
	room := h - len(detail)
	if room < 4 {
		detail, room = nil, h
	}
	out := s.table.View(st, w, room, s.cell, nil)
	for len(out) < h-len(detail) {
		out = append(out, "")
	}
	return append(out, detail...)
}

func (s *Screen) empty() string {
	measured, found, listed := s.inv.Progress()
	switch {
	case !s.filter.Empty():
		return "Nothing matches " + s.filter.String() + ". esc shows all findings again."
	case s.inv.Running() || !listed:
		return "Still reading the account. Findings appear as functions are measured."
	case measured < found:
		return "Nothing was found in what could be measured: " + strconv.Itoa(measured) + " of " + draw.Plural(found, "function") + "."
	case len(s.inv.Errors()) > 0:
		return "Nothing was found in what could be listed; " + s.Key("log") + " shows what could not."
	}
	return "Nothing was found."
}

func (s *Screen) cell(row, col int) table.Cell {
	f := s.rows[row]
	switch col {
	case colSeverity:
		shape, tone := mark.Severity(f.Severity)
		return table.Text(tone, shape, false)
	case colFunction:
		return table.Text(theme.Plain, f.function.Name, false)
	case colRule:
		return table.Text(theme.Dim, f.ID, false)
	}
	return table.Text(theme.Plain, f.Message, false)
}

// detail is the selected finding in full.
func (s *Screen) detail(st *theme.Styles, w int) []string {
	f := s.selected()
	if f == nil {
		return nil
	}
	shape, tone := mark.Severity(f.Severity)
	out := []string{"", draw.NewLine(st, w, false).Gap(1).Put(tone, shape+" "+f.Severity).Put(theme.Dim, "  "+f.ID+"  ").Put(theme.Strong, f.function.Name).String()}
	lines := func(tone theme.Tone, text string) {
		part := draw.Para(st, w-1, 3, tone, text)
		out = append(out, part[:min(len(part), 4)]...)
	}
	lines(theme.Plain, f.Message)
	if f.Remedy != "" {
		lines(theme.Dim, "→ "+f.Remedy)
	}
	return out
}
