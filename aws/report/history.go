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
	value := func(f *account.FunctionReport) string {
		switch {
		case f.History == nil:
			return notAsked
		case f.History.VersionsState != account.OK:
			return string(f.History.VersionsState)
		}
		return strconv.Itoa(len(f.History.Versions))
	}
	return Column{ID: "versions", Title: "VERSIONS", Field: "versions", value: value, cell: value}
}

// aliasNames tells a function's aliases, each with the version it stands for.
func aliasNames() Column {
	value := func(f *account.FunctionReport) string {
		switch {
		case f.History == nil:
			return notAsked
		case f.History.AliasesState != account.OK:
			return string(f.History.AliasesState)
		}
		var out []string
		for _, a := range f.History.Aliases {
			text := a.Name + "=" + a.Version
			for _, v := range slices.Sorted(maps.Keys(a.Weights)) {
				text += fmt.Sprintf("+%s@%g%%", v, a.Weights[v]*100)
			}
			out = append(out, text)
		}
		return strings.Join(out, " ")
	}
	return Column{ID: "aliases", Title: "ALIASES", Field: "aliases", value: value, cell: func(f *account.FunctionReport) string { return cmp.Or(value(f), "-") }}
}
