package ui

import (
	"slices"

	"github.com/optlift/optlift/ui/inventory"
)

// looks are the screens' actions that need what archives hold, and the places of
// the same names.
var looks = []string{"diff", "packages", "find"}

// targets are the whole names of what people call functions and layer versions, and
// what to call them on screen.
func (m *model) targets(in []string) (targets, titles []string) {
	targets, titles = slices.Clone(in), make([]string, len(in))
	for i, t := range in {
		if r, ok := m.inv.Named(t); ok {
			targets[i], titles[i] = r.ARN, r.Name
			continue
		}
		var named []string
		for _, l := range m.inv.Layers() {
			if inventory.ShortLayer(l.ARN) == t {
				named = append(named, l.ARN)
			}
		}
		if len(named) == 1 {
			targets[i] = named[0]
		}
		titles[i] = inventory.ShortLayer(targets[i])
	}
	return targets, titles
}
