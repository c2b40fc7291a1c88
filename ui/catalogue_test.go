package ui

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/ui/keys"
)

// actionsOf are the actions on screen now, as the catalogue lists them.
func actionsOf(m *model) []keys.Known {
	name, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", m.top()), "*"), ".Screen")
	name = strings.ReplaceAll(strings.ToLower(name), ".", "-")
	var out []keys.Known
	for _, a := range m.top().Actions() {
		out = append(out, keys.Known{Screen: name, ID: a.ID, Keys: a.Keys, Help: a.Help})
	}
	for _, a := range m.globals() {
		out = append(out, keys.Known{Screen: keys.Everywhere, ID: a.ID, Keys: a.Keys, Help: a.Help})
	}
	return out
}

// TestCatalogue holds the catalogue to what the scenes' screens can do. After a
// change: go test ./ui -run TestCatalogue -update
func TestCatalogue(t *testing.T) {
	type id struct{ screen, id string }
	found := map[id]*keys.Known{}
	var order []id
	for _, s := range scenes {
		r := s.play(t, 120, 40)
		for _, k := range actionsOf(r.m) {
			at := id{k.Screen, k.ID}
			have := found[at]
			if have == nil {
				found[at] = &k
				order = append(order, at)
				continue
			}
			for _, key := range k.Keys {
				if !slices.Contains(have.Keys, key) {
					have.Keys = append(slices.Clone(have.Keys), key)
				}
			}
		}
	}
	slices.SortStableFunc(order, func(a, b id) int {
		if (a.screen == keys.Everywhere) != (b.screen == keys.Everywhere) {
			return map[bool]int{true: -1, false: 1}[a.screen == keys.Everywhere]
		}
		return strings.Compare(a.screen, b.screen)
	})
	var b strings.Builder
	for _, at := range order {
		k := found[at]
		for _, field := range append([]string{k.Screen, k.ID, k.Help}, k.Keys...) {
			if strings.ContainsAny(field, "\t\n") || field == "" && field != k.Help {
				t.Errorf("%s %s: %q can't stand in the catalogue", k.Screen, k.ID, field)
			}
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", k.Screen, k.ID, strings.Join(k.Keys, " "), k.Help)
	}
	const file = "keys/catalogue.tsv"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Fatalf("the catalogue of actions is not what the screens have; write it anew with -update:\n%s", diff)
	}
}
