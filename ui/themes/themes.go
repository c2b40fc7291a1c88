package themes

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Screen is the list of themes.
type Screen struct {
	list list.List
	all  []theme.Theme
	was  string // in force when the screen was opened
	kept bool
	set  func(name string)
}

// New returns the screen; set puts a theme in force, now is the one that is.
func New(now string, set func(name string)) *Screen {
	s := &Screen{all: theme.Themes(), was: now, set: set}
	s.list.Sync(len(s.all), s.name)
	if i := slices.IndexFunc(s.all, func(t theme.Theme) bool { return t.Name == now }); i >= 0 {
		s.list.Select(i, now)
	}
	return s
}

func (s *Screen) name(i int) string { return s.all[i].Name }

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return "themes" }

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	return append([]keys.Action{
		{ID: "use", Keys: []string{"enter"}, Label: "use", Group: "Theme", Help: "keep this theme until the program ends"},
		{ID: "copy", Keys: []string{"y"}, Label: "copy for config.toml", Group: "Theme", Help: "copy the line that keeps it in the configuration file"},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if s.list.Do(id) {
		s.set(s.name(s.list.Cursor()))
		return screen.Effect{}
	}
	now := s.name(s.list.Cursor())
	switch id {
	case "use":
		s.kept = true
		return screen.Effect{Back: true, Level: screen.Good, Note: "theme " + now}
	case "copy":
		return screen.Effect{Copy: "theme = \"" + now + "\""}
	}
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(tea.Msg) screen.Effect { return screen.Effect{} }

// Close implements screen.Screen. A theme that was only looked at goes again.
func (s *Screen) Close() {
	if !s.kept {
		s.set(s.was)
	}
}

// Click implements screen.Clickable.
func (s *Screen) Click(_, y int) (screen.Effect, bool) {
	row := s.list.At(y)
	if row < 0 {
		return screen.Effect{}, false
	}
	if row == s.list.Cursor() {
		return s.Do("use"), true
	}
	s.list.Select(row, s.name(row))
	s.set(s.name(row))
	return screen.Effect{}, true
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	const below = 7
	var out []string
	from, to := s.list.Window(max(min(len(s.all), h-below), 1))
	for i := from; i < to; i++ {
		t := s.all[i]
		selected := i == s.list.Cursor()
		l := draw.NewLine(st, w, selected)
		l.Cell(theme.Accent, map[bool]string{true: "▌", false: " "}[selected], 2).Cell(theme.Strong, t.Name, 12).Put(theme.Dim, t.Help)
		out = append(out, l.String())
	}
	line := func() *draw.Line { return draw.NewLine(st, w, false).Gap(2) }
	samples := []*draw.Line{
		line(),
		line().Put(theme.Plain, "plain  ").Put(theme.Dim, "quiet  ").Put(theme.Strong, "strong  ").Put(theme.Accent, "accent  ").
			Put(theme.Good, "✓ good  ").Put(theme.Warn, "▲ warning  ").Put(theme.Bad, "✗ bad"),
		line().Put(theme.ReadOnly, " READ-ONLY ").Gap(2).Put(theme.Armed, " ▲ ARMED "),
		s.bar(line(), w),
		line().Put(theme.Keyword, "func ").Put(theme.Name, "main").Put(theme.Plain, "() { n := ").Put(theme.Number, "42").
			Put(theme.Plain, "; say(").Put(theme.String, `"text"`).Put(theme.Plain, ") } ").Put(theme.Comment, "// source"),
	}
	for _, l := range samples {
		out = append(out, l.String())
	}
	out = append(out, draw.NewLine(st, w, true).Gap(2).Put(theme.Plain, "selected  ").Put(theme.Dim, "quiet  ").Put(theme.Good, "✓ good  ").
		Put(theme.Warn, "▲ warning  ").Put(theme.Bad, "✗ bad").String())
	return out
}

// bar is a size bar as the table has it.
func (s *Screen) bar(l *draw.Line, w int) *draw.Line {
	segments := []draw.Segment{{Tone: theme.CodeBlock, Letter: "c", Size: 2}}
	for n := range 6 {
		segments = append(segments, draw.Segment{Tone: theme.Block(n + 1), Letter: theme.Letter(n + 1), Size: 2})
	}
	return l.Stack(segments, 18, min(w-4, 54))
}
