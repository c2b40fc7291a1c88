package ui

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/ui/keys"
)

// oddly binds every action there is to a key that no text holds by chance. What
// can't be left without its own key, esc and ctrl+c, keeps it beside the odd one.
func oddly() keys.Bound {
	bound := keys.Bound{}
	n := 0
	for _, k := range keys.Catalogue() {
		if bound[k.ID] == nil {
			mods := []string{"", "alt+", "ctrl+", "shift+", "ctrl+alt+", "alt+shift+", "ctrl+shift+", "ctrl+alt+shift+"}
			bound[k.ID] = []string{fmt.Sprintf("%sf%d", mods[n/12%len(mods)], n%12+1) + strings.Repeat("_", n/96)}
			n++
		}
	}
	return bound
}

// hint is a key in a sentence: a word that a verb in the third person follows. It
// need not find every hint, but those that the screens' texts are written with.
var hint = regexp.MustCompile(`(^|[^\w\pL])([^\s\w]|\w|Space|Tab|enter|Ctrl-\w) ((?:on [\w ]+ )?[a-z]+s)\b`)

// TestTextsFollowBoundKeys plays every scene, binds every action to another key and
// looks for the old ones in what is on screen and in why things can't be done.
func TestTextsFollowBoundKeys(t *testing.T) {
	bound := oddly()
	followed := 0
	for _, s := range scenes {
		r := s.play(t, 160, 50)
		before := r.screen()
		r.m.bound, r.m.names = bound, nil
		r.m.note = "" // said before
		if r.m.screenHas(before) {
			followed++
		}
		old := map[string]bool{}
		for _, k := range actionsOf(r.m) {
			for _, key := range k.Keys {
				// What always means the same stays true, and numbers are mostly numbers.
				old[keys.Name(key)] = key != "esc" && key != "ctrl+c" && (key < "1" || key > "9")
			}
		}
		texts := strings.Split(r.screen(), "\n")
		for _, a := range slices.Concat(r.m.actions(), r.m.globals()) {
			texts = append(texts, a.Disabled)
		}
		for _, line := range texts {
			for _, found := range hint.FindAllStringSubmatch(line, -1) {
				if old[found[2]] && (found[3] == "shows" || !strings.Contains("0!↓", found[2])) {
					t.Errorf("%s: %q is not the key any more in %q", s.name, found[2], strings.TrimSpace(line))
				}
			}
		}
	}
	if followed < len(scenes)/2 {
		t.Errorf("only %d of %d scenes show any key", followed, len(scenes))
	}
}

// screenHas reports whether what is on screen differs from before.
func (m *model) screenHas(before string) bool { return strings.Join(m.frame(), "\n") != before }

// A key's name in a text needs an action that has one key wherever it is meant.
func TestNamedActionsHaveOneKey(t *testing.T) {
	// Those that differ between screens, and that no text names.
	differ := map[string]bool{"opt": true, "other": true}
	first := map[string]string{}
	for _, k := range keys.Catalogue() {
		if len(k.Keys) == 0 || differ[k.ID] {
			continue
		}
		if was := first[k.ID]; was != "" && was != k.Keys[0] {
			t.Errorf("%s is %s on one screen and %s on %s: give one of them another name", k.ID, was, k.Keys[0], k.Screen)
		}
		first[k.ID] = k.Keys[0]
	}
}

// ownOfRoot are actions that a screen has and the root performs for it.
var ownOfRoot = map[string]bool{"refresh": true}

// TestActionsAreTold holds the tables to what finding an action needs: the root
// performs its own by their names, so no screen may have one of those; and of two
// actions with one key, or one name, only the first would ever be performed.
func TestActionsAreTold(t *testing.T) {
	for _, s := range scenes {
		r := s.play(t, 80, 24)
		global := map[string]bool{}
		for _, table := range [][]keys.Action{r.m.globals(), r.m.top().Actions()} {
			names, keysOf := map[string]bool{}, map[string]string{}
			for _, a := range table {
				if names[a.ID] {
					t.Errorf("%s: two actions are called %s", s.name, a.ID)
				}
				names[a.ID] = true
				if global[a.ID] && !ownOfRoot[a.ID] {
					t.Errorf("%s: %s is the root's: the screen's own is never performed", s.name, a.ID)
				}
				if _, performed := r.m.performs(a.ID); performed && len(global) > 0 && !ownOfRoot[a.ID] {
					t.Errorf("%s: the root performs %s itself", s.name, a.ID)
				}
				for _, key := range a.Keys {
					if other := keysOf[key]; other != "" {
						t.Errorf("%s: %s is the key of %s and of %s", s.name, key, other, a.ID)
					}
					keysOf[key] = a.ID
				}
			}
			if len(global) == 0 {
				global = names
			}
		}
	}
}

// performs reports whether the root performs an action itself, on a program that
// is thrown away.
func (m *model) performs(id string) (string, bool) {
	other := newModel(m.ctx, m.backend, Options{})
	defer other.end()
	_, ok := other.global(id)
	return id, ok
}
