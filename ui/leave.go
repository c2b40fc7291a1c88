package ui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// leave ends the program, but asks first while a job changes the account.
func (m *model) leave() tea.Cmd {
	j := m.jobs.Guarded()
	if j == nil {
		return tea.Quit
	}
	if m.leaving {
		// Asked for again while the running step ends: the screen goes, Run waits.
		m.interrupted = true
		return tea.Quit
	}
	standing := ""
	if m.current != nil {
		standing = m.current.Standing()
	}
	m.prompt = nil
	m.ask = &screen.Question{
		Dialog: &dialog.Dialog{
			Title: "Leave while the account is being changed?",
			Tone:  theme.Warn,
			Body: []string{
				j.Name + " is under way. " + standing,
				"Stopping waits for the running step, or until the function answers again where it is being replaced. What is left to do stays in the journal.",
			},
			Choices: []dialog.Choice{
				{Keys: []string{"enter", "esc"}, Label: "let it run"},
				{Keys: []string{"ctrl+c"}, Label: "stop at the next safe place, then leave", Answer: "leave"},
			},
		},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Effect{}
			}
			m.leaving = true
			if j := m.jobs.Guarded(); j != nil {
				j.Cancel()
				return screen.Say(screen.Warn, "stopping at the next safe place, then leaving")
			}
			return screen.Effect{Quit: true}
		},
	}
	return nil
}

// arm arms the session by the account's id, unless it is armed, then goes on.
func (m *model) arm(then func() screen.Effect) tea.Cmd {
	if m.armed {
		return m.perform(then())
	}
	if why := m.where.fixed(); why != "" {
		m.say(screen.Info, "not now: "+why)
		return nil
	}
	b := m.backend
	m.ask = &screen.Question{
		Dialog: &dialog.Dialog{
			Title: "Allow changes to this account?",
			Tone:  theme.Bad,
			Body: []string{
				"The session is read-only: no call that changes anything leaves the program.",
				"Arming it lets this program change account " + m.where.Account + " until you leave.",
			},
			Want: m.where.Account,
			What: "the account's id",
		},
		Then: func(answer string) screen.Effect {
			if answer == "" {
				return screen.Say(screen.Info, "still read-only")
			}
			return screen.Effect{Cmd: func() tea.Msg {
				err := explained(b, b.Arm(answer))
				return armedMsg{armed: b.Armed(), err: err, then: then}
			}}
		},
	}
	return nil
}

func (m *model) onArmed(msg armedMsg) tea.Cmd {
	m.armed = msg.armed
	switch {
	case msg.err != nil:
		m.say(screen.Bad, msg.err.Error())
	case !msg.armed:
		m.say(screen.Bad, "the session could not be armed")
	case msg.then != nil:
		return m.perform(msg.then())
	default:
		m.say(screen.Warn, "armed: changes to "+m.where.Account+" are allowed")
	}
	return nil
}
