package bulk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

const group = "Many functions"

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	var own []keys.Action
	add := func(a keys.Action) { a.Group = group; own = append(own, a) }
	switch s.phase {
	case unplanned:
		add(keys.Action{ID: "plan", Keys: []string{"r"}, Label: "try again", Help: "read the functions and plan again"})
	case planned:
		open := s.plan.Unaccepted()
		blocked, accepted, one, none := "", "", "", ""
		switch {
		case len(s.plan.Ready()) == 0:
			none = "no function is ready to be switched"
			blocked = none
		case len(open) > 0:
			blocked = draw.Plural(len(open), "warning") + " to be accepted first: " + open[0].ID
		}
		if len(open) == 0 {
			accepted = "no warning is left to be accepted"
		}
		if s.plan.Wave <= 1 {
			one = "a wave has at least one function"
		}
		larger := none
		if none == "" && s.plan.Wave >= len(s.plan.Ready()) {
			larger = "all functions are in one wave"
		}
		add(keys.Action{ID: "accept", Keys: []string{"x"}, Label: label(accepted, "accept a warning"), Help: "accept the first warning that is left, by typing its id", Disabled: accepted})
		add(keys.Action{ID: "apply", Keys: []string{"a", "enter"}, Label: "switch", Help: "switch the functions: asks for their number and the account first", Disabled: blocked})
		add(keys.Action{ID: "strategy", Keys: []string{"b"}, Label: string(s.other()) + " instead", Minor: true, Help: "plan with the other strategy; what was accepted is asked again"})
		add(keys.Action{ID: "wave-more", Keys: []string{"+"}, Label: "larger waves", Minor: true, Help: "switch one function more at once", Disabled: larger})
		add(keys.Action{ID: "wave-less", Keys: []string{"-"}, Help: "switch one function less at once", Disabled: one})
		add(keys.Action{ID: "plan", Keys: []string{"r"}, Label: "plan again", Minor: true, Help: "read the functions and plan again; what was accepted is asked again"})
	case running:
		stop := keys.Action{ID: "stop", Keys: []string{"esc"}, Label: "stop …", Help: "stop each running function at its next safe place; asks first and says where things stand"}
		if s.job != nil && s.job.Cancelled() {
			stop.Disabled = "it stops at the next safe place"
		}
		add(stop)
		add(s.entryAction())
	case ended:
		none := ""
		if len(s.next()) == 0 {
			none = "nothing is left to be typed"
		}
		add(keys.Action{ID: "resume", Keys: []string{"c"}, Label: "go on", Help: "go on where it stopped: asks for the number of functions and the account first", Disabled: s.noResume()})
		add(keys.Action{ID: "rollback", Keys: []string{"u"}, Label: "roll back", Help: "put the Zip functions back, the last ones first: asks for their number and the account first", Disabled: s.noRollback()})
		add(s.entryAction())
		add(keys.Action{ID: "next", Keys: []string{"y"}, Label: "copy next command", Minor: true, Help: "copy what to type next without a screen", Disabled: none})
	}
	return append(own, list.Actions()...)
}

// label keeps an action that can't be done out of the footer.
func label(disabled, text string) string {
	if disabled != "" {
		return ""
	}
	return text
}

func (s *Screen) entryAction() keys.Action {
	a := keys.Action{ID: "entry", Keys: []string{"enter"}, Label: "steps", Help: "the steps of the selected function, from its journal"}
	switch r := s.selected(); {
	case r == nil:
		a.Disabled = "no function is selected"
	case r.Journal != "":
	case s.phase == running:
		a.Disabled = "its journal is shown when all have ended"
	default:
		a.Disabled = "its switch was never begun"
	}
	return a
}

func (s *Screen) selected() *row {
	if c := s.table.Cursor(); c >= 0 && c < len(s.rows) {
		return &s.rows[c]
	}
	return nil
}

func (s *Screen) other() switchover.Strategy {
	if s.strategy == switchover.Beside {
		return switchover.Replace
	}
	return switchover.Beside
}

// noResume is why the fleet can't be gone on with, "" when it can.
func (s *Screen) noResume() string {
	switch {
	case s.id == "":
		return "nothing was begun"
	case s.state == switchover.StateDone:
		return "it is done"
	}
	return s.noRollback()
}

// noRollback is why the fleet can't be taken back, "" when it can.
func (s *Screen) noRollback() string {
	switch {
	case s.id == "":
		return "nothing was begun"
	case s.state == "" || len(s.rows) == 0:
		return "it has not been read"
	case s.state == switchover.StateRolledBack:
		return "it has been rolled back"
	case s.state == switchover.StateRunning:
		return "another process is working on it"
	}
	return ""
}

// next are the commands that can be typed next.
func (s *Screen) next() []string {
	if s.report != nil && len(s.report.Next) > 0 {
		return s.report.Next
	}
	var out []string
	tail := " " + s.id + " --write --confirm " + s.confirm
	if s.noResume() == "" {
		out = append(out, "optlift resume"+tail)
	}
	if s.noRollback() == "" {
		out = append(out, "optlift rollback"+tail)
	}
	return out
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
	case "plan":
		return s.Plan()
	case "strategy":
		s.strategy = s.other()
		return s.Plan()
	case "wave-more", "wave-less":
		s.wave = s.plan.Wave + map[string]int{"wave-more": 1, "wave-less": -1}[id]
		s.plan.Wave = s.wave
		return screen.Effect{}
	case "accept":
		return s.accept()
	case "apply":
		return screen.Effect{Arm: s.confirmApply}
	case "stop":
		return s.stop()
	case "resume":
		return screen.Effect{Arm: func() screen.Effect {
			return s.ask("Go on with "+s.id+"?", []string{s.of(), "Every step asks AWS whether it is done before it changes anything."}, s.resume)
		}}
	case "rollback":
		return screen.Effect{Arm: func() screen.Effect {
			return s.ask("Roll "+s.id+" back?", []string{s.of(), "Each function that was begun is put back from its backup, the last ones first: code, layers in order, versions, aliases, mappings. Its name does not answer for a short time. A failure does not stop the others."}, s.rollback)
		}}
	case "entry":
		if r := s.selected(); r != nil && r.Journal != "" {
			return screen.Effect{Open: screen.Place{Name: "journal", Args: []string{r.Journal}}}
		}
		return screen.Effect{}
	case "next":
		return screen.Effect{Copy: s.next()[0]}
	}
	if s.phase < running {
		s.pager.Do(id)
	} else if s.table.Do(id) {
		if r := s.selected(); r != nil {
			s.table.Remember(r.key())
		}
	}
	return screen.Effect{}
}

// of says how many functions of which account a confirmation is about.
func (s *Screen) of() string {
	n, account, _ := strings.Cut(s.confirm, "@")
	return n + " functions of account " + account + "."
}

// ask asks for the number of functions and the account before then runs.
func (s *Screen) ask(title string, body []string, then func() screen.Effect) screen.Effect {
	return screen.Effect{Ask: &screen.Question{
		Dialog: &dialog.Dialog{Title: title, Tone: theme.Bad, Body: body, Want: s.confirm, What: "functions@account, " + s.confirm},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Say(screen.Info, "nothing was changed")
			}
			return then()
		},
	}}
}

// accept asks for the first warning that is left.
func (s *Screen) accept() screen.Effect {
	open := s.plan.Unaccepted()
	if len(open) == 0 {
		return screen.Effect{}
	}
	t, p := open[0], s.plan
	return screen.Effect{Ask: &screen.Question{
		Dialog: &dialog.Dialog{
			Title: "Accept this warning?", Tone: theme.Warn,
			Body: []string{t.Message, "It is about " + names(t.Functions, 5) + "."},
			Want: t.ID, What: "its id, " + t.ID,
		},
		Then: func(answer string) screen.Effect {
			if answer != "" && s.plan == p {
				p.Accept(answer)
			}
			return screen.Effect{}
		},
	}}
}

// names lists the first names.
func names(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}

// confirmApply asks for the number of functions and the account; what is lost is
// said first.
func (s *Screen) confirmApply() screen.Effect {
	n := len(s.plan.Ready())
	body := []string{s.of()}
	if s.strategy == switchover.Replace {
		body = append(body, "Each is deleted and created again under the same name. Between the two it does not answer.")
	} else {
		body = append(body, "A new function is made beside each, and its triggers are moved over.")
	}
	if lost := s.plan.Lost(); len(lost) > 0 {
		ids := make([]string, len(lost))
		for i, t := range lost {
			ids[i] = t.ID
		}
		body = append(body, "Lost for good: "+strings.Join(ids, ", ")+".")
	}
	body = append(body, "There is no pause for each one. After the first failure nothing new begins.")
	return s.ask("Switch "+draw.Plural(n, "function")+"?", body, s.apply)
}

// stop asks whether to stop, and says where things stand.
func (s *Screen) stop() screen.Effect {
	return screen.AskStop(s.Standing(),
		"Stopping waits for each running step, or until the function answers again where it is being replaced. Nothing new begins. What is left to do stays in the journal; it can be gone on with or rolled back.",
		func() bool {
			if s.job == nil {
				return false
			}
			s.job.Cancel()
			return true
		})
}

// Standing says in a few words how far the run is.
func (s *Screen) Standing() string {
	done, of, _ := s.Progress()
	var busy []string
	for i := range s.rows {
		r := &s.rows[i]
		if r.State != switchover.StateRunning {
			continue
		}
		at := r.Name
		if r.step != nil {
			at += " (" + r.step.Step.ID + ")"
		}
		busy = append(busy, at)
	}
	out := fmt.Sprintf("%d of %s %s", done, draw.Plural(of, "function"), s.goal())
	if len(busy) > 0 {
		out += ". Under way: " + names(busy, 3)
	}
	if n := s.number(fleet.Waiting); n > 0 && !s.back {
		out += fmt.Sprintf(". Not begun: %d", n)
	}
	return out + "."
}

// goal is what the run does to a function.
func (s *Screen) goal() string {
	if s.back {
		return "rolled back"
	}
	return "switched"
}

func (s *Screen) number(state string) int {
	n := 0
	for i := range s.rows {
		if s.rows[i].State == state {
			n++
		}
	}
	return n
}

// broken is the first function that failed, "" for none.
func (s *Screen) broken() string {
	if i := slices.IndexFunc(s.rows, func(r row) bool { return r.State == switchover.StateFailed }); i >= 0 {
		return s.rows[i].Name
	}
	return ""
}

// Farewell is what should be said once the screen is gone: how the run ended and
// what to type next.
func (s *Screen) Farewell() []string {
	if s.report == nil {
		return nil
	}
	out := []string{s.id + ": " + s.state + ". " + s.message}
	for i, line := range s.report.Next {
		out = append(out, []string{"next: ", "or:   "}[min(i, 1)]+line)
	}
	return out
}
