package migrate

import (
	"fmt"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/theme"
)

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	if s.phase == running || s.phase == ended {
		return "migrate " + s.name
	}
	return "plan " + s.name
}

// Count implements screen.Counter.
func (s *Screen) Count() string {
	switch s.phase {
	case planned:
		return s.pager.Count(draw.Plural(len(s.plan.Steps), "step"))
	case running, ended:
		done, of, _ := s.Progress()
		return fmt.Sprintf("%d of %d steps", done, of)
	}
	return ""
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	switch s.phase {
	case planning:
		v.blank()
		v.say(theme.Strong, "Reading "+s.name+" and all that is attached to it …")
		v.say(theme.Dim, "Nothing is changed by making a plan. esc goes back.")
	case unplanned:
		v.blank()
		v.say(theme.Bad, "No plan could be made for "+s.name+".")
		v.say(theme.Plain, s.failed)
		v.say(theme.Dim, s.Key("plan")+" tries again.")
	case planned:
		v.plan(s)
	default:
		return s.runView(st, w, h)
	}
	from, to := s.pager.Window(len(v.out), h)
	return v.out[from:to]
}

type view struct {
	st  *theme.Styles
	w   int
	out []string
}

func (v *view) line() *draw.Line { return draw.NewLine(v.st, v.w, false).Gap(1) }

func (v *view) put(l *draw.Line) { v.out = append(v.out, l.String()) }

func (v *view) blank() { v.out = append(v.out, "") }

func (v *view) say(t theme.Tone, text string) {
	v.out = append(v.out, draw.Para(v.st, v.w-1, 2, t, text)...)
}

// plan draws what will be done: first what speaks against it.
func (v *view) plan(s *Screen) {
	p, c := s.plan, s.choices
	switch {
	case p.Strategy == switchover.Beside:
		v.say(theme.Strong, "A new function beside "+p.Function+", from a container image")
		v.say(theme.Dim, "No gap, but a new ARN: what calls the old one has to be pointed at the new one.")
	default:
		v.say(theme.Strong, "Replace "+p.Function+" by itself, from a container image")
		v.say(theme.Dim, "A function's package type can't be changed: it is deleted and created again under the same name and ARN. Code, layers and configuration are backed up and verified first.")
	}
	v.notices("✗", theme.Bad, "BLOCKERS", "the plan can't be applied while these stand", p.Blockers)
	v.notices("−", theme.Bad, "LOST", "can't be made the same again", p.Lost)
	v.notices("▲", theme.Warn, "WARNINGS", "", p.Warnings)
	v.notices("·", theme.Dim, "NOTES", "nothing to accept", p.Notes)
	if len(c.Accept) > 0 {
		v.blank()
		l := v.line().Put(theme.Dim, "accepted:")
		for _, id := range c.Accept {
			l.Put(theme.Warn, " "+id)
		}
		v.put(l)
	}
	v.sources(s)
	v.blank()
	counts := map[switchover.Action]int{}
	for _, step := range p.Steps {
		counts[step.Action]++
	}
	v.put(v.line().Put(theme.Head, "STEPS").Put(theme.Dim, fmt.Sprintf("  %d to create, %d to delete, %d to change, %d kept",
		counts[switchover.Create], counts[switchover.Delete], counts[switchover.Change], counts[switchover.Keep])))
	for _, step := range p.Steps {
		if step.NoReturn {
			v.turn(s.pausing)
		}
		shape, tone := mark.Action(step.Action)
		l := v.line().Gap(1).Cell(tone, shape, 1).Gap(1).Cell(theme.Plain, step.ID, nameWidth(v.w)).Gap(1)
		l.Cell(theme.Dim, step.Call, callWidth(v.w)).Gap(1).Tail(theme.Dim, step.Target, l.Left())
		v.put(l)
	}
	v.blank()
	if len(p.Blockers) == 0 {
		v.put(v.line().Put(theme.Accent, s.Key("apply")).Put(theme.Plain, " applies the plan. It asks for the function's name first."))
	}
}

// turn draws the line in a plan from which on callers notice.
func (v *view) turn(pausing bool) {
	text := "from here on callers notice: the run pauses for your word"
	if !pausing {
		text = "from here on callers notice: the run does not pause"
	}
	l := v.line().Gap(1).Put(theme.Warn, "▲ "+text+" ")
	for l.Left() > 1 {
		l.Put(theme.Track, "─")
	}
	v.put(l)
}

// paused says what the run waits for.
func (v *view) paused(s *Screen) {
	step := s.waiting
	if step == nil || s.job == nil || s.job.Cancelled() {
		return
	}
	v.blank()
	v.put(v.line().Put(theme.Warn, "▲ ").Put(theme.Strong, "POINT OF NO RETURN").Put(theme.Dim, "  paused before "+step.ID))
	if s.verb == "Rolling back" {
		v.say(theme.Plain, "The backup is verified and Lambda takes the Zip function again. From here on "+s.turning())
	} else {
		v.say(theme.Plain, "The image is built, proven, pushed and rehearsed; nobody has noticed. From here on "+s.turning())
	}
	v.put(v.line().Gap(1).Put(theme.Accent, s.Key("pass")).Put(theme.Plain, " goes on, after "+s.name+" is typed   ").Put(theme.Accent, s.Key("stop")).Put(theme.Plain, " stops here"))
}

func nameWidth(w int) int { return min(max(w/3, 22), 40) }
func callWidth(w int) int { return min(max(w/4, 16), 32) }

func (v *view) notices(shape string, tone theme.Tone, title, note string, notices []switchover.Notice) {
	if len(notices) == 0 {
		return
	}
	v.blank()
	v.put(v.line().Put(theme.Head, title).Put(theme.Dim, "  "+note))
	for _, n := range notices {
		v.put(v.line().Gap(1).Put(tone, shape+" ").Put(theme.Strong, n.ID))
		v.out = append(v.out, draw.Para(v.st, v.w-1, 4, theme.Plain, n.Message)...)
	}
}

// runView draws the steps as they run, with the selected one's details below.
func (s *Screen) runView(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	if s.phase == ended {
		s.endView(&v)
	} else {
		done, of, _ := s.Progress()
		l := v.line().Put(theme.Strong, s.verb+" "+s.name)
		if s.job != nil && s.job.Cancelled() {
			l.Put(theme.Warn, "  stopping at the next safe place")
		}
		if s.gap.open() {
			l.Put(theme.Bad, "  ✗ the name does not answer")
			if s.now.After(s.gap.from) {
				l.Put(theme.Bad, ": "+duration(s.now.Sub(s.gap.from)))
			}
		} else if !s.gap.to.IsZero() {
			l.Put(theme.Dim, "  the name did not answer for "+duration(s.gap.to.Sub(s.gap.from)))
		}
		v.put(l)
		l = v.line().Bar(theme.Accent, int64(done), int64(max(of, 1)), min(w-24, 48)).Put(theme.Dim, fmt.Sprintf("  %d of %d", done, of))
		if !s.started.IsZero() {
			l.Put(theme.Dim, "  "+duration(s.now.Sub(s.started)))
		}
		v.put(l)
		v.paused(s)
	}
	v.blank()
	head := v.out
	if len(head) > h-6 {
		head = head[:max(h-6, 0)]
	}
	// The steps come first; what is left, up to half, is the selected one's.
	details := s.details(st, w)
	room := h - len(head) - len(details)
	if least := min(len(s.steps), max((h-len(head))/2, 4)); room < least {
		details = details[:max(len(details)-(least-room), 0)]
		room = h - len(head) - len(details)
	}
	s.list.Sync(len(s.steps), func(i int) string { return s.steps[i].ID })
	from, to := s.list.Window(room)
	out := head
	s.above = len(head)
	for i := from; i < to; i++ {
		out = append(out, s.stepLine(st, w, i))
	}
	if details != nil {
		for len(out) < h-len(details) {
			out = append(out, "")
		}
		out = append(out, details...)
	}
	return out
}

func (s *Screen) stepLine(st *theme.Styles, w, i int) string {
	x := &s.steps[i]
	selected := i == s.list.Cursor()
	l := draw.NewLine(st, w, selected)
	m := " "
	if selected {
		m = "▌"
	}
	state, stateTone := mark.Step(x.state)
	action, actionTone := mark.Action(x.Action)
	name := theme.Plain
	if x.state == switchover.Pending {
		name = theme.Dim
	}
	l.Cell(theme.Accent, m, 1).Cell(stateTone, state, 1).Gap(1).Cell(actionTone, action, 1).Gap(1)
	l.Cell(name, x.ID, nameWidth(w)).Gap(1)
	const tail = 8
	room := l.Left() - tail - 2
	switch {
	case x.state == switchover.Running && x.image != nil:
		s.imageCell(l, x.image, room)
	case x.state == switchover.Skipped:
		l.Cell(theme.Dim, "already so  "+x.message, room)
	case x.message != "":
		tone := theme.Dim
		if x.state == switchover.Broken {
			tone = theme.Bad
		}
		l.Cell(tone, x.message, room)
	default:
		l.Cell(theme.Dim, x.Call, room)
	}
	took := ""
	switch {
	case x.began.IsZero():
	case x.state == switchover.Running && s.now.After(x.began):
		took = duration(s.now.Sub(x.began))
	case x.finished() || x.state == switchover.Broken:
		took = duration(x.ended.Sub(x.began))
	}
	return l.Gap(1).Right(theme.Dim, took, tail).Gap(1).String()
}

func (s *Screen) imageCell(l *draw.Line, p *imageProgress, w int) {
	done, total := p.sum()
	end := l.Left() - w
	l.Cell(theme.Dim, string(p.stage), 8)
	amount := draw.Bytes(done) + " of " + draw.Bytes(total)
	switch {
	case total > 0 && w >= 40:
		l.Bar(theme.Accent, done, total, min(w-32, 30)).Put(theme.Dim, " "+amount)
	case total > 0:
		l.Put(theme.Dim, draw.Percent(done, total)+" of "+draw.Bytes(total))
	case done > 0:
		l.Put(theme.Dim, draw.Bytes(done))
	}
	l.Gap(l.Left() - end)
}

// endView says how it ended, and what can be typed next.
func (s *Screen) endView(v *view) {
	r := s.result
	if r == nil {
		v.put(v.line().Put(theme.Bad, "✗ ").Put(theme.Strong, s.verb+" "+s.name+" failed"))
		v.say(theme.Plain, s.failed)
		if s.journal != "" {
			v.put(v.line().Gap(1).Cell(theme.Dim, "journal", 9).Put(theme.Plain, s.journal))
		}
		return
	}
	shape, tone := "✓ ", theme.Good
	title := s.name + " now runs from a container image"
	switch r.State {
	case "rolled-back":
		title = s.name + " is back as it was, from its Zip"
	case "stopped":
		shape, tone, title = "▲ ", theme.Warn, s.verb+" "+s.name+" was stopped"
	case "failed":
		shape, tone, title = "✗ ", theme.Bad, s.verb+" "+s.name+" failed"
	}
	v.put(v.line().Put(tone, shape).Put(theme.Strong, title))
	v.say(theme.Plain, r.Message)
	if s.failed != "" && !strings.Contains(r.Message, s.failed) {
		v.say(theme.Bad, s.failed)
	}
	field := func(name, text string) {
		if text != "" {
			v.put(v.line().Gap(1).Cell(theme.Dim, name, 9).Put(theme.Plain, text))
		}
	}
	field("image", r.Image)
	if r.Gap > 0 {
		field("gap", duration(r.Gap)+", for which the name did not answer")
	}
	field("journal", r.Journal)
	for i, line := range s.next() {
		field([]string{"next", "or"}[min(i, 1)], line)
	}
}

// duration is a time span for people: "0.4 s", "12 s", "3 m 05 s".
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	if d < time.Hour {
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
}
