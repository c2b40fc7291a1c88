package journal

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// Reader reads journals.
type Reader interface {
	Journals() ([]switchover.Entry, error)
	FleetJournals() ([]fleet.Entry, error)
	Journal(id string) (*switchover.Entry, error)
	Explain(err error) string
}

// Again is an entry that is to be gone on with, or rolled back.
type Again struct {
	Entry    switchover.Entry
	Rollback bool
}

// Fleet is the screen of a fleet; Start reads it. Its actions "resume" and
// "rollback" ask first.
type Fleet interface {
	screen.Screen
	Start() screen.Effect
}

// entry is one line of the list: a migration, or a fleet of them.
type entry struct {
	switchover.Entry
	fleet  *fleet.Entry
	member bool // of a fleet
}

// name is the function's, or how many there are.
func (e *entry) name() string {
	if e.fleet != nil {
		return draw.Plural(len(e.fleet.Functions), "function")
	}
	if e.member {
		return "└ " + e.Function
	}
	return e.Function
}

// merge puts fleets between migrations, newest first. A fleet begins before its
// functions' migrations, but stands above them.
func merge(one []switchover.Entry, fleets []fleet.Entry) []entry {
	fleetOf := map[string]string{} // by the id of a migration
	for _, f := range fleets {
		for _, o := range f.Functions {
			fleetOf[o.Journal] = f.ID
		}
	}
	latest := map[string]time.Time{} // migration of a fleet
	for _, e := range one {
		if id := fleetOf[e.ID]; id != "" && e.Started.After(latest[id]) {
			latest[id] = e.Started
		}
	}
	var out []entry
	for i := range fleets {
		f := &fleets[i]
		out = append(out, entry{Entry: switchover.Entry{ID: f.ID, Account: f.Account, Started: f.Started, State: f.State}, fleet: f})
	}
	for _, e := range one {
		out = append(out, entry{Entry: e, member: fleetOf[e.ID] != ""})
	}
	at := func(e entry) time.Time {
		if e.fleet != nil && latest[e.ID].After(e.Started) {
			return latest[e.ID]
		}
		return e.Started
	}
	slices.SortStableFunc(out, func(a, b entry) int { return at(b).Compare(at(a)) })
	return out
}

// Screen is the list of migrations, newest first.
type Screen struct {
	keys.Hints
	jobs   *job.Group
	reader Reader
	again  func(Again) screen.Effect
	many   func(fleet.Entry) Fleet

	job     *job.Job
	loaded  bool
	failed  string
	entries []entry
	table   table.Table
}

// New returns the screen; Start reads the journals. again is called when the
// user has confirmed that an entry be gone on with or rolled back; many returns
// the screen of a fleet.
func New(jobs *job.Group, r Reader, again func(Again) screen.Effect, many func(fleet.Entry) Fleet) *Screen {
	s := &Screen{jobs: jobs, reader: r, again: again, many: many}
	s.table.Columns = []table.Column{
		{ID: "started", Title: "STARTED", Width: 16},
		{ID: "function", Title: "FUNCTION", Width: 20, Flex: true, Max: 32},
		{ID: "state", Title: "STATE", Width: 14},
		{ID: "region", Title: "REGION", Width: 14, Rank: 2},
		{ID: "account", Title: "ACCOUNT", Width: 12, Rank: 3},
		{ID: "id", Title: "ID", Width: 26, Rank: 1, Flex: true, Max: 60},
	}
	s.table.Sort = -1
	return s
}

// Start reads the journals.
func (s *Screen) Start() screen.Effect {
	r := s.reader
	j, cmd := s.jobs.Start("reading the journal", false, func(context.Context) (any, error) {
		entries, err := r.Journals()
		if err != nil {
			return nil, errors.New(r.Explain(err))
		}
		fleets, err := r.FleetJournals()
		if err != nil {
			return nil, errors.New(r.Explain(err))
		}
		return merge(entries, fleets), nil
	})
	s.job, s.failed = j, ""
	return screen.Effect{Cmd: cmd}
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "journal" }

// Count implements screen.Counter.
func (s *Screen) Count() string {
	if !s.loaded {
		return ""
	}
	return draw.Plural(len(s.entries), "migration")
}

func (s *Screen) selected() *entry {
	if c := s.table.Cursor(); c >= 0 {
		return &s.entries[c]
	}
	return nil
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	none, resume, back := "", "", ""
	e := s.selected()
	switch {
	case e == nil:
		none, resume, back = "no migration is selected", "no migration is selected", "no migration is selected"
	case e.State == "done":
		resume = "it is done"
	case e.State == "rolled-back":
		resume, back = "it has been rolled back", "it has been rolled back"
	case e.fleet != nil && e.State == "running":
		resume, back = "another process is working on it", "another process is working on it"
	}
	return append([]keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "open", Group: "Migration", Help: "show its steps", Disabled: none},
		{ID: "resume", Keys: []string{"c"}, Label: "go on", Group: "Migration", Help: "go on where it stopped: asks first", Disabled: resume},
		{ID: "rollback", Keys: []string{"u"}, Label: "roll back", Group: "Migration", Help: "put the Zip functions back: asks first", Disabled: back},
		{ID: "again", Keys: []string{"r"}, Group: "Migration", Help: "read the journal again"},
		{ID: "copy", Keys: []string{"y"}, Group: "Migration", Help: "copy the command that shows it", Disabled: none},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if s.table.Do(id) {
		if e := s.selected(); e != nil {
			s.table.Remember(e.ID)
		}
		return screen.Effect{}
	}
	if id == "again" {
		return s.Start()
	}
	e := s.selected()
	if e == nil {
		return screen.Effect{}
	}
	if e.fleet != nil && id != "copy" {
		f := s.many(*e.fleet)
		if id == "open" {
			effect := f.Start()
			effect.Show = f
			return effect
		}
		effect := f.Do(id)
		effect.Show = f
		return effect
	}
	entry := e.Entry
	switch id {
	case "open":
		d := NewEntry(entry, s.jobs, s.reader, s.again)
		effect := d.Start()
		effect.Show = d
		return effect
	case "copy":
		return screen.Effect{Copy: "optlift journal show " + awscli.Quote(entry.ID)}
	}
	return confirm(id, entry, s.again)
}

// confirm asks for the function's name before an entry is touched.
func confirm(id string, e switchover.Entry, again func(Again) screen.Effect) screen.Effect {
	title, body := "Go on with the migration of "+e.Function+"?", "Every step asks AWS whether it is done before it changes anything."
	if id == "rollback" {
		title = "Roll " + e.Function + " back to its Zip?"
		body = "The function is put back from the backup: code, layers in order, versions, aliases, mappings. Its name does not answer for a short time."
	}
	return screen.Effect{Arm: func() screen.Effect {
		return migrate.Confirm(e.Function, title, body, func() screen.Effect {
			return again(Again{Entry: e, Rollback: id == "rollback"})
		})
	}}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if !ok {
		return screen.Effect{}
	}
	if s.job == nil || done.ID != s.job.ID {
		switch done.Value.(type) {
		case *switchover.Result, *fleet.Report:
			return s.Start() // what is listed has moved on
		}
		return screen.Effect{}
	}
	s.job = nil
	if done.Err != nil {
		s.failed = done.Err.Error()
		return screen.Say(screen.Bad, s.failed)
	}
	s.entries, _ = done.Value.([]entry)
	s.loaded = true
	s.table.Sync(len(s.entries), func(i int) string { return s.entries[i].ID })
	if e := s.selected(); e != nil {
		s.table.Remember(e.ID)
	}
	return screen.Effect{}
}

// Close implements screen.Screen.
func (s *Screen) Close() {}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	say := func(t theme.Tone, text string) []string {
		return append([]string{""}, draw.Para(st, w-1, 2, t, text)...)
	}
	switch {
	case s.failed != "":
		return append(say(theme.Bad, "The journal could not be read."), say(theme.Plain, s.failed)...)
	case !s.loaded:
		return say(theme.Dim, "Reading the journal …")
	case len(s.entries) == 0:
		return append(say(theme.Strong, "No migrations yet."),
			say(theme.Dim, "Each one is written down here before anything is changed. "+s.Key("migrate")+" on a function plans one.")...)
	}
	return s.table.View(st, w, h, s.cell, nil)
}

func (s *Screen) cell(row, col int) table.Cell {
	e := &s.entries[row]
	switch col {
	case 0:
		return table.Text(theme.Dim, e.Started.UTC().Format("2006-01-02 15:04"), false)
	case 1:
		return table.Text(theme.Plain, e.name(), false)
	case 2:
		shape, tone := State(e.State)
		return table.Text(tone, shape+" "+e.State, false)
	case 3:
		region := e.Region
		if e.fleet != nil {
			region = "-"
		}
		return table.Text(theme.Dim, region, false)
	case 4:
		return table.Text(theme.Dim, e.Account, false)
	}
	return table.Text(theme.Dim, e.ID, false)
}

// State is how a migration's state is shown.
func State(state string) (string, theme.Tone) {
	switch state {
	case "done":
		return "✓", theme.Good
	case "rolled-back":
		return "↶", theme.Accent
	case "failed":
		return "✗", theme.Bad
	case "stopped":
		return "▲", theme.Warn
	}
	return "▸", theme.Warn
}
