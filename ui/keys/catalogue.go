package keys

import (
	_ "embed"
	"strings"
)

// Everywhere is the screen of the actions that every screen has.
const Everywhere = "everywhere"

// Known is an action as one screen has it, whatever its state.
type Known struct {
	Screen string
	ID     string
	Keys   []string // its own, before any are bound
	Help   string
}

// catalogue is written by the test that walks through all screens, so that it
// can't miss an action: go test ./ui -run TestCatalogue -update
//
//go:embed catalogue.tsv
var catalogue string

// Catalogue lists the actions of all screens, by screen.
func Catalogue() []Known {
	var out []Known
	for line := range strings.Lines(catalogue) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(f) == 4 {
			out = append(out, Known{f[0], f[1], strings.Fields(f[2]), f[3]})
		}
	}
	return out
}
