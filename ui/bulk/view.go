package bulk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	switch {
	case s.phase < running:
		return "plan " + draw.Plural(len(s.functions), "function")
	case s.id != "":
		return s.id
	}
	return draw.Plural(len(s.rows), "function")
}

// Count implements screen.Counter.
func (s *Screen) Count() string {
	switch s.phase {
	case planned:
		return s.pager.Count(draw.Plural(len(s.plan.Members), "function"))
	case running, ended:
		done, of, _ := s.Progress()
		return fmt.Sprintf("%d of %s", done, draw.Plural(of, "function"))
	}
	return ""
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	switch s.phase {
	case planning:
		v.blank()
		v.say(theme.Strong, 1, fmt.Sprintf("Reading %s and all that is attached … %d done", draw.Plural(s.count.total, "function"), s.count.done))
		v.say(theme.Dim, 1, "Nothing is changed by making a plan. esc goes back.")
	case unplanned:
		v.blank()
		v.say(theme.Bad, 1, "No plan could be made.")
		v.say(theme.Plain, 1, s.failed)
		v.say(theme.Dim, 1, s.Key("plan")+" tries again.")
	case planned:
		v.plan(s)
	default:
		return s.runView(st, w, h)
	}
	from, to := s.pager.Window(len(v.out), h)
	return v.out[from:to]
}

// runView draws how far it is, the functions, and below what is known of the
// selected one.
func (s *Screen) runView(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	if s.phase == running {
		s.runHead(&v)
	} else {
		s.endHead(&v)
	}
	v.blank()
	head := v.out[:min(len(v.out), max(h-6, 0))]
	v = view{st: st, w: w}
	s.details(&v)
	details := v.out
	// The functions come first; what is left, up to half, is the selected one's.
	room := h - len(head) - len(details)
	if least := min(len(s.rows)+1, max((h-len(head))/2, 4)); room < least {
		details = details[:max(len(details)-(least-room), 0)]
		room = h - len(head) - len(details)
	}
	s.sync()
	s.above = len(head)
	out := append(slices.Clone(head), s.table.View(st, w, room, s.cell, nil)...)
	for len(out) < h-len(details) {
		out = append(out, "")
	}
	return append(out, details...)
}

func (s *Screen) runHead(v *view) {
	done, of, _ := s.Progress()
	l := v.line().Put(theme.Strong, s.verb+" "+draw.Plural(of, "function"))
	switch {
	case s.job != nil && s.job.Cancelled():
		l.Put(theme.Warn, "  ▲ stopping at the next safe place: nothing new begins")
	case s.broken() != "" && s.back:
		l.Put(theme.Bad, "  ✗ "+s.broken()+" failed, the others go on")
	case s.broken() != "":
		l.Put(theme.Bad, "  ✗ "+s.broken()+" failed: nothing new begins, what runs is finished")
	}
	v.put(l)
	l = v.line().Bar(theme.Accent, int64(done), int64(max(of, 1)), min(v.w-30, 48)).Put(theme.Dim, fmt.Sprintf("  %d of %d", done, of))
	if !s.started.IsZero() {
		l.Put(theme.Dim, "  "+duration(s.now.Sub(s.started)))
	}
	v.put(l)
}

// endHead says how it ended, and what can be typed next.
func (s *Screen) endHead(v *view) {
	shape, tone, title := "▸ ", theme.Warn, "is "+s.state
	switch s.state {
	case "":
		title = "is being read …"
	case switchover.StateDone:
		shape, tone, title = "✓ ", theme.Good, "is switched to container images"
	case switchover.StateRolledBack:
		shape, tone, title = "↶ ", theme.Accent, "is rolled back"
		if v.w >= 90 {
			title += ": the Zip functions are as they were"
		}
	case switchover.StateStopped:
		shape, tone, title = "▲ ", theme.Warn, "was stopped"
	case switchover.StateFailed:
		shape, tone, title = "✗ ", theme.Bad, "failed"
	}
	name := "The fleet"
	if s.id != "" {
		name = s.id
	}
	v.put(v.line().Put(tone, shape).Put(theme.Strong, name+" "+title))
	if s.message != "" {
		v.say(theme.Plain, 1, sentence(s.message))
	}
	if s.failed != "" && !strings.Contains(s.message, s.failed) {
		v.say(theme.Bad, 1, s.failed)
	}
	if bad := s.broken(); bad != "" && !s.back && s.number(fleet.Waiting) > 0 {
		v.say(theme.Plain, 1, "After "+bad+" failed nothing new was begun.")
	}
	for i, line := range s.next() {
		v.put(v.line().Cell(theme.Dim, []string{"next", "or"}[min(i, 1)], 5).Put(theme.Plain, line))
	}
}

func sentence(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// details draws what is known of the selected function.
func (s *Screen) details(v *view) {
	r := s.selected()
	if r == nil {
		return
	}
	field := func(name, text string, tone theme.Tone) {
		if text == "" {
			return
		}
		for i, part := range draw.Para(v.st, max(v.w-12, 8), 0, tone, text) {
			title := name
			if i > 0 {
				title = ""
			}
			v.out = append(v.out, v.line().Cell(theme.Dim, title, 9).String()+part)
		}
	}
	v.blank()
	field("function", r.Name+" in "+r.Region, theme.Strong)
	if r.step != nil && r.State == switchover.StateRunning {
		field("step", r.step.Step.ID+"  "+r.step.Step.Call+"  "+r.step.Step.Target, theme.Plain)
	}
	tone := theme.Plain
	if r.State == switchover.StateFailed {
		tone = theme.Bad
	}
	field("says", r.Message, tone)
	field("image", r.Image, theme.Plain)
	field("journal", r.Journal, theme.Plain)
}

func (s *Screen) cell(i, col int) table.Cell {
	r := &s.rows[i]
	switch s.table.Columns[col].ID {
	case "function":
		return table.Text(theme.Plain, r.Name, false)
	case "wave":
		if r.Wave == 0 {
			return table.Text(theme.Dim, "-", true)
		}
		return table.Text(theme.Dim, fmt.Sprint(r.Wave), true)
	case "state":
		shape, tone := state(r.State)
		return table.Text(tone, shape+" "+r.State, false)
	case "step":
		return s.step(r)
	case "region":
		return table.Text(theme.Dim, r.Region, false)
	}
	if r.Gap <= 0 {
		return table.Text(theme.Dim, "-", true)
	}
	return table.Text(theme.Plain, duration(r.Gap), true)
}

// step is where a running function is, and what the others have to say.
func (s *Screen) step(r *row) table.Cell {
	switch {
	case r.State != switchover.StateRunning:
		tone := theme.Dim
		if r.State == switchover.StateFailed {
			tone = theme.Bad
		}
		return table.Text(tone, r.Message, false)
	case r.step == nil:
		return table.Text(theme.Dim, "beginning", false)
	}
	text := r.step.Step.ID
	if r.steps > 0 {
		text = fmt.Sprintf("%d/%d %s", min(r.done, r.steps), r.steps, text)
	}
	if p := r.step.Image; p != nil {
		text += fmt.Sprintf("  %s %s", p.Stage, draw.Bytes(p.Done))
		if p.Total > 0 {
			text += " of " + draw.Bytes(p.Total)
		}
	}
	return table.Text(theme.Plain, text, false)
}

// state is how the state of a function is shown, never by colour alone.
func state(state string) (string, theme.Tone) {
	switch state {
	case fleet.Waiting:
		return "·", theme.Dim
	case fleet.Blocked:
		return "⊘", theme.Warn
	case switchover.StateRunning:
		return "▸", theme.Accent
	case switchover.StateDone:
		return "✓", theme.Good
	case switchover.StateRolledBack:
		return "↶", theme.Accent
	case switchover.StateFailed:
		return "✗", theme.Bad
	}
	return "▲", theme.Warn
}

// duration is a time span for people.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
}
