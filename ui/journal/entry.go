package journal

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// EntryScreen is one migration with its steps.
type EntryScreen struct {
	entry  switchover.Entry
	jobs   *job.Group
	reader Reader
	again  func(Again) screen.Effect
	job    *job.Job
	failed string
	pager  list.Pager
}

// NewEntry returns the screen of a migration; Start reads its steps.
func NewEntry(e switchover.Entry, jobs *job.Group, r Reader, again func(Again) screen.Effect) *EntryScreen {
	return &EntryScreen{entry: e, jobs: jobs, reader: r, again: again}
}

// Start reads the steps.
func (s *EntryScreen) Start() screen.Effect {
	r, id := s.reader, s.entry.ID
	j, cmd := s.jobs.Start("reading the journal", false, func(context.Context) (any, error) {
		e, err := r.Journal(id)
		if err != nil {
			return nil, errors.New(r.Explain(err))
		}
		return e, nil
	})
	s.job, s.failed = j, ""
	return screen.Effect{Cmd: cmd}
}

// Crumb implements screen.Screen.
func (s *EntryScreen) Crumb() string {
	if s.entry.Function == "" {
		return s.entry.ID
	}
	return s.entry.Function
}

// Count implements screen.Counter.
func (s *EntryScreen) Count() string { return s.pager.Hint() }

// Actions implements screen.Screen.
func (s *EntryScreen) Actions() []keys.Action {
	resume, back := "", ""
	switch s.entry.State {
	case "done":
		resume = "it is done"
	case "rolled-back":
		resume, back = "it has been rolled back", "it has been rolled back"
	case "":
		resume, back = "it has not been read", "it has not been read"
	}
	return append([]keys.Action{
		{ID: "resume", Keys: []string{"c"}, Label: "go on", Group: "Migration", Help: "go on where it stopped: asks for the function's name first", Disabled: resume},
		{ID: "rollback", Keys: []string{"u"}, Label: "roll back", Group: "Migration", Help: "put the Zip function back: asks for the function's name first", Disabled: back},
		{ID: "copy", Keys: []string{"y"}, Group: "Migration", Help: "copy the command that shows it"},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *EntryScreen) Do(id string) screen.Effect {
	switch id {
	case "resume", "rollback":
		return confirm(id, s.entry, s.again)
	case "copy":
		return screen.Effect{Copy: "optlift journal show " + awscli.Quote(s.entry.ID)}
	}
	s.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *EntryScreen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if !ok || s.job == nil || done.ID != s.job.ID {
		return screen.Effect{}
	}
	s.job = nil
	if done.Err != nil {
		s.failed = done.Err.Error()
		return screen.Say(screen.Bad, s.failed)
	}
	if e, _ := done.Value.(*switchover.Entry); e != nil {
		s.entry = *e
	}
	return screen.Effect{}
}

// Close implements screen.Screen.
func (s *EntryScreen) Close() {}

// View implements screen.Screen.
func (s *EntryScreen) View(st *theme.Styles, w, h int) []string {
	var out []string
	line := func() *draw.Line { return draw.NewLine(st, w, false).Gap(1) }
	field := func(name, text string) {
		if text != "" {
			out = append(out, line().Cell(theme.Dim, name, 10).Put(theme.Plain, text).String())
		}
	}
	e := &s.entry
	shape, tone := State(e.State)
	out = append(out, line().Put(tone, shape+" "+e.State).Put(theme.Strong, "  "+e.Function).String())
	field("journal", e.ID)
	if !e.Started.IsZero() {
		field("started", e.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	field("account", e.Account+"  "+e.Region)
	if s.failed != "" {
		out = append(out, draw.Para(st, w-1, 1, theme.Bad, s.failed)...)
	}
	out = append(out, "")
	for _, event := range e.Steps {
		state, stateTone := mark.Step(event.State)
		action, actionTone := mark.Action(event.Step.Action)
		l := line().Cell(theme.Dim, event.At.UTC().Format("15:04:05"), 9).Cell(stateTone, state, 1).Gap(1).Cell(actionTone, action, 1).Gap(1)
		l.Cell(theme.Plain, event.Step.ID, min(max(w/3, 20), 40)).Gap(1)
		text := event.Message
		if text == "" {
			text = event.Step.Call
		}
		out = append(out, l.Put(theme.Dim, text).String())
		for _, f := range event.Facts {
			if f.Compared() {
				out = append(out, draw.Para(st, w-1, 12, theme.Dim, f.Name+"  "+f.Value)...)
			}
		}
	}
	from, to := s.pager.Window(len(out), h)
	return out[from:to]
}
