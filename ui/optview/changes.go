package optview

import (
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// changes lists what other layers would mean.
type changes struct {
	rows  []change
	pager list.Pager
}

// change is a line: a heading where shape is "".
type change struct {
	tone        theme.Tone
	shape, text string
}

func newChanges(o *whatif.Outcome) *changes {
	c := &changes{}
	section := func(title string, tone theme.Tone, shape string, paths []string) {
		if len(paths) == 0 {
			return
		}
		if len(c.rows) > 0 {
			c.rows = append(c.rows, change{})
		}
		c.rows = append(c.rows, change{tone: theme.Head, text: title})
		for _, p := range paths {
			c.rows = append(c.rows, change{tone, shape, p})
		}
	}
	section("LAMBDA WOULD REFUSE IT", theme.Bad, "✗", o.Problems)
	section("NEW CONFLICTS", theme.Warn, "▲", o.NewConflicts)
	section("CONFLICTS FIXED", theme.Good, "✓", o.FixedConflicts)
	by := map[difference.Change][]string{}
	for _, f := range o.Changed {
		by[f.Change] = append(by[f.Change], f.Path)
	}
	section("OTHER CONTENT IS USED", theme.Accent, "~", by[difference.Changed])
	section("GONE", theme.Bad, "-", by[difference.Removed])
	section("NEW", theme.Good, "+", by[difference.Added])
	return c
}

// Crumb implements screen.Screen.
func (c *changes) Crumb() string { return "what changes" }

// Count implements screen.Counter.
func (c *changes) Count() string { return c.pager.Hint() }

// Actions implements screen.Screen.
func (c *changes) Actions() []keys.Action { return list.Actions() }

// Do implements screen.Screen.
func (c *changes) Do(id string) screen.Effect {
	c.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (c *changes) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (c *changes) Close() {}

// View implements screen.Screen.
func (c *changes) View(st *theme.Styles, w, h int) []string {
	if len(c.rows) == 0 {
		return append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, "Nothing would change.")...)
	}
	from, to := c.pager.Window(len(c.rows), h)
	out := make([]string, 0, to-from)
	for _, r := range c.rows[from:to] {
		l := draw.NewLine(st, w, false).Gap(1)
		if r.shape == "" {
			l.Put(r.tone, r.text)
		} else {
			l.Cell(r.tone, r.shape, 2).Tail(theme.Plain, r.text, w-4)
		}
		out = append(out, l.String())
	}
	return out
}
