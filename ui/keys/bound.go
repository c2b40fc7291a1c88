package keys

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bound are keys the user has chosen, by action ID, instead of an action's own.
// On every screen that has the action they stand for it.
type Bound map[string][]string

// kept are the keys that no action can lose or take: without them there would be
// no way out.
var kept = map[string]string{"back": "esc", "quit": "ctrl+c"}

// Apply returns the table with the user's keys. The table itself is left alone.
func (b Bound) Apply(table []Action) []Action {
	if len(b) == 0 {
		return table
	}
	out := slices.Clone(table)
	for i, a := range out {
		chosen, ok := b[a.ID]
		if !ok {
			continue
		}
		if k := kept[a.ID]; k != "" && slices.Contains(a.Keys, k) && !slices.Contains(chosen, k) {
			chosen = append(slices.Clone(chosen), k)
		}
		out[i].Keys = chosen
	}
	return out
}

// Check says what is wrong with the keys chosen for an action, nil for nothing:
// an action that does not exist, a key that is none, a key that stands for
// something else on a screen that has the action.
func (b Bound) Check(action string) error {
	chosen := b[action]
	actions := Catalogue()
	var mine []Known
	for _, k := range actions {
		if k.ID == action {
			mine = append(mine, k)
		}
	}
	if len(mine) == 0 {
		return fmt.Errorf("there is no action %q: optlift config lists them", action)
	}
	if len(chosen) == 0 {
		return fmt.Errorf("%s needs a key at least", action)
	}
	for _, key := range chosen {
		if !Valid(key) {
			return fmt.Errorf("%q is no key: write a letter, or a name such as enter, space, pgdown, f5, ctrl+r, alt+up", key)
		}
		for owner, k := range kept {
			if key == k && owner != action {
				return fmt.Errorf("%s always means %s", key, owner)
			}
		}
		for _, m := range mine {
			for _, other := range actions {
				if other.ID == action || other.Screen != m.Screen && other.Screen != Everywhere && m.Screen != Everywhere {
					continue
				}
				theirs, rebound := b[other.ID]
				if !rebound {
					theirs = other.Keys
				}
				if slices.Contains(theirs, key) {
					where := other.Screen
					if where == Everywhere {
						where = m.Screen
					}
					return fmt.Errorf("%s already means %s (%s)", key, other.ID, where)
				}
			}
		}
	}
	return nil
}

// specials are the keys with names, as the terminal library spells them.
var specials = strings.Fields("enter esc tab space backspace delete insert up down left right home end pgup pgdown " +
	"f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12")

// Valid reports whether a key is spelled as the terminal library spells it.
func Valid(key string) bool {
	for _, mod := range []string{"ctrl+", "alt+", "shift+"} {
		if rest, ok := strings.CutPrefix(key, mod); ok && rest != "" {
			key = rest
			// Shift makes another letter, not another key.
			if mod == "shift+" && utf8.RuneCountInString(key) == 1 {
				return false
			}
		}
	}
	if slices.Contains(specials, key) {
		return true
	}
	r, n := utf8.DecodeRuneInString(key)
	return n == len(key) && r > ' ' && r != utf8.RuneError && r != 0x7f
}
