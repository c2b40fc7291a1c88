package config

import (
	"fmt"
	"strings"

	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/theme"
)

// Template is a file in which every setting stands with what it means, all as
// comments: without its "#" a line is in force. A "# " with a space is prose.
func Template() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	d := Default()
	say("# The configuration of optlift. Take the # off a setting to change it.")
	say("# What is set here gives way to the environment (AWS_PROFILE, AWS_REGION,")
	say("# NO_COLOR), and that to the flags of the command line.")
	say("# optlift config check tells whether it is understood.")
	say("")
	say("# The profile and the regions to look at; regions can be [\"all\"].")
	say("#profile = \"prod\"")
	say("#regions = [\"eu-west-1\", \"us-east-1\"]")
	say("")
	say("# The colours:")
	for _, t := range theme.Themes() {
		say("#   %-10s %s", t.Name, t.Help)
	}
	say("#theme = %q", d.Theme)
	say("")
	say("# Whether the mouse selects, scrolls and sorts; without it the terminal's own")
	say("# selection of text works.")
	say("#mouse = %v", d.Mouse)
	say("")
	say("# The table of functions: which columns, in which order, and which one sorts")
	say("# (- for the largest first). The columns:")
	for _, c := range functions.ColumnHelp() {
		say("#   %-11s %s", c[0], c[1])
	}
	say("#[functions]")
	say("#columns = [%s]", quoted(d.Layout.Columns))
	say("#sort = %q", d.Layout.Sort)
	say("")
	say("# How wide columns are, in characters; the others fit themselves.")
	say("#[functions.widths]")
	say("#name = 40")
	say("")
	say("# Filters by name: :filter NAME or @NAME in a filter uses one, also in")
	say("# optlift audit --filter.")
	say("#[filters]")
	say("#big = \"size>200MB\"")
	say("#stale = \"runtime:nodejs18 !managed:CloudFormation\"")
	say("")
	say("# Keys for actions. An action has the same keys on every screen that has it. esc")
	say("# always goes back, ctrl+c always leaves, and no key may mean two things on a")
	say("# screen. The actions and their keys:")
	seen := map[string]bool{}
	for _, k := range keys.Catalogue() {
		if !seen[k.ID] {
			seen[k.ID] = true
			say("#   %-11s %-22s %s", k.ID, strings.Join(k.Keys, " "), k.Help)
		}
	}
	say("#[keys]")
	say("#refresh = [\"f5\"]")
	return b.String()
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
