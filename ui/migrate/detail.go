package migrate

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// label is how wide the names of facts are.
const label = 9

// details are the lines about the selected step.
func (s *Screen) details(st *theme.Styles, w int) []string {
	c := s.list.Cursor()
	if c < 0 || c >= len(s.steps) {
		return nil
	}
	v := view{st: st, w: w}
	v.blank()
	v.step(&s.steps[c], false)
	return v.out
}

// step draws what is known of a step; whole wraps what is long instead of cutting it.
func (v *view) step(x *step, whole bool) {
	field := func(name, text string, tone theme.Tone) {
		lines := []string{text}
		switch {
		case text == "":
			return
		case whole:
			lines = sanitize.Wrap(text, v.w-label-2)
		}
		for _, part := range lines {
			v.put(v.line().Cell(theme.Dim, name, label).Put(tone, part))
			name = ""
		}
	}
	if x.state == "" || x.state == "pending" {
		field("step", x.ID+"  "+x.Call+", to be done", theme.Plain)
	} else {
		field("step", x.ID+"  "+x.Call, theme.Plain)
	}
	field("target", x.Target, theme.Plain)
	field("undo", x.Undo, theme.Plain)
	tone := theme.Plain
	if x.state == "failed" {
		tone = theme.Bad
	}
	field("says", x.message, tone)
	v.progress(x.image)
	last := ""
	for _, f := range x.facts {
		name := f.Name
		if name == last {
			name = ""
		}
		last = f.Name
		field(name, f.Value, theme.Plain)
	}
	for i, call := range x.calls {
		name := ""
		if i == 0 {
			name = "calls"
		}
		l := v.line().Cell(theme.Dim, name, label)
		if call.Error == "" {
			l.Put(theme.Good, "✓ ")
		} else {
			l.Put(theme.Bad, "✗ ")
		}
		l.Put(theme.Plain, call.Operation+" ").Put(theme.Dim, call.Target+"  ").Put(theme.Dim, duration(call.Took))
		v.put(l)
		if call.Error != "" {
			v.out = append(v.out, draw.Para(v.st, v.w-1, label+3, theme.Bad, call.Error)...)
		}
	}
}

// progress draws how far each archive is, and how fast.
func (v *view) progress(p *imageProgress) {
	if p == nil {
		return
	}
	for i, it := range p.items {
		name := ""
		if i == 0 {
			name = string(p.stage)
		}
		l := v.line().Cell(theme.Dim, name, label).Cell(theme.Plain, it.name, min(max(v.w/3, 16), 48)).Gap(1)
		switch {
		case it.finished:
			l.Put(theme.Good, "✓ ").Put(theme.Dim, draw.Bytes(it.done))
		case it.total > 0:
			l.Bar(theme.Accent, it.done, it.total, 16).Put(theme.Dim, " "+draw.Bytes(it.done)+" of "+draw.Bytes(it.total))
		default:
			l.Put(theme.Dim, draw.Bytes(it.done))
		}
		if r := it.rate(); r > 0 {
			l.Put(theme.Dim, "  "+draw.Bytes(r)+"/s")
		}
		v.put(l)
	}
}

// detail is all that is known of one step, on a screen of its own. It goes on
// with the run that it looks at.
type detail struct {
	of    *Screen
	id    string
	pager list.Pager
}

func (d *detail) step() *step {
	if i := slices.IndexFunc(d.of.steps, func(x step) bool { return x.ID == d.id }); i >= 0 {
		return &d.of.steps[i]
	}
	return nil
}

// Crumb implements screen.Screen.
func (d *detail) Crumb() string { return d.id }

// Count implements screen.Counter.
func (d *detail) Count() string {
	if x := d.step(); x != nil && len(x.calls) > 0 {
		return d.pager.Count(strconv.Itoa(len(x.calls)) + " calls that change something")
	}
	return d.pager.Hint()
}

// Actions implements screen.Screen.
func (d *detail) Actions() []keys.Action { return list.Actions() }

// Do implements screen.Screen.
func (d *detail) Do(id string) screen.Effect {
	d.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (d *detail) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (d *detail) Close() {}

// View implements screen.Screen.
func (d *detail) View(st *theme.Styles, w, h int) []string {
	v := view{st: st, w: w}
	if x := d.step(); x != nil {
		v.step(x, true)
	} else {
		v.say(theme.Dim, "This run has no such step.")
	}
	from, to := d.pager.Window(len(v.out), h)
	return v.out[from:to]
}
