package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
)

// notAsked stands for what is read on demand only.
const notAsked = "not asked"

// versions counts a function's published versions.
func versions() Column {
	value := func(f *account.FunctionReport) string { return Versions(f.History) }
	return Column{ID: "versions", Title: "VERSIONS", Field: "versions", value: value, cell: value}
}

// aliasNames tells a function's aliases, each with the version it stands for.
func aliasNames() Column {
	value := func(f *account.FunctionReport) string { return Aliases(f.History) }
	return Column{ID: "aliases", Title: "ALIASES", Field: "aliases", value: value, cell: func(f *account.FunctionReport) string { return cmp.Or(value(f), "-") }}
}

// Versions is how many versions a history has, or why that is not known; nil is
// one that nobody asked for.
func Versions(h *account.History) string {
	switch {
	case h == nil:
		return notAsked
	case h.VersionsState != account.OK:
		return string(h.VersionsState)
	}
	return strconv.Itoa(len(h.Versions))
}

// Aliases names the aliases of a history, each with the version it stands for, or
// says why they are not known; nil is a history that nobody asked for.
func Aliases(h *account.History) string {
	switch {
	case h == nil:
		return notAsked
	case h.AliasesState != account.OK:
		return string(h.AliasesState)
	}
	var out []string
	for _, a := range h.Aliases {
		text := a.Name + "=" + a.Version
		for _, v := range slices.Sorted(maps.Keys(a.Weights)) {
			text += fmt.Sprintf("+%s@%g%%", v, a.Weights[v]*100)
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
