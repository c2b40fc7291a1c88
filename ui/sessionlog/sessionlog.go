package sessionlog

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// keep is how many entries are kept, the newest.
const keep = 500

// Log is the session's log. It belongs to the root's Update.
type Log struct {
	// Now tells the time; nil is time.Now.
	Now     func() time.Time
	entries []entry
}

type entry struct {
	at   time.Time
	text string
}

// Add notes a line; the same line twice in a row is noted once.
func (l *Log) Add(text string) {
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	if n := len(l.entries); n > 0 && l.entries[n-1].text == text {
		l.entries[n-1].at = now()
		return
	}
	l.entries = append(l.entries, entry{now(), sanitize.Text(text)})
	if len(l.entries) > keep {
		l.entries = append(l.entries[:0], l.entries[len(l.entries)-keep:]...)
	}
}

// Screen shows the log.
type Screen struct {
	log   *Log
	pager list.Pager
}

// New returns the screen of a log.
func New(l *Log) *Screen { return &Screen{log: l} }

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "log" }

// Count implements screen.Counter.
func (s *Screen) Count() string { return s.pager.Count(draw.Plural(len(s.log.entries), "line")) }

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action { return list.Actions() }

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	s.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (s *Screen) Close() {}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	if len(s.log.entries) == 0 {
		return append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, "Nothing has gone wrong in this session.")...)
	}
	var out []string
	for i := len(s.log.entries) - 1; i >= 0; i-- {
		e := s.log.entries[i]
		for j, line := range sanitize.Wrap(e.text, max(w-12, 10)) {
			l := draw.NewLine(st, w, false).Gap(1)
			if j == 0 {
				l.Cell(theme.Dim, e.at.Format("15:04:05"), 10)
			} else {
				l.Gap(10)
			}
			out = append(out, l.Put(theme.Plain, line).String())
		}
	}
	from, to := s.pager.Window(len(out), h)
	return out[from:to]
}
