package functions

import (
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	var out []string
	for _, e := range s.inv.Errors() {
		if len(s.inv.Rows()) == 0 || len(out) >= 3 {
			break
		}
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "! ").
			Put(theme.Plain, unlisted(e)+": "+e.Message).String())
	}
	if s.away != nil {
		return s.absent(st, w)
	}
	if len(s.rows) == 0 {
		return append(out, s.empty(st, w)...)
	}
	s.above = len(out)
	room := h - len(out)
	below := 0
	switch {
	case room >= 12:
		below = 3
	case room >= 6:
		below = 2
	}
	out = append(out, s.table.View(st, w, room-below, s.cell, s.mark)...)
	for len(out) < h-below+min(below, 1) {
		out = append(out, "")
	}
	if below > 0 {
		out = append(out, s.detail(st, w))
	}
	if below > 2 {
		out = append(out, s.legend(st, w))
	}
	return out
}

// unlisted says what is missing among the rows.
func unlisted(e account.RegionError) string {
	if e.Region == "" {
		return inventory.Whose(e) + " could not be opened"
	}
	return inventory.Whose(e) + " could not be listed to its end"
}

func (s *Screen) cell(row, col int) table.Cell {
	return s.shown[col].cell(s, s.rows[row])
}

func (s *Screen) mark(row int) string {
	if s.marked[s.rows[row].ARN] {
		return "●"
	}
	return ""
}

// Click implements screen.Clickable: a row is selected, a title sorts.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	if len(s.rows) == 0 {
		return screen.Effect{}, false
	}
	row, col := s.table.At(x, y-s.above)
	switch {
	case row >= 0 && row == s.table.Cursor():
		return s.Do("open"), true
	case row >= 0:
		s.table.Select(row, s.rows[row].ARN)
	case col >= 0:
		c := s.shown[col]
		if id, desc := s.sorting(); id == c.ID {
			s.sortBy(id, !desc)
		} else {
			s.sortBy(c.ID, c.Number)
		}
		s.sync()
	default:
		return screen.Effect{}, false
	}
	return screen.Effect{}, true
}

// detail says in one line what the selected row's columns can't.
func (s *Screen) detail(st *theme.Styles, w int) string {
	r := s.Selected()
	l := draw.NewLine(st, w, false).Gap(1)
	if r == nil {
		return l.String()
	}
	switch why := r.Why(); {
	case why != "":
		l.Put(theme.Warn, "? ").Put(theme.Strong, r.Name).Put(theme.Dim, "  size unknown: ").Put(theme.Plain, why)
	case r.Facts != nil && len(r.Facts.Findings) > 0:
		f := r.Facts.Findings[0]
		shape, tone := mark.Severity(f.Severity)
		l.Put(tone, shape+" ").Put(theme.Strong, r.Name).Put(theme.Plain, "  "+f.Message)
	default:
		l.Put(theme.Strong, r.Name)
		if r.Description != "" {
			l.Put(theme.Dim, "  "+r.Description)
		} else {
			l.Put(theme.Dim, "  "+r.ARN)
		}
	}
	return l.String()
}

// legend says what the letters of the selected row's bar stand for.
func (s *Screen) legend(st *theme.Styles, w int) string {
	r := s.Selected()
	l := draw.NewLine(st, w, false).Gap(1)
	if r == nil || r.Facts == nil || r.PackageType == "Image" {
		return l.String()
	}
	part := func(tone theme.Tone, letter, name string, a account.Archive) {
		l.Put(tone, letter).Put(theme.Plain, " "+name+" ")
		if a.State == account.OK {
			l.Put(theme.Dim, draw.Bytes(a.Unzipped))
		} else {
			text, tone := mark.State(a.State)
			l.Put(tone, text)
		}
		l.Gap(3)
	}
	part(theme.Code, "c", "code", r.Facts.Code)
	for i, f := range r.Facts.LayerFacts {
		part(theme.Layer(i+1), theme.Letter(i+1), inventory.ShortLayer(f.ARN), f.Archive)
	}
	if n, known := r.Unzipped(); known && n <= account.UnzippedLimit {
		l.Put(theme.Dim, "· "+draw.Bytes(account.UnzippedLimit-n)+" free")
	}
	return l.String()
}

func (s *Screen) empty(st *theme.Styles, w int) []string {
	out := []string{""}
	say := func(t theme.Tone, text string) { out = append(out, draw.Para(st, w-1, 2, t, text)...) }
	regions := strings.Join(s.account.Regions, ", ")
	switch {
	case len(s.inv.Rows()) > 0:
		say(theme.Strong, "Nothing matches "+s.filter.String())
		say(theme.Dim, "esc shows all functions again. "+s.Key("help")+" explains what the filter understands.")
	case s.inv.Running() && len(s.inv.Errors()) == 0:
		say(theme.Strong, "Listing the functions of "+regions+" …")
		say(theme.Dim, "Rows appear as soon as the first page is here.")
	case len(s.inv.Errors()) > 0:
		say(theme.Bad, "The functions could not be listed.")
		for _, e := range s.inv.Errors() {
			out = append(out, "")
			say(theme.Strong, inventory.Whose(e))
			say(theme.Plain, e.Message)
		}
		out = append(out, "")
		say(theme.Dim, s.Key("refresh")+" tries again. "+s.Key("log")+" shows everything that went wrong in this session.")
	default:
		say(theme.Strong, "No functions in "+regions+".")
		say(theme.Dim, "Other regions are chosen at the start: optlift --region eu-west-1,us-east-1 or --region all.")
	}
	return out
}
