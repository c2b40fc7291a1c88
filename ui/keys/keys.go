package keys

import (
	"fmt"

	"charm.land/bubbles/v2/key"
)

// Action is one thing the user can do on a screen, in its present state.
type Action struct {
	ID       string   // what the screen's Do is called with
	Keys     []string // as the terminal library spells them: "enter", "ctrl+d", "?"
	Label    string   // a word for the footer; "" keeps it out of the footer
	Help     string   // a sentence for the help
	Group    string   // heading in the help
	Minor    bool     // shown in the footer only where everything else has its place
	Disabled string   // why it can't be done now; "" when it can
}

// Binding is the action's keys with their names for people. It stays enabled
// while the action is not: its key is answered with the reason.
func (a Action) Binding() key.Binding {
	if len(a.Keys) == 0 {
		return key.Binding{}
	}
	return key.NewBinding(key.WithKeys(a.Keys...), key.WithHelp(Name(a.Keys[0]), a.Label))
}

// Find returns the action a key stands for; earlier tables win.
func Find(pressed fmt.Stringer, tables ...[]Action) (Action, bool) {
	for _, table := range tables {
		for _, a := range table {
			if key.Matches(pressed, a.Binding()) {
				return a, true
			}
		}
	}
	return Action{}, false
}

// names are how keys are written for people.
var names = map[string]string{
	"up": "↑", "down": "↓", "left": "←", "right": "→", "pgup": "PgUp", "pgdown": "PgDn",
	"home": "Home", "end": "End", "tab": "Tab", "shift+tab": "Shift-Tab", "space": "Space",
	"enter": "enter", "esc": "esc",
}

// Name is a key as people write it.
func Name(key string) string {
	if n, ok := names[key]; ok {
		return n
	}
	if len(key) > 5 && key[:5] == "ctrl+" {
		return "Ctrl-" + key[5:]
	}
	return key
}
