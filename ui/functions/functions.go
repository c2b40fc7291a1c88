package functions

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// Changed tells that the inventory has changed.
type Changed struct{}

// Refresh asks for a new audit.
const Refresh = "refresh"

// Screen is the table of functions.
type Screen struct {
	inv     *inventory.Inventory
	account awscli.Account
	own     string // the account's id
	regions []string
	table   table.Table
	filter  filter.Filter
	sorted  []*inventory.Row // all, in order
	rows    []*inventory.Row // those that pass the filter
}

// New returns the screen over an inventory of account own.
func New(inv *inventory.Inventory, account awscli.Account, own string, regions []string) *Screen {
	s := &Screen{inv: inv, account: account, own: own, regions: regions}
	s.table.Columns = columns(len(regions) > 1)
	s.table.Sort, s.table.Desc = colPercent, true
	s.sync()
	return s
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "functions" }

// Selected is the function under the cursor, nil when there is none.
func (s *Screen) Selected() *inventory.Row {
	if c := s.table.Cursor(); c >= 0 {
		return s.rows[c]
	}
	return nil
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	none, image := "", ""
	if r := s.Selected(); r == nil {
		none = "no function is selected"
		image = none
	} else if r.PackageType == "Image" {
		image = r.Name + " already is a container image"
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "open", Group: "Function", Help: "show the selected function", Disabled: none},
		{ID: "opt", Keys: []string{"o"}, Label: "/opt", Group: "Function", Help: "look under /opt: its layers merged", Disabled: image},
		{ID: "migrate", Keys: []string{"m"}, Label: "migrate", Group: "Function", Help: "plan the switch to a container image", Disabled: image},
		{ID: "copy", Keys: []string{"y"}, Group: "Function", Help: "copy the AWS CLI call", Disabled: none},
		{ID: "export", Keys: []string{"e"}, Label: "export", Minor: true, Group: "List", Help: "write the functions on screen to a file: CSV, JSON or Markdown", Disabled: none},
		{ID: Refresh, Keys: []string{"r"}, Group: "List", Help: "list and measure again", Disabled: s.busy()},
		{ID: "sort-next", Keys: []string{"s"}, Label: "sort", Minor: true, Group: "List", Help: "sort by the next column"},
		{ID: "sort-turn", Keys: []string{"S"}, Group: "List", Help: "turn the order round"},
	}
	for i, key := range sortKeys {
		own = append(own, keys.Action{
			ID: "sort-" + key, Keys: []string{key}, Group: "List", Help: "sort by " + s.table.Columns[i].ID,
		})
	}
	return append(own, list.Actions()...)
}

var sortKeys = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}

func (s *Screen) busy() string {
	if s.inv.Running() {
		return "the account is being read just now"
	}
	return ""
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if s.table.Do(id) {
		s.remember()
		return screen.Effect{}
	}
	if key, ok := strings.CutPrefix(id, "sort-"); ok {
		s.sort(key)
		return screen.Effect{}
	}
	r := s.Selected()
	if r == nil {
		return screen.Effect{}
	}
	switch id {
	case "open":
		return screen.Effect{Open: screen.Place{Name: "function", Args: []string{r.ARN}}}
	case "opt", "migrate":
		return screen.Effect{Open: screen.Place{Name: id, Args: []string{r.ARN}}}
	case "export":
		return s.askExport()
	case "copy":
		return screen.Effect{Copy: s.account.GetFunction(r.ARN)}
	}
	return screen.Effect{}
}

func (s *Screen) sort(key string) {
	switch key {
	case "next":
		for range s.table.Columns {
			s.table.Sort = (s.table.Sort + 1) % len(s.table.Columns)
			if !s.table.Columns[s.table.Sort].Hide {
				break
			}
		}
		s.table.Desc = s.table.Columns[s.table.Sort].Number
	case "turn":
		s.table.Desc = !s.table.Desc
	default:
		for i, k := range sortKeys {
			if k == key {
				s.table.SortBy(i)
			}
		}
	}
	s.sync()
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case Changed:
		s.sync()
	case exported:
		return msg.note
	}
	return screen.Effect{}
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error {
	f, err := filter.Parse(text, inventory.Columns())
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

// Count implements screen.Counter.
func (s *Screen) Count() string {
	measured, found, listed := s.inv.Progress()
	var out string
	switch {
	case !listed:
		out = fmt.Sprintf("%d of %d+ measured, listing", measured, found)
	case measured < found:
		out = fmt.Sprintf("%d of %d measured", measured, found)
	default:
		out = draw.Plural(found, "function")
	}
	if !s.filter.Empty() {
		out = fmt.Sprintf("%d shown · %s", len(s.rows), out)
	}
	return out
}

// sync takes in what changed: rows or their order.
func (s *Screen) sync() {
	s.sorted = append(s.sorted[:0], s.inv.Rows()...)
	order(s.sorted, s.table.Sort, s.table.Desc)
	s.narrow()
}

// narrow shows the rows that pass the filter.
func (s *Screen) narrow() {
	s.rows = s.rows[:0]
	for _, r := range s.sorted {
		if s.filter.Match(r) {
			s.rows = append(s.rows, r)
		}
	}
	s.table.Sync(len(s.rows), func(i int) string { return s.rows[i].ARN })
	s.remember()
}

func (s *Screen) remember() {
	if r := s.Selected(); r != nil {
		s.table.Remember(r.ARN)
	}
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	var out []string
	for _, e := range s.inv.Errors() {
		if len(s.inv.Rows()) == 0 || len(out) >= 3 {
			break
		}
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "! ").
			Put(theme.Plain, e.Region+" could not be listed to its end: "+e.Message).String())
	}
	if len(s.rows) == 0 {
		return append(out, s.empty(st, w)...)
	}
	room := h - len(out)
	detail := room >= 6
	if detail {
		room -= 2
	}
	out = append(out, s.table.View(st, w, room, s.cell, nil)...)
	if detail {
		for len(out) < h-2 {
			out = append(out, "")
		}
		out = append(out, "", s.detail(st, w))
	}
	return out
}

// detail says in one line what the selected row's columns can't.
func (s *Screen) detail(st *theme.Styles, w int) string {
	r := s.Selected()
	l := draw.NewLine(st, w, false).Gap(1)
	if r == nil {
		return l.String()
	}
	switch why := r.Why(); {
	case why != "":
		l.Put(theme.Warn, "? ").Put(theme.Strong, r.Name).Put(theme.Dim, "  size unknown: ").Put(theme.Plain, why)
	case r.Facts != nil && len(r.Facts.Findings) > 0:
		f := r.Facts.Findings[0]
		shape, tone := mark.Severity(f.Severity)
		l.Put(tone, shape+" ").Put(theme.Strong, r.Name).Put(theme.Plain, "  "+f.Message)
	default:
		l.Put(theme.Strong, r.Name)
		if r.Description != "" {
			l.Put(theme.Dim, "  "+r.Description)
		} else {
			l.Put(theme.Dim, "  "+r.ARN)
		}
	}
	return l.String()
}

func (s *Screen) empty(st *theme.Styles, w int) []string {
	out := []string{""}
	say := func(t theme.Tone, text string) { out = append(out, draw.Para(st, w-1, 2, t, text)...) }
	regions := strings.Join(s.regions, ", ")
	switch {
	case len(s.inv.Rows()) > 0:
		say(theme.Strong, "Nothing matches "+s.filter.String())
		say(theme.Dim, "esc shows all functions again. ? explains what the filter understands.")
	case s.inv.Running() && len(s.inv.Errors()) == 0:
		say(theme.Strong, "Listing the functions of "+regions+" …")
		say(theme.Dim, "Rows appear as soon as the first page is here.")
	case len(s.inv.Errors()) > 0:
		say(theme.Bad, "The functions could not be listed.")
		for _, e := range s.inv.Errors() {
			out = append(out, "")
			say(theme.Strong, e.Region)
			say(theme.Plain, e.Message)
		}
		out = append(out, "")
		say(theme.Dim, "r tries again. ! shows everything that went wrong in this session.")
	default:
		say(theme.Strong, "No functions in "+regions+".")
		say(theme.Dim, "Other regions are chosen at the start: optlift --region eu-west-1,us-east-1 or --region all.")
	}
	return out
}
