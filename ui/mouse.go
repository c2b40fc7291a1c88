package ui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
)

// wheelRows is how many rows one notch of the wheel moves.
const wheelRows = 3

// spot is what a span of a line does when it is clicked.
type spot struct {
	from, to int // columns, to exclusive
	action   string
	depth    int // the screen of the stack to go back to, where action is ""
}

// within is the first spot that holds column x.
func within(spots []spot, x int) (spot, bool) {
	for _, s := range spots {
		if x >= s.from && x < s.to {
			return s, true
		}
	}
	return spot{}, false
}

// click performs a click of the main button. Questions and the line being typed
// are answered by keys alone, so that no stray click answers them.
func (m *model) click(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || !m.mouse || m.ask != nil || m.prompt != nil || m.tooSmall() {
		return nil
	}
	m.note = ""
	switch msg.Y {
	case 0:
		return nil
	case 1:
		if s, ok := within(m.crumbSpots, msg.X); ok {
			m.pop(s.depth + 1)
		}
		return nil
	case m.h - 1:
		s, ok := within(m.footerSpots, msg.X)
		if !ok {
			return nil
		}
		for _, table := range m.tables() {
			for _, a := range table {
				if a.ID == s.action {
					return m.act(a)
				}
			}
		}
		return nil
	}
	c, ok := m.top().(screen.Clickable)
	if !ok {
		return nil
	}
	e, _ := c.Click(msg.X, msg.Y-m.bodyTop())
	return m.perform(e)
}

// wheel scrolls by the screen's own moves.
func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	if !m.mouse || m.ask != nil || m.prompt != nil || m.tooSmall() {
		return nil
	}
	id := ""
	switch msg.Button {
	case tea.MouseWheelUp:
		id = "up"
	case tea.MouseWheelDown:
		id = "down"
	}
	for _, a := range m.top().Actions() {
		if a.ID != id || a.Disabled != "" {
			continue
		}
		cmds := make([]tea.Cmd, 0, wheelRows)
		for range wheelRows {
			cmds = append(cmds, m.perform(m.top().Do(id)))
		}
		return tea.Batch(cmds...)
	}
	return nil
}

// tables are what can be done now: the screen's actions, then those of every
// screen, with the keys they are bound to.
func (m *model) tables() [2][]keys.Action {
	return [2][]keys.Action{m.bound.Apply(m.actions()), m.bound.Apply(m.globals())}
}
