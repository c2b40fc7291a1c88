package layerdiff

import (
	"fmt"
	"strings"

	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/theme"
)

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	switch {
	case s.failed != nil && s.found == nil:
		return s.failed.View(st, w, "The two could not be compared.", s.Key("again"))
	case s.found == nil:
		return s.transfers.View(st, w, h, "Downloading "+s.titles[0]+" and "+s.titles[1]+", to compare them byte by byte.")
	case s.report().Equal:
		return s.equal(st, w)
	}
	out := s.heading(st, w)
	s.above = len(out)
	detail := s.detail(st, w)
	room := h - len(out) - len(detail) - 1
	switch {
	case s.byPackages && s.packages.Len() == 0:
		return append(append(out, ""), s.noPackages(st, w)...)
	case s.Filter() != "" && s.shown() == 0:
		return append(append(out, ""), draw.Para(st, w-1, 2, theme.Dim, "Nothing matches "+s.Filter()+". esc shows everything again.")...)
	case s.byPackages:
		out = append(out, s.packages.View(st, w, room, nil)...)
	default:
		out = append(out, s.files.View(st, w, room, nil)...)
	}
	for len(out) < h-len(detail) {
		out = append(out, "")
	}
	return append(out, detail...)
}

func (s *Screen) shown() int {
	if s.byPackages {
		return len(s.packages.Rows())
	}
	return len(s.files.Rows())
}

// heading names the two, and what differs in all.
func (s *Screen) heading(st *theme.Styles, w int) []string {
	r := s.report()
	l := draw.NewLine(st, w, false).Gap(1).
		Put(theme.Bad, "- ").Put(theme.Plain, s.titles[0]).Put(theme.Dim, "  "+draw.Bytes(r.Old.Size)+"   ").
		Put(theme.Good, "+ ").Put(theme.Plain, s.titles[1]).Put(theme.Dim, "  "+draw.Bytes(r.New.Size)+"   ").
		Put(theme.Strong, more(r.New.Size-r.Old.Size))
	files, packages := counts{}, counts{}
	for i := range r.Files {
		files[r.Files[i].Change]++
	}
	for i := range r.Packages {
		packages[r.Packages[i].Change]++
	}
	tones := [2]theme.Tone{theme.Accent, theme.Dim}
	if s.byPackages {
		tones[0], tones[1] = tones[1], tones[0]
	}
	m := draw.NewLine(st, w, false).Gap(1).
		Put(tones[0], "paths: "+files.String()).Gap(3).
		Put(tones[1], "packages: "+packages.String())
	return []string{l.String(), m.String(), ""}
}

// equal says that there is nothing to see.
func (s *Screen) equal(st *theme.Styles, w int) []string {
	say := func(t theme.Tone, text string) []string { return draw.Para(st, w-1, 2, t, text) }
	r := s.report()
	out := append([]string{""}, say(theme.Good, "= No difference.")...)
	old := s.found.sides[0]
	paths := 0
	if old.Opt != nil {
		paths += len(old.Opt.Entries)
	}
	if old.Task != nil {
		paths += len(old.Task.Entries)
	}
	if paths == 0 {
		return append(out, say(theme.Plain, s.titles[0]+" and "+s.titles[1]+" are both empty: neither holds a file.")...)
	}
	out = append(out, say(theme.Plain, fmt.Sprintf("%s and %s unpack to the same %s, %s: types, modes, links and every byte.",
		s.titles[0], s.titles[1], draw.Plural(paths, "path"), draw.Bytes(r.New.Size)))...)
	a, b := s.found.sets[0], s.found.sets[1]
	if len(a.Layers) == 1 && len(b.Layers) == 1 && a.Code == nil && b.Code == nil && a.Layers[0].SHA256 != "" {
		if a.Layers[0].SHA256 == b.Layers[0].SHA256 {
			return append(out, say(theme.Dim, "Their zips are the same bytes, too.")...)
		}
		return append(out, say(theme.Dim, "Their zips are not the same bytes: they were packed anew, or in another order.")...)
	}
	return out
}

func (s *Screen) noPackages(st *theme.Styles, w int) []string {
	text := "The packages are the same. " + s.Key("turn") + " shows the files."
	return append(draw.Para(st, w-1, 2, theme.Dim, text), s.unread(st, w, 4)...)
}

// detail says what changed at the selected path, or which files that should tell
// of packages could not be understood.
func (s *Screen) detail(st *theme.Styles, w int) []string {
	if s.byPackages {
		if s.packages.Len() == 0 {
			return nil
		}
		return s.unread(st, w, 2)
	}
	r, ok := s.files.Selected()
	if !ok {
		return nil
	}
	l := draw.NewLine(st, w, false).Gap(1).Put(tone(r.Change), sign(r.Change)+" "+string(r.Change)).Gap(2)
	if text := r.detail(); text != "" {
		l.Put(theme.Plain, text).Gap(2)
	}
	return []string{l.Tail(theme.Dim, r.path(), max(l.Left()-1, 0)).String()}
}

// detail says from what to what.
func (r *fileRow) detail() string {
	if r.Change != difference.Changed {
		return ""
	}
	var out []string
	for _, what := range r.What {
		switch what {
		case "type":
			out = append(out, r.Old.Type+" → "+r.New.Type)
		case "mode":
			out = append(out, r.Old.Mode+" → "+r.New.Mode)
		case "size":
			out = append(out, draw.Exact(r.Old.Size)+" → "+draw.Exact(r.New.Size)+" bytes")
		case "target":
			out = append(out, "→ "+r.Old.Target+", now → "+r.New.Target)
		case "content":
			if r.Old.Size == r.New.Size {
				out = append(out, "other bytes, the same size")
			}
		}
	}
	return strings.Join(out, " · ")
}

// unread tells of the files that should tell of packages and do not, in a few lines.
func (s *Screen) unread(st *theme.Styles, w, most int) (out []string) {
	r := s.report()
	var all []inventory.Unread
	all = append(append(all, r.Old.Unread...), r.New.Unread...)
	for i, u := range all {
		if i == most-1 && len(all) > most {
			return append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "▲ and "+draw.Plural(len(all)-i, "file")+" more that should tell of packages").String())
		}
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "▲ "+u.Path).Put(theme.Plain, " is not understood: "+u.Reason).String())
	}
	return out
}
