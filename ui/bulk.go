package ui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/screen"
)

// openBulk goes to the migration of several functions, one after the other. A
// single one is planned as any other.
func (m *model) openBulk(arns []string) tea.Cmd {
	switch len(arns) {
	case 0:
		m.say(screen.Info, "no function is marked")
		return nil
	case 1:
		return m.openMigration(arns)
	}
	m.say(screen.Info, "one function at a time: unmark all but one")
	return nil
}
