package finder

import (
	"strconv"
	"strings"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/theme"
)

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	out := append(s.progress(st, w), "")
	s.above = len(out)
	say := func(t theme.Tone, text string) []string { return append(out, draw.Para(st, w-1, 2, t, text)...) }
	detail := s.detail(st, w)
	rows := len(s.found.Rows())
	if s.byUnread {
		rows = len(s.unread.Rows())
	}
	switch {
	case s.failed != "":
		out = say(theme.Bad, "It could not be looked for: "+s.failed)
	case rows == 0:
		out = say(theme.Dim, s.empty())
	case s.byUnread:
		out = append(out, s.unread.View(st, w, h-len(out)-len(detail)-1, nil)...)
	default:
		out = append(out, s.found.View(st, w, h-len(out)-len(detail)-1, nil)...)
	}
	for len(out) < h-len(detail) {
		out = append(out, "")
	}
	return append(out, detail...)
}

// empty says why there are no rows.
func (s *Screen) empty() string {
	switch {
	case s.Filter() != "":
		return "Nothing matches " + s.Filter() + ". esc shows everything again."
	case s.report.Layers == 0 && s.inv.Running():
		return "Still listing the functions, whose layers are looked into: " + s.Key("again") + " looks when they are there."
	case s.report.Layers == 0:
		return "No function of this account has a layer."
	case s.job != nil:
		return "Nothing yet."
	case s.byUnread:
		return "All layer versions could be looked into."
	case s.stopped:
		return "Nothing in what was looked into."
	case len(s.closed) > 0:
		return "No layer version that could be looked into holds " + s.pattern.String() + "."
	}
	return "No layer version holds " + s.pattern.String() + ": functions' own code is not looked into."
}

// progress says how far the search is, and what could not be looked into.
func (s *Screen) progress(st *theme.Styles, w int) []string {
	l := draw.NewLine(st, w, false).Gap(1)
	r := s.report
	of, done := draw.Plural(r.Layers, "layer version"), r.Searched+len(r.Unread)
	switch {
	case s.job != nil:
		l.Bar(theme.Accent, int64(done), int64(max(r.Layers, 1)), min(w/5, 24)).Gap(2).Put(theme.Plain, draw.Exact(int64(done))+" of "+of)
	case s.stopped:
		l.Put(theme.Warn, "▲ stopped").Put(theme.Plain, " after "+draw.Exact(int64(done))+" of "+of)
	case r.Searched < r.Layers:
		l.Put(theme.Plain, draw.Exact(int64(r.Searched))+" of "+of+" looked into")
	default:
		l.Put(theme.Plain, of+" looked into")
	}
	if s.onDisk > 0 {
		l.Put(theme.Dim, ", "+draw.Exact(int64(s.onDisk))+" from lists on disk")
	}
	if n := s.later(); n > 0 && s.job == nil {
		l.Put(theme.Warn, "  ▲ "+strconv.Itoa(n)+" came later").Put(theme.Dim, ": "+s.Key("again")+" looks into them, too")
	} else if s.more > 0 {
		l.Put(theme.Dim, "  "+draw.Plural(s.more, "path")+" more than are shown")
	}
	out := []string{l.String()}
	if len(s.closed) == 0 {
		return out
	}
	l = draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "▲ not looked into: ")
	for i, state := range unreadable {
		n := 0
		for _, r := range s.closed {
			if r.State == state {
				n++
			}
		}
		if n == 0 {
			continue
		}
		text, tone := mark.State(state)
		l.Put(tone, text[:strings.IndexByte(text, ' ')]+" "+strconv.Itoa(n)+" "+string(state))
		if i < len(unreadable)-1 {
			l.Gap(2)
		}
	}
	var names []string
	for _, r := range s.closed {
		names = append(names, r.name)
	}
	return append(out, l.Gap(1).Put(theme.Dim, strings.Join(names, ", ")).String())
}

// detail is the selected row in full.
func (s *Screen) detail(st *theme.Styles, w int) []string {
	line := func() *draw.Line { return draw.NewLine(st, w, false).Gap(1) }
	arn := s.ARN()
	if arn == "" {
		return nil
	}
	users := line().Put(theme.Dim, "used by  ").Put(theme.Plain, s.names(arn, 20)).String()
	if s.byUnread {
		r, _ := s.unread.Selected()
		why := draw.Para(st, w-1, 1, theme.Plain, r.Message)
		return append(append(why[:min(len(why), 5)], line().Put(theme.Dim, arn).String()), users)
	}
	r, _ := s.found.Selected()
	return []string{line().Tail(theme.Plain, r.shown(), w-2).String(), line().Put(theme.Dim, arn).String(), users}
}
