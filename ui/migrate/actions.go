package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

const group = "Migration"

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	var own []keys.Action
	switch s.phase {
	case planning:
	case unplanned:
		own = append(own, keys.Action{ID: "plan", Keys: []string{"r"}, Label: "try again", Group: group, Help: "read the function and plan again"})
	case planned:
		blocked := ""
		if n := len(s.plan.Blockers); n > 0 {
			blocked = draw.Plural(n, "blocker") + " in the way: " + s.plan.Blockers[0].ID
		}
		other := switchover.Beside
		if s.choices.Strategy == switchover.Beside {
			other = switchover.Replace
		}
		own = append(own,
			keys.Action{ID: "apply", Keys: []string{"a", "enter"}, Label: "apply", Group: group, Help: "apply the plan: asks for the function's name first", Disabled: blocked},
			keys.Action{ID: "strategy", Keys: []string{"b"}, Label: string(other) + " instead", Group: group, Help: "plan with the other strategy"},
		)
		own = append(own, s.layerAction(), s.pauseAction())
		if len(s.open()) > 0 {
			own = append(own, keys.Action{ID: "accept", Keys: []string{"x"}, Label: "accept a blocker", Group: group, Help: "accept a blocker by typing its id, where that is allowed"})
		}
		own = append(own,
			keys.Action{ID: "plan", Keys: []string{"r"}, Label: "plan again", Minor: true, Group: group, Help: "read the function and plan again"},
			keys.Action{ID: "copy", Keys: []string{"y"}, Group: group, Help: "copy the command that does the same without a screen"},
		)
	case running:
		stop := keys.Action{ID: "stop", Keys: []string{"esc"}, Label: "stop …", Group: group, Help: "stop at the next safe place; asks first and says where things stand"}
		if s.job != nil && s.job.Cancelled() {
			stop.Disabled = "it stops at the next safe place"
		}
		if s.waiting != nil {
			own = append(own, keys.Action{ID: "pass", Keys: []string{"c"}, Label: "go on …", Group: group, Help: "go on past the point of no return: asks for the function's name first"})
		}
		own = append(own, stop, s.detailAction())
	case ended:
		if s.canResume() {
			own = append(own, keys.Action{ID: "resume", Keys: []string{"c"}, Label: "go on", Group: group, Help: "go on where it stopped"})
		}
		if s.canRollBack() {
			own = append(own, keys.Action{ID: "rollback", Keys: []string{"u"}, Label: "roll back", Group: group, Help: "put the Zip function back: asks for the function's name first"})
		}
		own = append(own, s.detailAction(), keys.Action{ID: "next", Keys: []string{"y"}, Label: "copy next command", Group: group, Help: "copy what to type next", Disabled: s.noNext()})
	}
	return append(own, list.Actions()...)
}

func (s *Screen) canResume() bool {
	return s.journal != "" && (s.result == nil || s.result.State == "stopped" || s.result.State == "failed")
}

func (s *Screen) canRollBack() bool {
	return s.journal != "" && (s.result == nil || s.result.State != "rolled-back")
}

func (s *Screen) noNext() string {
	if len(s.next()) == 0 {
		return "nothing is left to be typed"
	}
	return ""
}

// open are the blockers that have not been accepted.
func (s *Screen) open() []switchover.Notice {
	var out []switchover.Notice
	for _, b := range s.plan.Blockers {
		if !slices.Contains(s.choices.Accept, b.ID) {
			out = append(out, b)
		}
	}
	return out
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
	case "plan":
		return s.Plan()
	case "strategy":
		if s.choices.Strategy == switchover.Beside {
			s.choices.Strategy = switchover.Replace
		} else {
			s.choices.Strategy = switchover.Beside
		}
		return s.Plan()
	case "accept":
		return s.accept()
	case "apply":
		return screen.Effect{Arm: s.confirmApply}
	case "copy":
		return screen.Effect{Copy: s.command()}
	case "sources":
		return screen.Effect{Show: newSources(s)}
	case "pause":
		s.pausing = !s.pausing
		return screen.Effect{}
	case "pass":
		return s.confirmPass()
	case "detail":
		if c := s.list.Cursor(); c >= 0 {
			return screen.Effect{Show: &detail{of: s, id: s.steps[c].ID}}
		}
		return screen.Effect{}
	case "stop":
		return s.stop()
	case "resume":
		return screen.Effect{Arm: s.confirm("Go on with the migration of "+s.name+"?",
			"The journal says what is done; every step asks AWS whether it is done before it changes anything.", s.resume)}
	case "rollback":
		return screen.Effect{Arm: s.confirm("Roll "+s.name+" back to its Zip?",
			"The function is put back from the backup: code, layers in order, versions, aliases, mappings. Its name does not answer for a short time.", s.rollback)}
	case "next":
		return screen.Effect{Copy: s.next()[0]}
	}
	if s.phase == planned || s.phase == planning || s.phase == unplanned {
		s.pager.Do(id)
	} else if s.list.Do(id) {
		s.follow = false
		if c := s.list.Cursor(); c >= 0 {
			s.list.Remember(s.steps[c].ID)
		}
	}
	return screen.Effect{}
}

func (s *Screen) layerAction() keys.Action {
	a := keys.Action{ID: "sources", Keys: []string{"v"}, Label: "layers from …", Group: group, Help: "where each layer's files come from: its zip, its publisher's image, or an image of its own"}
	if len(s.layers) == 0 {
		a.Label, a.Disabled = "", "the function has no layers"
	}
	return a
}

func (s *Screen) pauseAction() keys.Action {
	a := keys.Action{ID: "pause", Keys: []string{"p"}, Label: "no pause", Minor: true, Group: group, Help: "pause before the step from which callers notice, until the name is typed again, or run through"}
	switch {
	case !s.turns():
		a.Label, a.Disabled = "", "every step of this plan can be taken back without callers noticing"
	case !s.pausing:
		a.Label = "pause"
	}
	return a
}

func (s *Screen) detailAction() keys.Action {
	a := keys.Action{ID: "detail", Keys: []string{"enter"}, Label: "details", Group: group, Help: "all that is known of the selected step: what it found out, its calls"}
	if s.list.Cursor() < 0 {
		a.Disabled = "no step is selected"
	}
	return a
}

// turns reports whether the plan has a step from which callers notice.
func (s *Screen) turns() bool {
	return slices.ContainsFunc(s.plan.Steps, func(x switchover.Step) bool { return x.NoReturn })
}

// command does the same without a screen.
func (s *Screen) command() string {
	name := awscli.Quote(s.plan.Function)
	out := "optlift migrate " + name + " --strategy " + string(s.plan.Strategy)
	for _, arn := range s.layers {
		if image := s.choices.LayerImages[arn]; image != "" {
			out += " --layer-from " + awscli.Quote(arn+"="+image)
		}
	}
	for _, id := range s.choices.Accept {
		out += " --accept " + awscli.Quote(id)
	}
	return out + " --write --confirm " + name
}

// confirmPass asks for the function's name before the run goes on past the point
// of no return.
func (s *Screen) confirmPass() screen.Effect {
	step := s.waiting
	if step == nil {
		return screen.Effect{}
	}
	g := s.gate
	return Confirm(s.name, "Go on past the point of no return?", "Next is "+step.ID+": "+s.turning(), func() screen.Effect {
		g.pass()
		s.waiting = nil
		return screen.Effect{}
	})
}

// turning says what happens from the point of no return on.
func (s *Screen) turning() string {
	if s.verb == "Rolling back" {
		return "the image function is deleted and the Zip function created again. Between the two the name does not answer."
	}
	return "event sources are paused, the function is deleted and created again as an image. Between the two its name does not answer."
}

func (s *Screen) accept() screen.Effect {
	open := s.open()
	if len(open) == 0 {
		return screen.Effect{}
	}
	b := open[0]
	return screen.Effect{Ask: &screen.Question{
		Dialog: &dialog.Dialog{
			Title: "Accept this blocker?", Tone: theme.Warn,
			Body: []string{b.Message, "The plan is made again without it, if it is one that can be accepted."},
			Want: b.ID, What: "its id, " + b.ID,
		},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Effect{}
			}
			s.choices.Accept = append(s.choices.Accept, answer)
			return s.Plan()
		},
	}}
}

// confirmApply asks for the function's name; what is lost is said first.
func (s *Screen) confirmApply() screen.Effect {
	var body []string
	if s.plan.Strategy == switchover.Replace {
		body = append(body, s.plan.Function+" is deleted and created again under the same name. Between the two it does not answer.")
	} else {
		body = append(body, "A new function is made beside "+s.plan.Function+" and its triggers are moved over.")
	}
	if s.pausing && s.turns() {
		body = append(body, "The run pauses before callers notice and asks for the name again.")
	}
	if n := len(s.plan.Lost); n > 0 {
		ids := make([]string, n)
		for i, l := range s.plan.Lost {
			ids[i] = l.ID
		}
		body = append(body, "Lost for good: "+strings.Join(ids, ", ")+".")
	}
	return screen.Effect{Ask: &screen.Question{
		Dialog: &dialog.Dialog{
			Title: "Apply " + draw.Plural(len(s.plan.Steps), "step") + "?", Tone: theme.Bad, Body: body,
			Want: s.plan.Function, What: "the function's name",
		},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Say(screen.Info, "nothing was changed")
			}
			return s.apply()
		},
	}}
}

// confirm asks for the function's name before then.
func (s *Screen) confirm(title, body string, then func() screen.Effect) func() screen.Effect {
	return func() screen.Effect { return Confirm(s.name, title, body, then) }
}

// Confirm asks for a function's name before then runs.
func Confirm(function, title, body string, then func() screen.Effect) screen.Effect {
	return screen.Effect{Ask: &screen.Question{
		Dialog: &dialog.Dialog{
			Title: title, Tone: theme.Bad, Body: []string{body}, Want: function, What: "the function's name",
		},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Say(screen.Info, "nothing was changed")
			}
			return then()
		},
	}}
}

func (s *Screen) resume() screen.Effect {
	fresh, effect := Resume(switchover.Entry{ID: s.journal, Function: s.name}, s.jobs, s.switcher)
	fresh.steps, fresh.plan, fresh.arn, fresh.layers = s.steps, s.plan, s.arn, s.layers
	*s = *fresh
	return effect
}

func (s *Screen) rollback() screen.Effect {
	fresh, effect := Rollback(switchover.Entry{ID: s.journal, Function: s.name}, s.jobs, s.switcher)
	fresh.arn, fresh.layers = s.arn, s.layers
	*s = *fresh
	return effect
}

// stop asks whether to stop, and says where things stand.
func (s *Screen) stop() screen.Effect {
	return screen.AskStop(s.Standing(),
		"Stopping waits for the running step, or until the function answers again where it is being replaced. What is left to do stays in the journal; it can be gone on with or rolled back.",
		func() bool {
			if s.job == nil {
				return false
			}
			s.job.Cancel()
			return true
		})
}

// changes reports whether a step is more than work on this machine.
func (x *step) changes() bool {
	return x.Call != "" && x.Call != "local" && x.Action != switchover.Keep
}

// Standing says in a few words how far the run is and what has been changed.
func (s *Screen) Standing() string {
	s.drain()
	now, busy, gone := "", false, s.gap.open()
	var changed []string
	done := 0
	for i := range s.steps {
		x := &s.steps[i]
		if x.state == switchover.Running {
			now, busy = x.ID, x.changes()
		}
		if !x.finished() {
			continue
		}
		done++
		if !x.changes() || x.state == switchover.Skipped {
			continue
		}
		changed = append(changed, x.ID)
	}
	out := fmt.Sprintf("%d of %d steps are done", done, len(s.steps))
	if step := s.waiting; step != nil {
		out += ", the run waits before " + step.ID
		now = ""
	}
	if now != "" {
		out += ", " + now + " is running"
	}
	switch {
	case len(changed) == 0 && busy:
		out += ". What runs now is the first to change the account."
	case len(changed) == 0:
		out += ". Nothing in the account has been changed so far."
	case len(changed) <= 4:
		out += ". Changed so far: " + strings.Join(changed, ", ") + "."
	default:
		out += fmt.Sprintf(". Changed so far: %s and %d more.", strings.Join(changed[:4], ", "), len(changed)-4)
	}
	if gone {
		out += " THE FUNCTION IS DELETED AND NOT YET CREATED AGAIN: its name does not answer."
	}
	return out
}
