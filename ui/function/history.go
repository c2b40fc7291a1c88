package function

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/theme"
)

// history tells the published versions, the newest first, and the aliases, where
// they were asked for.
func (p *page) history(h *account.History) {
	if h == nil {
		return
	}
	switch {
	case h.VersionsState != account.OK:
		p.head("VERSIONS", "? "+string(h.VersionsState)+": "+h.VersionsMessage)
	case len(h.Versions) == 0:
		p.head("VERSIONS", "none published")
	default:
		p.head("VERSIONS", strconv.Itoa(len(h.Versions)))
	}
	for _, v := range slices.Backward(h.Versions) {
		l := p.line().Gap(1).Right(theme.Strong, v.Version, 5).Gap(2).Cell(theme.Plain, v.Runtime, 15).Gap(1).
			Right(theme.Dim, draw.Bytes(v.CodeSize)+" zip", 15).Gap(2).Cell(theme.Dim, day(v.LastModified), 11).Put(theme.Dim, v.Description)
		p.put(l)
	}
	switch {
	case h.AliasesState != account.OK:
		p.head("ALIASES", "? "+string(h.AliasesState)+": "+h.AliasesMessage)
	case len(h.Aliases) == 0:
		p.head("ALIASES", "none")
	default:
		p.head("ALIASES", strconv.Itoa(len(h.Aliases)))
	}
	for _, a := range h.Aliases {
		l := p.line().Gap(1).Put(theme.Strong, a.Name).Put(theme.Plain, " → "+a.Version)
		for _, v := range slices.Sorted(maps.Keys(a.Weights)) {
			l.Put(theme.Accent, fmt.Sprintf("  %g%% → %s", a.Weights[v]*100, v))
		}
		p.put(l.Put(theme.Dim, "  "+a.Description))
	}
}

// day is the date of a time that a report tells.
func day(stamp string) string { return stamp[:min(len(stamp), 10)] }
