package functions

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
)

// Changed tells that the inventory has changed.
type Changed struct{}

// Refresh asks for a new audit.
const Refresh = "refresh"

// Options are the user's choices.
type Options struct {
	Layout Layout
	Saved  filter.Saved
	// Key names the key of an action as it is bound, for the texts on screen.
	Key func(action string) string
}

// Screen is the table of functions.
type Screen struct {
	Options
	inv     *inventory.Inventory
	account Account
	away    *Away // nil once there is an account
	table   table.Table
	shown   []column // those of the table
	layout  Layout   // in force
	filter  filter.Filter
	sorted  []*inventory.Row // all, in order
	rows    []*inventory.Row // those that pass the filter
	marked  marks
	above   int // lines above the table, as drawn last
}

// New returns the screen over an inventory. Whose it is, Meet says.
func New(inv *inventory.Inventory, o Options) *Screen {
	if o.Saved == nil {
		o.Saved = filter.Saved{}
	}
	s := &Screen{Options: o, inv: inv, marked: marks{}}
	s.use(o.Layout)
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

// ARN is the selected function's, "" when there is none.
func (s *Screen) ARN() string {
	if r := s.Selected(); r != nil {
		return r.ARN
	}
	return ""
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	none, image, bulk := "", "", ""
	if r := s.Selected(); r == nil {
		none = "no function is selected"
		image = none
	} else if r.PackageType == "Image" {
		image = r.Name + " already is a container image"
	}
	label := ""
	switch {
	case len(s.marked) == 0:
		bulk = "no function is marked: " + s.Key("mark") + " marks the selected one"
	case !s.convertible():
		bulk = "all marked functions are images already"
	default:
		label = fmt.Sprintf("migrate %d", len(s.marked))
	}
	again, absent := "", ""
	if s.away != nil {
		absent = "there is no account yet"
		if !s.away.Trying {
			again = "try again"
		}
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "open", Group: "Function", Help: "show the selected function", Disabled: none},
		{ID: "opt", Keys: []string{"o"}, Label: "/opt", Group: "Function", Help: "look under /opt: its layers merged", Disabled: image},
		{ID: "packages", Keys: []string{"p"}, Label: "packages", Minor: true, Group: "Function", Help: "the packages in its layers and code", Disabled: image},
		{ID: "migrate", Keys: []string{"m"}, Label: "migrate", Group: "Function", Help: "plan the switch to a container image", Disabled: image},
		{ID: "bulk", Keys: []string{"M"}, Label: label, Group: "Function", Help: "plan the switch of all marked functions, in waves", Disabled: bulk},
		{ID: "mark", Keys: []string{"space"}, Label: "mark", Minor: true, Group: "Function", Help: "mark the function, or take its mark away", Disabled: none},
		{ID: "mark-all", Keys: []string{"ctrl+a"}, Group: "Function", Help: "mark all functions on screen, or none", Disabled: none},
		{ID: "copy", Keys: []string{"y"}, Group: "Function", Help: "copy the AWS CLI call", Disabled: none},
		{ID: "export", Keys: []string{"e"}, Label: "export", Minor: true, Group: "List", Help: "write the functions on screen to a file: CSV, JSON or Markdown", Disabled: none},
		{ID: "find", Keys: []string{"w"}, Label: "find", Minor: true, Group: "List", Help: "which layers, and so which functions, hold a path or a package", Disabled: absent},
		{ID: Refresh, Keys: []string{"r"}, Label: again, Group: "List", Help: "list and measure again", Disabled: s.busy()},
		{ID: "columns", Keys: []string{"c"}, Label: "columns", Minor: true, Group: "List", Help: "choose the columns, their order and what sorts"},
		{ID: "saved", Keys: []string{"f"}, Group: "List", Help: "choose a saved filter", Disabled: s.unsaved()},
		{ID: "sort-next", Keys: []string{"s"}, Label: "sort", Minor: true, Group: "List", Help: "sort by the next column"},
		{ID: "sort-turn", Keys: []string{"S"}, Group: "List", Help: "turn the order round"},
	}
	for i := range s.shown[:min(len(s.shown), len(sortKeys))] {
		a := keys.Action{ID: "sort-" + sortKeys[i], Keys: sortKeys[i : i+1], Group: "List"}
		if i == 0 {
			a.Help = "sort by the first column; 2 to 9 and 0 by those after it"
		}
		own = append(own, a)
	}
	return append(own, list.Actions()...)
}

// sortKeys are the keys of the first ten columns.
var sortKeys = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}

func (s *Screen) busy() string {
	switch {
	case s.away != nil && s.away.Trying:
		return "there is no account yet"
	case s.inv.Running():
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
	switch id {
	case "columns":
		return screen.Effect{Show: newChooser(s)}
	case "saved":
		return screen.Effect{Show: newMenu(s)}
	case "bulk":
		return s.bulk()
	case "find":
		return screen.Effect{Open: screen.Place{Name: "find"}}
	}
	r := s.Selected()
	if r == nil {
		return screen.Effect{}
	}
	switch id {
	case "open":
		return screen.Effect{Open: screen.Place{Name: "function", Args: []string{r.ARN}}}
	case "opt", "packages", "migrate":
		effect := screen.Effect{}
		if id == "migrate" && len(s.marked) > 1 && s.convertible() {
			effect = screen.Say(screen.Info, fmt.Sprintf("this is %s alone: %s plans the %d that are marked", r.Name, s.Key("bulk"), len(s.marked)))
		}
		effect.Open = screen.Place{Name: id, Args: []string{r.ARN}}
		return effect
	case "mark":
		s.toggle()
	case "mark-all":
		s.toggleAll()
	case "export":
		return s.askExport()
	case "copy":
		return screen.Effect{Copy: s.account.CLI.GetFunction(r.ARN)}
	}
	return screen.Effect{}
}

func (s *Screen) sort(key string) {
	switch id, desc := s.sorting(); key {
	case "next":
		next := s.shown[(s.table.Sort+1)%len(s.shown)]
		s.sortBy(next.ID, next.Number)
	case "turn":
		s.sortBy(id, !desc)
	default:
		for i, k := range sortKeys {
			if k != key || i >= len(s.shown) {
				continue
			}
			if c := s.shown[i]; c.ID == id {
				s.sortBy(id, !desc)
			} else {
				s.sortBy(c.ID, c.Number)
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
	f, err := filter.ParseSaved(text, inventory.Columns(), s.Saved)
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
	if s.away != nil {
		return ""
	}
	measured, found, listed := s.inv.Progress()
	var out string
	switch {
	case !listed:
		out = fmt.Sprintf("%d of %d+ measured, listing", measured, found)
	case measured < found && s.inv.Running():
		out = fmt.Sprintf("%d of %d measured, loading", measured, found)
	case measured < found:
		out = fmt.Sprintf("%d of %d measured", measured, found)
	default:
		out = draw.Plural(found, "function")
	}
	if before := s.inv.KnownBefore(); before > 0 {
		out += fmt.Sprintf(" · %d as known before", before)
		if s.inv.Running() {
			out += ", asking again"
		}
	}
	if !s.filter.Empty() {
		out = fmt.Sprintf("%d shown · %s", len(s.rows), out)
	}
	return s.markedCount() + out
}

// sync takes in what changed: rows or their order.
func (s *Screen) sync() {
	s.sorted = append(s.sorted[:0], s.inv.Rows()...)
	id, desc := s.sorting()
	by, _ := columnOf(id)
	order(s.sorted, by, desc)
	s.prune()
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
