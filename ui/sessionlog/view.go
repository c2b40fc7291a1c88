package sessionlog

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Call is one AWS call.
type Call struct {
	At        time.Time
	Operation string // "Lambda GetFunction"
	Region    string
	Target    string // name or ARN that it was about; "" for none
	Duration  time.Duration
	Attempts  int    // requests sent; 0 when the session refused it
	Err       string // "" when it worked
}

// Screen shows the log and the calls, the newest first.
type Screen struct {
	log    *Log
	source func() ([]Call, int)
	calls  []Call
	total  int
	failed bool // only what failed
	pager  list.Pager
}

// New returns the screen of a log and of the calls that source tells.
func New(l *Log, source func() (calls []Call, total int)) *Screen {
	s := &Screen{log: l, source: source}
	s.look()
	return s
}

func (s *Screen) look() {
	s.calls, s.total = s.source()
	slices.Reverse(s.calls)
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "log" }

// Count implements screen.Counter.
func (s *Screen) Count() string { return s.pager.Count(draw.Plural(s.total, "AWS call")) }

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	label := "failed only"
	if s.failed {
		label = "all calls"
	}
	return append([]keys.Action{
		{ID: "failed", Keys: []string{"x"}, Label: label, Group: "Log", Help: "show only the calls that failed, or all"},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if id == "failed" {
		s.failed = !s.failed
		s.pager.Top()
	}
	s.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen. While work is under way there are new calls.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	if _, ok := msg.(screen.Tick); ok {
		s.look()
	}
	return screen.Effect{}
}

// Close implements screen.Screen.
func (s *Screen) Close() {}

const stamp = "15:04:05"

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	var out []string
	head := func(title, note string) {
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Head, title).Put(theme.Dim, "  "+note).String())
	}
	if len(s.log.entries) == 0 {
		head("WHAT WENT WRONG", "nothing in this session")
	} else {
		head("WHAT WENT WRONG", draw.Plural(len(s.log.entries), "line"))
	}
	for i := len(s.log.entries) - 1; i >= 0; i-- {
		e := s.log.entries[i]
		for j, line := range sanitize.Wrap(e.text, max(w-12, 10)) {
			at := ""
			if j == 0 {
				at = e.at.Format(stamp)
			}
			out = append(out, draw.NewLine(st, w, false).Gap(1).Cell(theme.Dim, at, 10).Put(theme.Plain, line).String())
		}
	}
	out = append(out, "")
	note := "times and targets; no contents, no credentials"
	if len(s.calls) < s.total {
		note = fmt.Sprintf("the last %d of %s", len(s.calls), draw.Exact(int64(s.total)))
	}
	head("AWS CALLS", note)
	before := len(out)
	for _, c := range s.calls {
		if !s.failed || c.Err != "" {
			out = append(out, call(st, w, c)...)
		}
	}
	if len(out) == before {
		out = append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "none").String())
	}
	from, to := s.pager.Window(len(out), h)
	return out[from:to]
}

// call is one call in a line, and in a second one why it failed.
func call(st *theme.Styles, w int, c Call) []string {
	shape, tone := "✓", theme.Good
	switch {
	case c.Attempts == 0 && c.Err != "":
		shape, tone = "⊘", theme.Warn
	case c.Err != "":
		shape, tone = "✗", theme.Bad
	}
	tries := ""
	if c.Attempts > 1 {
		tries = strconv.Itoa(c.Attempts) + " tries"
	}
	l := draw.NewLine(st, w, false).Gap(1).Cell(theme.Dim, c.At.Format(stamp), 9).Cell(tone, shape, 2)
	l.Cell(theme.Plain, c.Operation, min(max(w/3, 24), 40)).Gap(1).Right(theme.Dim, took(c.Duration), 7).Gap(1)
	l.Cell(theme.Warn, tries, 8)
	if w >= 100 {
		l.Cell(theme.Dim, c.Region, 15)
	}
	out := []string{l.Tail(theme.Dim, c.Target, l.Left()-1).String()}
	if c.Err != "" {
		out = append(out, draw.Para(st, w-1, 12, tone, c.Err)...)
	}
	return out
}

// took is a duration in at most six columns.
func took(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
