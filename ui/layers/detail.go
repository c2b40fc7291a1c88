package layers

import (
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// newest is the cell of the newest version: a newer one, that this is it, or why
// neither is known.
func newest(l *inventory.Layer) table.Cell {
	return func(line *draw.Line, w int) {
		text, tone := newestText(l)
		if text == notAllowed && w < len(notAllowed) {
			text = "denied"
		}
		line.Cell(tone, text, w)
	}
}

const notAllowed = "not allowed to look"

func newestText(l *inventory.Layer) (string, theme.Tone) {
	switch behind, known := l.Behind(); {
	case l.Report == nil:
		return "?", theme.Dim
	case known && behind > 0:
		return "▲ " + strconv.FormatInt(*l.Report.Newest, 10), theme.Warn
	case known:
		return "this", theme.Dim
	case l.Report.NewestState == account.Denied:
		return notAllowed, theme.Dim
	case l.Report.NewestState == account.Deleted:
		return "none left", theme.Warn
	}
	return "?", theme.Warn
}

// undeclared is the cell of how many functions run it on what it does not declare.
func undeclared(l *inventory.Layer) table.Cell {
	switch {
	case l.Report == nil || l.Report.DeclaredRuntimes == nil:
		return table.Text(theme.Dim, "?", true)
	case len(l.Report.Undeclared) == 0:
		return table.Text(theme.Dim, "-", true)
	}
	return table.Text(theme.Warn, "▲"+strconv.Itoa(len(l.Report.Undeclared)), true)
}

// same is the cell of how many other layer versions hold the same.
func same(l *inventory.Layer) table.Cell {
	switch {
	case l.Report == nil || l.State() != account.OK:
		return table.Text(theme.Dim, "?", true)
	case len(l.Report.SameContent) == 0:
		return table.Text(theme.Dim, "-", true)
	}
	return table.Text(theme.Accent, strconv.Itoa(len(l.Report.SameContent)), true)
}

// detailLines is how many lines the selected layer version gets in a screen h
// lines high.
func detailLines(h int) int {
	if h < 14 {
		return 1
	}
	return 4
}

// detail says why the selected layer version can't be read, or its full name; and,
// in more lines, what it declares against what runs it, and what else is it.
func (s *Screen) detail(st *theme.Styles, w, lines int) []string {
	l := s.selected()
	if l == nil {
		return nil
	}
	out := make([]string, 0, lines)
	line := draw.NewLine(st, w, false).Gap(1)
	if l.Facts != nil && l.State() != account.OK && l.Facts.Message != "" {
		out = append(out, line.Put(theme.Warn, string(l.State())+": ").Put(theme.Plain, l.Facts.Message).String())
	} else {
		out = append(out, line.Put(theme.Dim, l.ARN).String())
	}
	if lines == 1 || l.Report == nil {
		return out
	}
	field := func(name, value string) *draw.Line {
		return draw.NewLine(st, w, false).Gap(1).Cell(theme.Dim, name, 10).Put(theme.Plain, value)
	}
	declares := "? " + string(l.State())
	if l.Report.DeclaredRuntimes != nil {
		declares = words(l.Report.DeclaredRuntimes, "any runtime") + " · " + words(l.Report.DeclaredArchitectures, "any architecture")
	}
	used := field("used on", words(l.Report.UsedRuntimes, "none")+" · "+words(l.Report.UsedArchitectures, "none"))
	if n := len(l.Report.Undeclared); n > 0 {
		used.Put(theme.Warn, "  ▲ "+draw.Plural(n, "function")+" on what it does not declare")
	}
	out = append(out, field("declares", declares).String(), used.String())
	return append(out, field("also", strings.Join(also(l), " · ")).String())
}

// also is what is known of the layer version besides: newer ones, the same content
// under another name, its publisher.
func also(l *inventory.Layer) (out []string) {
	switch text, _ := newestText(l); {
	case l.Report.NewestMessage != "":
		out = append(out, l.Report.NewestMessage)
	case strings.HasPrefix(text, "▲"):
		out = append(out, "version "+strconv.FormatInt(*l.Report.Newest, 10)+" is the newest")
	}
	if behind, known := l.Behind(); known && behind == 0 {
		out = append(out, "this is the newest version")
	}
	for _, x := range l.Report.SameContent {
		out = append(out, "same "+x.Same+" as "+inventory.ShortLayer(x.ARN))
	}
	if p := l.Publisher(); p.Name != "" {
		out = append(out, "by "+p.Name)
		if p.Image != "" {
			out = append(out, "published as "+p.Image)
		}
	}
	if len(out) == 0 {
		out = append(out, "nothing else is known of it")
	}
	return out
}

func words(in []string, none string) string {
	if len(in) == 0 {
		return none
	}
	return strings.Join(in, ", ")
}
