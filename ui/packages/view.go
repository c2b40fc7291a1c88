package packages

import (
	"cmp"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/ui/draw"
	uiinventory "github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	switch {
	case s.failed != nil && s.found == nil:
		return s.failed.View(st, w, "The packages could not be listed.", s.Key("again"))
	case s.found == nil:
		return s.transfers.View(st, w, h, "Downloading the archives of "+s.name+": most of their files are looked at.")
	}
	out := s.legend(st, w)
	s.above = len(out)
	say := func(text string) []string { return append(append(out, ""), draw.Para(st, w-1, 2, theme.Dim, text)...) }
	detail := s.detail(st, w)
	switch {
	case len(s.found.rows) == 0:
		out = say("No packages: no file tells of one, neither for Python, Node, Java, Ruby, .NET nor Go.")
	case len(s.sheet.Rows()) == 0:
		out = say("Nothing matches " + s.Filter() + ". esc shows all packages again.")
	default:
		out = append(out, s.sheet.View(st, w, h-len(out)-len(detail)-1, nil)...)
	}
	for len(out) < h-len(detail) {
		out = append(out, "")
	}
	return append(out, detail...)
}

// legend names the archives, by number, letter and colour as under /opt.
func (s *Screen) legend(st *theme.Styles, w int) []string {
	var out []string
	l := draw.NewLine(st, w, false).Gap(1)
	fresh := true
	add := func(block theme.Tone, letter, name string) {
		if need := 5 + sanitize.Width(name) + 3; need > l.Left() && !fresh {
			out = append(out, l.String())
			l = draw.NewLine(st, w, false).Gap(1)
		}
		fresh = false
		l.Put(block, " "+letter+" ").Put(theme.Plain, " "+name).Gap(3)
	}
	for i, name := range s.found.layers {
		if i == 9 {
			add(theme.Dim, "…", draw.Plural(len(s.found.layers)-i, "layer")+" more")
			break
		}
		letter, _ := place(i + 1)
		add(theme.Block(i+1), letter, uiinventory.ShortLayer(name))
	}
	if s.found.code {
		add(theme.CodeBlock, "c", "code")
	}
	return append(append(out, l.String()), "")
}

// detail is where the selected package lies, and which other versions there are;
// and what could not be read.
func (s *Screen) detail(st *theme.Styles, w int) []string {
	line := func() *draw.Line { return draw.NewLine(st, w, false).Gap(1) }
	var out []string
	if r, ok := s.sheet.Selected(); ok {
		out = append(out, line().Tail(theme.Dim, r.Path, w-2).String())
		l := line().Put(theme.Dim, cmp.Or(r.PURL, "no package URL: not all that it needs is known"))
		if r.versions > 1 {
			l = line().Put(theme.Warn, "▲ "+draw.Plural(r.versions, "version")+"  ")
			if !r.divided {
				l = line().Put(theme.Dim, draw.Plural(r.versions, "version")+"  ")
			}
			for i, c := range r.copies {
				if i > 0 {
					l.Put(theme.Dim, ", ")
				}
				where, tone := place(c.Layer)
				l.Put(theme.Plain, cmp.Or(c.Version, "unknown")+" ").Put(tone, where)
			}
		}
		out = append(out, l.String())
	}
	return append(out, s.unread(line)...)
}

// unread names the files that should tell of packages and do not, in two lines.
func (s *Screen) unread(line func() *draw.Line) (out []string) {
	all := s.found.Unread
	show := func(u inventory.Unread) {
		where, tone := place(u.Layer)
		out = append(out, line().Put(theme.Warn, "▲ ").Put(tone, where+" ").Put(theme.Plain, u.Path).Put(theme.Warn, " is not understood: ").Put(theme.Plain, u.Reason).String())
	}
	switch {
	case len(all) > 2:
		show(all[0])
		out = append(out, line().Put(theme.Warn, "▲ and "+draw.Plural(len(all)-1, "file")+" more that should tell of packages").String())
	default:
		for _, u := range all {
			show(u)
		}
	}
	return out
}
