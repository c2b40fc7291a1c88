package keys

// Names are the keys of actions as people write them, with the user's keys. An
// action that differs between screens is named as the first one has it.
func Names(b Bound) map[string]string {
	out := map[string]string{}
	for _, k := range Catalogue() {
		if out[k.ID] == "" && len(k.Keys) > 0 {
			out[k.ID] = Name(k.Keys[0])
		}
	}
	for id, bound := range b {
		out[id] = Name(bound[0])
	}
	return out
}

// Hints names keys in the texts of a screen, which embeds it. Until Bind tells
// what the user has chosen, each action has its own key.
type Hints struct{ name func(action string) string }

// Bind has keys named by name from now on.
func (h *Hints) Bind(name func(action string) string) { h.name = name }

// Key is the key of an action, of the screen's own or of those of every screen.
func (h *Hints) Key(action string) string {
	if h.name == nil {
		return Names(nil)[action]
	}
	return h.name(action)
}
