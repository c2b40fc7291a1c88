package ui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/ui/bulk"
	"github.com/optlift/optlift/ui/journal"
	"github.com/optlift/optlift/ui/screen"
)

// migration is the switch of one function or of many. There is one at a time.
type migration interface {
	screen.Screen
	Running() bool
	Progress() (done, of int, running bool)
	Standing() string
	Settle()
	Farewell() []string
}

// openBulk plans the switch of several functions. A single one is planned as any
// other; without any, what runs is shown.
func (m *model) openBulk(arns []string) tea.Cmd {
	if m.current != nil && m.current.Running() {
		if len(arns) > 0 {
			m.say(screen.Warn, "one migration at a time: "+m.current.Crumb()+" is under way, "+m.shows("migrate"))
			return nil
		}
		m.show(m.current)
		return nil
	}
	switch len(arns) {
	case 0:
		m.say(screen.Info, "no function is marked")
		return nil
	case 1:
		return m.openMigration(arns)
	}
	var functions []fleet.Function
	for _, arn := range arns {
		if r, ok := m.inv.Get(arn); ok {
			functions = append(functions, fleet.Function{Name: r.Name, Region: r.Region})
		}
	}
	s := bulk.New(functions, m.jobs, m.backend, m.claim)
	m.show(s)
	return m.perform(s.Plan())
}

// claim makes a screen the one that changes the account, or says why it can't.
func (m *model) claim(s *bulk.Screen) string {
	if m.jobs.Guarded() != nil {
		return "one migration at a time: one is under way, " + m.shows("migrate")
	}
	m.current = s
	return ""
}

// fleet returns the screen of a fleet in the journal.
func (m *model) fleet(e fleet.Entry) journal.Fleet {
	return bulk.Open(e, m.jobs, m.backend, m.claim)
}
