package changes

import (
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Screen is that list.
type Screen struct {
	outcome *whatif.Outcome
	command string
	width   int // that rows are made for
	rows    []change
	pager   list.Pager
}

// New returns the list of an outcome. command prints the same without a screen.
func New(o *whatif.Outcome, command string) *Screen { return &Screen{outcome: o, command: command} }

// change is a line: a heading where shape is "", more of the line above where it
// is a space.
type change struct {
	tone        theme.Tone
	shape, text string
}

// lines are the rows in w columns: sentences are wrapped, paths are not.
func (c *Screen) lines(w int) []change {
	if c.width == w {
		return c.rows
	}
	c.width, c.rows = w, nil
	o := c.outcome
	add := func(title string, tone theme.Tone, shape string, texts []string, wrap bool) {
		if len(texts) == 0 {
			return
		}
		if len(c.rows) > 0 {
			c.rows = append(c.rows, change{})
		}
		c.rows = append(c.rows, change{tone: theme.Head, text: title})
		for _, text := range texts {
			if !wrap {
				c.rows = append(c.rows, change{tone, shape, text})
				continue
			}
			for i, line := range sanitize.Wrap(sanitize.Text(text), w-4) {
				if i == 0 {
					c.rows = append(c.rows, change{tone, shape, line})
				} else {
					c.rows = append(c.rows, change{tone, " ", line})
				}
			}
		}
	}
	section := func(title string, tone theme.Tone, shape string, paths []string) {
		add(title, tone, shape, paths, false)
	}
	add("WHAT IT COMES TO", theme.Dim, "·", sums(o), true)
	add("LAMBDA WOULD REFUSE IT", theme.Bad, "✗", refused(o), true)
	add("WORTH KNOWING", theme.Warn, "▲", o.Notes, true)
	section("NEW CONFLICTS", theme.Warn, "▲", o.NewConflicts)
	section("CONFLICTS FIXED", theme.Good, "✓", o.FixedConflicts)
	by := map[difference.Change][]string{}
	for _, f := range o.Changed {
		by[f.Change] = append(by[f.Change], f.Path)
	}
	section("OTHER CONTENT IS USED", theme.Accent, "~", by[difference.Changed])
	section("GONE", theme.Bad, "-", by[difference.Removed])
	section("NEW", theme.Good, "+", by[difference.Added])
	return c.rows
}

// sums are the figures before and after, exact.
func sums(o *whatif.Outcome) []string {
	size := func(n *int64) string {
		if n == nil {
			return "unknown"
		}
		return draw.Exact(*n)
	}
	return []string{
		"unzipped " + size(o.Before.Unzipped) + " → " + size(o.After.Unzipped) + " bytes; must be smaller than " + draw.Exact(o.Limit),
		"layers " + strconv.Itoa(len(o.Before.Layers)) + " → " + strconv.Itoa(len(o.After.Layers)) + " of " + strconv.Itoa(whatif.MaxLayers) + " at most",
		"conflicts " + strconv.Itoa(o.Before.Conflicts) + " → " + strconv.Itoa(o.After.Conflicts) + ": " + strconv.Itoa(len(o.NewConflicts)) + " new, " + strconv.Itoa(len(o.FixedConflicts)) + " fixed",
		"shadowed " + draw.Exact(o.Before.ShadowedBytes) + " → " + draw.Exact(o.After.ShadowedBytes) + " bytes",
	}
}

// refused are the problems, a size that does not fit first.
func refused(o *whatif.Outcome) []string {
	if o.Fits != nil && !*o.Fits {
		return append([]string{"unzipped it is " + draw.Exact(*o.After.Unzipped-o.Limit+1) + " bytes too large"}, o.Problems...)
	}
	return o.Problems
}

// Crumb implements screen.Screen.
func (c *Screen) Crumb() string { return "what changes" }

// Count implements screen.Counter.
func (c *Screen) Count() string { return c.pager.Hint() }

// Actions implements screen.Screen.
func (c *Screen) Actions() []keys.Action {
	return append([]keys.Action{{ID: "copy", Keys: []string{"y"}, Label: "copy", Group: "What changes", Help: "copy the command that prints the same"}}, list.Actions()...)
}

// Do implements screen.Screen.
func (c *Screen) Do(id string) screen.Effect {
	if id == "copy" {
		return screen.Effect{Copy: c.command}
	}
	c.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (c *Screen) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen.
func (c *Screen) Close() {}

// View implements screen.Screen.
func (c *Screen) View(st *theme.Styles, w, h int) []string {
	rows := c.lines(w)
	from, to := c.pager.Window(len(rows), h)
	out := make([]string, 0, to-from)
	for _, r := range rows[from:to] {
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
