package finder

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/sheet"
	"github.com/optlift/optlift/ui/theme"
)

// Seeker looks into file lists.
type Seeker interface {
	Find(ctx context.Context, p *find.Pattern, layers []find.Layer, emit func(find.Result)) error
	Explain(err error) string
}

// Screen is what was found so far.
type Screen struct {
	keys.Hints
	pattern *find.Pattern
	command string // that does the same without a screen
	inv     *inventory.Inventory
	jobs    *job.Group
	seeker  Seeker

	job     *job.Job
	results *job.Stream[find.Result]
	stopped bool
	failed  string

	report *find.Report // of the search that runs or ran last
	onDisk int          // layer versions that lists on disk answered for
	more   int          // paths that are not told of

	layers map[string]*inventory.Layer // by ARN, as the inventory has them now
	hits   []*hitRow
	closed []*closedRow

	found    sheet.Sheet[*hitRow]
	unread   sheet.Sheet[*closedRow]
	byUnread bool // what could not be looked into is on screen
	above    int
}

// New returns the screen of a search in the layer versions of an inventory; Start
// begins it. command does the same without a screen.
func New(p *find.Pattern, command string, inv *inventory.Inventory, jobs *job.Group, s Seeker) *Screen {
	out := &Screen{pattern: p, command: command, inv: inv, jobs: jobs, seeker: s}
	out.lists()
	return out
}

// Start looks into all layer versions that are known by now.
func (s *Screen) Start() screen.Effect {
	s.look()
	var layers []find.Layer
	for _, l := range s.inv.Layers() {
		x := find.Layer{ARN: l.ARN}
		if l.Facts != nil {
			x.SHA256 = l.Facts.CodeSHA256
		}
		layers = append(layers, x)
	}
	s.report, s.onDisk, s.more = find.NewReport(s.pattern, len(layers), s.inv.Errors()), 0, 0
	s.hits, s.closed, s.stopped, s.failed = nil, nil, false, ""
	s.found.Set(nil)
	s.unread.Set(nil)
	results, seeker, pattern := &job.Stream[find.Result]{}, s.seeker, s.pattern
	j, cmd := s.jobs.Start("looking for "+pattern.String(), false, func(ctx context.Context) (any, error) {
		if err := seeker.Find(ctx, pattern, layers, results.Put); err != nil {
			return nil, errors.New(seeker.Explain(err))
		}
		return nil, nil
	})
	s.job, s.results = j, results
	return screen.Effect{Cmd: cmd}
}

// look takes over which functions have which layer version.
func (s *Screen) look() {
	s.layers = map[string]*inventory.Layer{}
	for _, l := range s.inv.Layers() {
		s.layers[l.ARN] = l
	}
}

// drain takes in what was found since the last tick.
func (s *Screen) drain() {
	results := s.results.Take()
	if len(results) == 0 {
		return
	}
	for _, r := range results {
		s.report.Take(r, s.arns(r.ARN))
		if r.OnDisk {
			s.onDisk++
		}
		if r.State != account.OK {
			s.closed = append(s.closed, s.newClosed(r))
			continue
		}
		s.more += r.Total - len(r.Hits)
		for i := range r.Hits {
			s.hits = append(s.hits, s.newHit(r.ARN, &r.Hits[i]))
		}
	}
	s.found.Set(s.hits)
	s.unread.Set(s.closed)
}

// later counts the layer versions that came after the search began.
func (s *Screen) later() int { return max(len(s.layers)-s.report.Layers, 0) }

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "find " + s.pattern.String() }

// Count implements screen.Counter.
func (s *Screen) Count() string {
	if s.byUnread {
		return s.unread.Count(draw.Plural(s.unread.Len(), "layer version") + " not looked into")
	}
	return s.found.Count(draw.Plural(s.found.Len()+s.more, "path") + " in " + draw.Plural(len(s.report.Found), "layer version"))
}

// ARN is the selected layer version's, "" when there is none.
func (s *Screen) ARN() string {
	if s.byUnread {
		if r, ok := s.unread.Selected(); ok {
			return r.ARN
		}
		return ""
	}
	if r, ok := s.found.Selected(); ok {
		return r.arn
	}
	return ""
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	const group = "Found"
	none, open, turn, label := "", "", "", "not looked into"
	switch {
	case s.ARN() == "":
		none = "nothing is selected"
		open = none
	case s.byUnread:
		open = "it could not be looked into"
	}
	if s.byUnread {
		label = "found"
	} else if s.unread.Len() == 0 {
		turn = "all layer versions could be looked into so far"
	}
	stop, again := "nothing runs", ""
	if s.job != nil {
		stop, again = "", "it runs"
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "in its layer", Group: group, Help: "show the path in the layer version's tree", Disabled: open},
		{ID: "opt", Keys: []string{"o"}, Label: "under /opt", Group: group, Help: "show the path in the merged tree of a function that has the layer version", Disabled: open},
		{ID: "turn", Keys: []string{"t"}, Label: label, Group: group, Help: "between what was found and what could not be looked into", Disabled: turn},
		{ID: "halt", Keys: []string{"c"}, Label: "stop", Group: group, Help: "stop looking, and keep what was found", Disabled: stop},
		{ID: "users", Keys: []string{"u"}, Label: "its functions", Minor: true, Group: group, Help: "the functions that have the layer version", Disabled: none},
		{ID: "again", Keys: []string{"r"}, Label: "again", Minor: true, Group: group, Help: "look into all layer versions again", Disabled: again},
		{ID: "export", Keys: []string{"e"}, Label: "export", Minor: true, Group: group, Help: "write what is on screen to a file as CSV, or all as JSON, as the find command prints it", Disabled: none},
		{ID: "copy", Keys: []string{"y"}, Group: group, Help: "copy the command that looks for it without a screen"},
	}
	if s.byUnread {
		return append(own, s.unread.Actions()...)
	}
	return append(own, s.found.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
	case "turn":
		s.byUnread = !s.byUnread
	case "halt":
		if s.job != nil {
			s.job.Cancel()
		}
	case "again":
		if s.job == nil {
			return s.Start()
		}
	case "export":
		return s.askExport()
	case "copy":
		return screen.Effect{Copy: s.command}
	case "users":
		if arn := s.ARN(); arn != "" {
			return screen.Effect{Open: screen.Place{Name: "functions", Args: []string{"layers:" + arn}}}
		}
	case "open", "opt":
		r, ok := s.found.Selected()
		if !ok || s.byUnread {
			return screen.Effect{}
		}
		if id == "opt" {
			return s.inFunction(r)
		}
		return screen.Effect{Open: screen.Place{Name: "opt", Args: []string{r.arn}, At: r.Path}}
	default:
		if s.byUnread {
			s.unread.Do(id)
		} else {
			s.found.Do(id)
		}
	}
	return screen.Effect{}
}

// offered is how many functions a question names.
const offered = 9

// inFunction shows a path as a function sees it; of several functions it asks which.
func (s *Screen) inFunction(r *hitRow) screen.Effect {
	l := s.layers[r.arn]
	if l == nil || len(l.Functions) == 0 {
		return screen.Say(screen.Info, "no function has "+inventory.ShortLayer(r.arn)+" any more")
	}
	to := func(arn string) screen.Effect {
		return screen.Effect{Open: screen.Place{Name: "opt", Args: []string{arn}, At: r.Path}}
	}
	if len(l.Functions) == 1 {
		return to(l.Functions[0].ARN)
	}
	d := &dialog.Dialog{Title: "In which function?", Tone: theme.Accent, Body: []string{
		fmt.Sprintf("%s have %s.", draw.Plural(len(l.Functions), "function"), inventory.ShortLayer(r.arn)),
	}}
	if len(l.Functions) > offered {
		d.Body[0] += " The first ones are:"
	}
	for i, f := range l.Functions[:min(len(l.Functions), offered)] {
		d.Choices = append(d.Choices, dialog.Choice{Keys: []string{strconv.Itoa(i + 1)}, Label: f.Name, Answer: f.ARN})
	}
	const all = "all"
	d.Choices = append(d.Choices, dialog.Choice{Keys: []string{"u"}, Label: "all of them, as a list", Answer: all})
	return screen.Effect{Ask: &screen.Question{Dialog: d, Then: func(answer string) screen.Effect {
		switch answer {
		case "":
			return screen.Effect{}
		case all:
			return screen.Effect{Open: screen.Place{Name: "functions", Args: []string{"layers:" + r.arn}}}
		}
		return to(answer)
	}}}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case functions.Changed:
		s.look()
	case screen.Tick:
		if s.job != nil {
			s.drain()
		}
	case export.Written:
		if msg.By == s {
			return msg.Note
		}
	case job.Done:
		if s.job == nil || msg.ID != s.job.ID {
			return screen.Effect{}
		}
		s.stopped = s.job.Cancelled()
		s.drain()
		s.job = nil
		if msg.Err != nil && !s.stopped {
			s.failed = msg.Err.Error()
			return screen.Say(screen.Bad, s.failed)
		}
	}
	return screen.Effect{}
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error {
	if s.byUnread {
		return s.unread.SetFilter(text)
	}
	return s.found.SetFilter(text)
}

// Filter implements screen.Filterable.
func (s *Screen) Filter() string {
	if s.byUnread {
		return s.unread.Filter()
	}
	return s.found.Filter()
}

// Click implements screen.Clickable.
func (s *Screen) Click(x, y int) (e screen.Effect, hit bool) {
	if s.byUnread {
		_, hit = s.unread.Click(x, y-s.above)
		return e, hit
	}
	open, hit := s.found.Click(x, y-s.above)
	if open {
		e = s.Do("open")
	}
	return e, hit
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
}
