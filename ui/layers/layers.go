package layers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/awscli"
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

// Screen is the table of layer versions.
type Screen struct {
	inv     *inventory.Inventory
	account awscli.Account
	own     string // account id, to tell foreign layers
	table   table.Table
	filter  filter.Filter
	rows    []*inventory.Layer
	marked  []string // ARNs, in the order they were marked
}

const (
	colName = iota
	colOwner
	colZip
	colSize
	colState
	colNewest
	colUndeclared
	colSame
	colUsers
	colWho
)

// filterColumns are what layers can be filtered by; true marks numbers.
var filterColumns = filter.Columns{
	"name": false, "layer": false, "state": false, "function": false, "functions": true, "zip": true,
	"owner": false, "publisher": false, "newest": true, "behind": true, "undeclared": true, "same": true,
	"size": true, "unzipped": true,
}

// New returns the screen over an inventory of account own.
func New(inv *inventory.Inventory, account awscli.Account, own string) *Screen {
	s := &Screen{inv: inv, account: account, own: own}
	s.table.Columns = []table.Column{
		{ID: "name", Title: "LAYER VERSION", Width: 22, Flex: true, Max: 40},
		{ID: "owner", Title: "OWNER", Width: 12, Rank: 8},
		{ID: "zip size", Title: "ZIP", Width: 10, Right: true, Number: true, Rank: 11},
		{ID: "unzipped size", Title: "UNZIPPED", Width: 10, Right: true, Number: true},
		{ID: "state", Title: "STATE", Width: 14},
		{ID: "newest version", Title: "NEWEST", Width: 9, Rank: 5, Flex: true, Max: len(notAllowed)},
		{ID: "undeclared uses", Title: "UNDECL", Width: 6, Right: true, Number: true, Rank: 9},
		{ID: "same content", Title: "SAME", Width: 4, Right: true, Number: true, Rank: 10},
		{ID: "number of functions", Title: "USED", Width: 5, Right: true, Number: true},
		{ID: "functions", Title: "BY", Width: 12, Rank: 6, Flex: true, Max: 80},
	}
	s.table.Sort, s.table.Desc = colUsers, true
	s.sync()
	return s
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "layers" }

// Count implements screen.Counter.
func (s *Screen) Count() string {
	all := draw.Plural(len(s.inv.Layers()), "layer version")
	if n := len(s.marked); n > 0 {
		all = strconv.Itoa(n) + " marked · " + all
	}
	if !s.filter.Empty() {
		return strconv.Itoa(len(s.rows)) + " shown · " + all
	}
	return all
}

func (s *Screen) selected() *inventory.Layer {
	if c := s.table.Cursor(); c >= 0 {
		return s.rows[c]
	}
	return nil
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	none, diff := "", s.tooMany()
	if s.selected() == nil {
		none = "no layer is selected"
		if len(s.marked) == 0 {
			diff = none
		}
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter", "o"}, Label: "contents", Group: "Layer", Help: "look into the layer version", Disabled: none},
		{ID: "packages", Keys: []string{"p"}, Label: "packages", Minor: true, Group: "Layer", Help: "the packages in the layer version", Disabled: none},
		{ID: "users", Keys: []string{"u"}, Label: "its functions", Group: "Layer", Help: "the functions that use it", Disabled: none},
		{ID: "mark", Keys: []string{"space"}, Label: "mark", Minor: true, Group: "Layer", Help: "mark the layer version to compare it, or take its mark away", Disabled: none},
		{ID: "unmark", Keys: []string{"n"}, Group: "Layer", Help: "unmark all", Disabled: s.noMarks()},
		{ID: "diff", Keys: []string{"d"}, Label: "diff", Group: "Layer", Help: "what differs between the two marked ones, or from another version of the layer", Disabled: diff},
		{ID: "find", Keys: []string{"w"}, Label: "find", Minor: true, Group: "List", Help: "which of them hold a path or a package"},
		{ID: "copy", Keys: []string{"y"}, Group: "Layer", Help: "copy the AWS CLI call", Disabled: none},
		{ID: "sort-next", Keys: []string{"s"}, Label: "sort", Minor: true, Group: "List", Help: "sort by the next column"},
		{ID: "sort-turn", Keys: []string{"S"}, Group: "List", Help: "turn the order round"},
	}
	for i, c := range s.table.Columns {
		key := strconv.Itoa((i + 1) % 10) // the tenth is 0
		own = append(own, keys.Action{ID: "sort-" + key, Keys: []string{key}, Group: "List", Help: "sort by " + c.ID})
	}
	return append(own, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if s.table.Do(id) {
		s.remember()
		return screen.Effect{}
	}
	if key, ok := strings.CutPrefix(id, "sort-"); ok {
		switch key {
		case "next":
			s.table.Sort = (s.table.Sort + 1) % len(s.table.Columns)
			s.table.Desc = s.table.Columns[s.table.Sort].Number
		case "turn":
			s.table.Desc = !s.table.Desc
		default:
			if n, err := strconv.Atoi(key); err == nil {
				s.table.SortBy((n + 9) % 10)
			}
		}
		s.sync()
		return screen.Effect{}
	}
	switch id {
	case "diff":
		return s.diff()
	case "unmark":
		s.marked = nil
	case "find":
		return screen.Effect{Open: screen.Place{Name: "find"}}
	}
	l := s.selected()
	if l == nil {
		return screen.Effect{}
	}
	switch id {
	case "mark":
		s.toggle()
	case "open":
		return screen.Effect{Open: screen.Place{Name: "opt", Args: []string{l.ARN}}}
	case "packages":
		return screen.Effect{Open: screen.Place{Name: "packages", Args: []string{l.ARN}}}
	case "users":
		return screen.Effect{Open: screen.Place{Name: "functions", Args: []string{"layers:" + l.ARN}}}
	case "copy":
		return screen.Effect{Copy: s.account.Of(l.Functions[0].ARN).GetLayer(l.ARN)}
	}
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	if _, ok := msg.(functions.Changed); ok {
		s.prune()
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
	s.sync()
	return nil
}

// Filter implements screen.Filterable.
func (s *Screen) Filter() string { return s.filter.String() }

// Close implements screen.Screen.
func (s *Screen) Close() {}

func (s *Screen) remember() {
	if l := s.selected(); l != nil {
		s.table.Remember(l.ARN)
	}
}

func (s *Screen) sync() {
	s.rows = s.rows[:0]
	for _, l := range s.inv.Layers() {
		if s.filter.Match(l) {
			s.rows = append(s.rows, l)
		}
	}
	slices.SortStableFunc(s.rows, func(a, b *inventory.Layer) int {
		c := s.compare(a, b)
		if s.table.Desc {
			c = -c
		}
		return c
	})
	s.table.Sync(len(s.rows), func(i int) string { return s.rows[i].ARN })
	s.remember()
}

func (s *Screen) compare(a, b *inventory.Layer) int {
	switch s.table.Sort {
	case colOwner:
		return strings.Compare(inventory.LayerAccount(a.ARN), inventory.LayerAccount(b.ARN))
	case colZip:
		return cmp.Compare(a.Size, b.Size)
	case colSize:
		return cmp.Compare(unzipped(a), unzipped(b))
	case colState:
		return strings.Compare(string(a.State()), string(b.State()))
	case colNewest:
		x, _ := a.Behind()
		y, _ := b.Behind()
		return cmp.Compare(x, y)
	case colUndeclared, colSame:
		count := func(l *inventory.Layer) int {
			switch {
			case l.Report == nil:
				return -1
			case s.table.Sort == colSame:
				return len(l.Report.SameContent)
			}
			return len(l.Report.Undeclared)
		}
		return cmp.Compare(count(a), count(b))
	case colUsers, colWho:
		return cmp.Compare(len(a.Functions), len(b.Functions))
	}
	return strings.Compare(inventory.ShortLayer(a.ARN), inventory.ShortLayer(b.ARN))
}

// unzipped orders unknown sizes below every known one.
func unzipped(l *inventory.Layer) int64 {
	if l.State() != account.OK {
		return -1
	}
	return l.Facts.Unzipped
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	if len(s.rows) == 0 {
		text := "No function of this account has a layer."
		switch {
		case !s.filter.Empty():
			text = "Nothing matches " + s.filter.String() + ". esc shows all layers again."
		case s.inv.Running():
			text = "Still listing. Layers appear with the functions that use them."
		}
		return append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, text)...)
	}
	below := detailLines(h)
	out := s.table.View(st, w, h-below-1, s.cell, func(row int) string {
		if slices.Contains(s.marked, s.rows[row].ARN) {
			return "●"
		}
		return ""
	})
	for len(out) < h-below {
		out = append(out, "")
	}
	return append(out, s.detail(st, w, below)...)
}

func (s *Screen) cell(row, col int) table.Cell {
	l := s.rows[row]
	switch col {
	case colName:
		return table.Text(theme.Plain, inventory.ShortLayer(l.ARN), false)
	case colOwner:
		owner := inventory.LayerAccount(l.ARN)
		switch profile := s.inv.Profiles[owner]; {
		case profile != "":
			return table.Text(theme.Dim, profile, false)
		case owner == s.own:
			return table.Text(theme.Dim, "this account", false)
		}
		return table.Text(theme.Accent, owner, false)
	case colZip:
		return table.Text(theme.Dim, draw.Bytes(l.Size), true)
	case colSize:
		switch {
		case l.State() == account.OK:
			return table.Text(theme.Plain, draw.Bytes(l.Facts.Unzipped), true)
		case l.State() == account.Unknown && s.inv.Running():
			return table.Text(theme.Dim, "…", true)
		}
		return table.Text(theme.Warn, "?", true)
	case colState:
		text, tone := mark.State(l.State())
		return table.Text(tone, text, false)
	case colNewest:
		return newest(l)
	case colUndeclared:
		return undeclared(l)
	case colSame:
		return same(l)
	case colUsers:
		return table.Text(theme.Plain, strconv.Itoa(len(l.Functions)), true)
	}
	return func(line *draw.Line, w int) {
		names := make([]string, 0, 8)
		for _, r := range l.Functions[:min(len(l.Functions), 8)] {
			names = append(names, r.Name)
		}
		line.Cell(theme.Dim, strings.Join(names, ", "), w)
	}
}
