package bulk

import (
	"fmt"
	"slices"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/theme"
)

// view collects lines.
type view struct {
	st  *theme.Styles
	w   int
	out []string
}

func (v *view) line() *draw.Line { return draw.NewLine(v.st, v.w, false).Gap(1) }
func (v *view) put(l *draw.Line) { v.out = append(v.out, l.String()) }
func (v *view) blank()           { v.out = append(v.out, "") }
func (v *view) head(title, n string) {
	v.blank()
	v.put(v.line().Put(theme.Head, title).Put(theme.Dim, "  "+n))
}

func (v *view) say(t theme.Tone, indent int, text string) {
	v.out = append(v.out, draw.Para(v.st, v.w-1, indent, t, text)...)
}

// plan draws the plan: what will be done, what needs a word, what is lost, a line
// for each function, and who is left alone.
func (v *view) plan(s *Screen) {
	p := s.plan
	ready, blocked, images := p.Counts()
	if ready == 0 {
		v.put(v.line().Put(theme.Bad, "✗ ").Put(theme.Strong, "None of "+draw.Plural(len(p.Members), "function")+" can be switched"))
		v.say(theme.Dim, 1, "Nothing is changed. Below is what stands against each; "+s.Key("migrate")+" on a function alone plans it with what can be accepted.")
	} else {
		v.put(v.line().Put(theme.Strong, fmt.Sprintf("Switch %s of account %s", draw.Plural(ready, "function"), p.Account)).Put(theme.Dim, "  "+s.waves()))
		way := "Each is deleted and created again under its name."
		if s.strategy == switchover.Beside {
			way = "A new function is made beside each."
		}
		v.say(theme.Dim, 1, way+" A wave begins when all of the one before were switched; after the first failure nothing new begins. Images go to repository "+p.Choices.Repository+", built one at a time: shared layers are sent once.")
	}
	v.warnings(p)
	if lost := p.Lost(); len(lost) > 0 {
		v.head("LOST", "can't be made the same again")
		for _, t := range lost {
			v.put(v.line().Gap(1).Put(theme.Bad, "− ").Put(theme.Strong, t.ID).Put(theme.Dim, "  "+names(t.Functions, 3)))
			v.say(theme.Plain, 4, t.Message)
		}
	}
	if ready > 0 {
		v.functions(p)
	}
	if blocked+images > 0 {
		v.head("LEFT ALONE", fmt.Sprintf("%d blocked, %d container images already", blocked, images))
		for _, m := range p.Members {
			for _, n := range m.Blockers() {
				v.put(v.line().Gap(1).Put(theme.Bad, "✗ ").Put(theme.Strong, m.Name).Put(theme.Dim, "  "+n.ID))
				v.say(theme.Plain, 4, n.Message)
			}
		}
	}
}

// waves says how many there are.
func (s *Screen) waves() string {
	n := len(s.plan.Waves())
	if s.plan.Wave <= 1 {
		return "one after the other"
	}
	return fmt.Sprintf("in %s of %d at once", draw.Plural(n, "wave"), s.plan.Wave)
}

// warnings draws all of them, the accepted ones with a tick.
func (v *view) warnings(p *fleet.Plan) {
	bare := *p
	bare.Choices.Accept = nil
	all, open := bare.Unaccepted(), p.Unaccepted()
	if len(all) == 0 {
		return
	}
	note := "all accepted"
	if len(open) > 0 {
		note = fmt.Sprintf("%d of %d to be accepted, one by one", len(open), len(all))
	}
	v.head("WARNINGS", note)
	for _, t := range all {
		if slices.Contains(p.Choices.Accept, t.ID) {
			v.put(v.line().Gap(1).Put(theme.Good, "✓ ").Put(theme.Strong, t.ID).Put(theme.Dim, "  accepted for "+names(t.Functions, 3)))
			continue
		}
		v.put(v.line().Gap(1).Put(theme.Warn, "▲ ").Put(theme.Strong, t.ID).Put(theme.Dim, "  "+names(t.Functions, 3)))
		v.say(theme.Plain, 4, t.Message)
	}
}

// functions draws a line for each one that will be switched.
func (v *view) functions(p *fleet.Plan) {
	name := min(max(v.w-52, 18), 40)
	v.blank()
	v.put(v.line().Gap(1).Right(theme.Head, "WAVE", 4).Gap(2).Cell(theme.Head, "FUNCTION", name).Gap(2).Cell(theme.Head, "STRATEGY", 8).Gap(2).
		Right(theme.Head, "WARN", 4).Gap(2).Right(theme.Head, "LOST", 4).Gap(2).Cell(theme.Head, "GAP", 12).Gap(1).Put(theme.Head, "REGION"))
	for w, wave := range p.Waves() {
		for _, m := range wave {
			v.put(v.line().Gap(1).Right(theme.Dim, fmt.Sprint(w+1), 4).Gap(2).Cell(theme.Plain, m.Name, name).Gap(2).Cell(theme.Dim, string(m.Plan.Strategy), 8).Gap(2).
				Right(theme.Plain, fmt.Sprint(len(m.Plan.Warnings)), 4).Gap(2).Right(theme.Plain, fmt.Sprint(len(m.Plan.Lost)), 4).Gap(2).
				Cell(theme.Dim, m.Gap(), 12).Gap(1).Put(theme.Dim, m.Region))
		}
	}
}
