package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
	"github.com/optlift/optlift/ui/themes"
)

// command performs a line typed after ":".
func (m *model) command(line string) tea.Cmd {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	m.lines = remember(m.lines, strings.Join(words, " "))
	name := words[0]
	if full, ok := short[name]; ok {
		name = full
	}
	return m.open(screen.Place{Name: name, Args: words[1:]})
}

// completions is how many of the functions are offered to complete a name.
const completions = 20

// complete returns what a command line could become.
func (m *model) complete(text string) []string {
	name, rest, args := strings.Cut(text, " ")
	var out []string
	if !args {
		for _, c := range commands {
			if strings.HasPrefix(c.Line, name) {
				out = append(out, c.Line)
			}
		}
		return out
	}
	if full, ok := short[name]; ok {
		name = full
	}
	var words []string
	switch name {
	case "theme":
		words = theme.Names()
	case "filter":
		words = m.saved.Names()
	case "function", "opt", "migrate":
		for _, r := range m.inv.Rows() {
			if strings.HasPrefix(r.Name, rest) {
				if words = append(words, r.Name); len(words) == completions {
					break
				}
			}
		}
		slices.Sort(words)
	}
	for _, w := range words {
		if strings.HasPrefix(w, rest) {
			out = append(out, name+" "+w)
		}
	}
	return out
}

// openSaved shows what a saved filter finds, or all saved filters.
func (m *model) openSaved(args []string) tea.Cmd {
	m.pop(1)
	if len(args) == 0 {
		return m.perform(m.first().Do("saved"))
	}
	return m.open(screen.Place{Name: "functions", Args: []string{"@" + strings.TrimPrefix(args[0], "@")}})
}

// openThemes puts a theme in force, or shows all.
func (m *model) openThemes(args []string) {
	if len(args) > 0 {
		if !theme.Known(args[0]) {
			m.say(screen.Bad, "there is no theme "+args[0]+", but "+strings.Join(theme.Names(), ", "))
			return
		}
		m.setTheme(args[0])
		m.say(screen.Good, "theme "+args[0])
		return
	}
	m.push("theme", themes.New(m.theme, m.setTheme))
}

func (m *model) setTheme(name string) {
	m.theme = name
	m.paint()
}

func (m *model) toggleMouse() {
	m.mouse = !m.mouse
	if m.mouse {
		m.say(screen.Info, "the mouse selects, scrolls and sorts; "+m.keyOf("mouse")+" leaves it to the terminal")
	} else {
		m.say(screen.Info, "the mouse is the terminal's: it selects text; "+m.keyOf("mouse")+" takes it back")
	}
}
