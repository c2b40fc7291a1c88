package help

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Command is a line of the palette.
type Command struct{ Line, Help string }

// Screen is the help for one screen.
type Screen struct {
	title    string
	tables   [][]keys.Action
	commands []Command
	pager    list.Pager
}

// New returns the help for a screen called title.
func New(title string, commands []Command, tables ...[]keys.Action) *Screen {
	return &Screen{title: title, commands: commands, tables: tables}
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "help" }

// Count implements screen.Counter.
func (s *Screen) Count() string { return s.pager.Hint() }

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action { return list.Actions() }

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	s.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (s *Screen) Close() {}

// grammar explains the filter, as aws/filter reads it.
var grammar = [][2]string{
	{"word", "the row contains it"},
	{"!term", "the term does not hold"},
	{"/regex/", "the row matches the regular expression"},
	{"~word", "the name has these letters in this order"},
	{"@name", "a filter of the configuration file; :filter lists them"},
	{"runtime:node", "the column contains it: name, runtime, arch, type, region, layer, ext, finding, handler, env, managed"},
	{"size>200MB", "also >= < <= =, for size, zip, percent, layers, extensions, findings, memory; MB are 1024×1024 bytes"},
	{"size:unknown", "the number is not known; size:none where there is none, as for images"},
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	const column = 22
	var out []string
	pair := func(left, right, note string) {
		l := draw.NewLine(st, w, false).Gap(2).Cell(theme.Accent, left, column).Put(theme.Plain, right)
		if note != "" {
			l.Put(theme.Dim, "  (not now: "+note+")")
		}
		out = append(out, l.String())
	}
	head := func(title string) {
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Head, strings.ToUpper(title)).String())
	}
	var groups []string
	rows := map[string][]keys.Action{}
	for _, table := range s.tables {
		for _, a := range table {
			if a.Help == "" {
				continue
			}
			if _, ok := rows[a.Group]; !ok {
				groups = append(groups, a.Group)
			}
			rows[a.Group] = append(rows[a.Group], a)
		}
	}
	for _, g := range groups {
		head(g)
		for _, a := range rows[g] {
			names := make([]string, len(a.Keys))
			for i, k := range a.Keys {
				names[i] = keys.Name(k)
			}
			pair(strings.Join(names, " "), a.Help, a.Disabled)
		}
	}
	head("Commands")
	for _, c := range s.commands {
		pair(":"+c.Line, c.Help, "")
	}
	head("Filter: terms with spaces between, all must hold")
	for _, g := range grammar {
		pair(g[0], g[1], "")
	}
	from, to := s.pager.Window(len(out), h)
	return out[from:to]
}
