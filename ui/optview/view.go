package optview

import (
	"fmt"
	"strings"

	"github.com/optlift/optlift/build/lookup"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
	"github.com/optlift/optlift/ui/tree"
)

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	say := func(t theme.Tone, text string) []string { return draw.Para(st, w-1, 2, t, text) }
	switch {
	case s.failed != "" && s.now == nil:
		out := append([]string{""}, say(theme.Bad, "The archives could not be opened.")...)
		out = append(out, say(theme.Plain, s.failed)...)
		return append(out, say(theme.Dim, s.Key("again")+" tries again.")...)
	case s.now == nil:
		return append([]string{""}, say(theme.Dim, "Reading the directories of the archives …")...)
	}
	out := s.legend(st, w)
	if s.now.tree.Len() == 0 {
		return append(append(out, ""), s.empty(say)...)
	}
	room := h - len(out) - 3
	out = append(out, s.header(st, w))
	s.above = len(out)
	from, to := s.now.tree.Window(room)
	for i := from; i < to; i++ {
		out = append(out, s.row(st, w, i))
	}
	for len(out) < h-1 {
		out = append(out, "")
	}
	return append(out, s.detail(st, w))
}

func (s *Screen) empty(say func(theme.Tone, string) []string) []string {
	t := s.now.tree
	switch {
	case s.now == s.opt && len(s.now.merged.Layers) == 0:
		out := say(theme.Strong, "No layers: nothing lies under /opt.")
		if s.trial.outcome != nil {
			return append(out, say(theme.Dim, s.Key("undo")+" takes the last change back, "+s.Key("as-is")+" all of them.")...)
		}
		if s.task != nil {
			out = append(out, say(theme.Dim, s.Key("root")+" shows the code under /var/task.")...)
		}
		return append(out, say(theme.Dim, s.Key("add")+" tries a layer: what if there were one?")...)
	case t.Filter() != "":
		return say(theme.Dim, "Nothing matches "+t.Filter()+". esc shows everything again.")
	case t.Only().Paths != nil:
		return say(theme.Dim, "There are no extensions here. "+s.Key("extensions")+" shows everything again.")
	case t.Only().Shadowed:
		return say(theme.Dim, "No path of one layer shadows another's. "+s.Key("shadowed")+" shows everything again.")
	case t.Only().Layer != "":
		return say(theme.Dim, "This layer has no files. "+s.Key("layer-0")+" shows all layers again.")
	}
	if s.now == s.opt && s.missing() != "" {
		return say(theme.Dim, "Nothing of it can be seen. "+s.Key("replace")+" tries another layer in its place, "+s.Key("root")+" shows the code under /var/task.")
	}
	return say(theme.Dim, "The archives are empty.")
}

// legend names the layers: letter, colour, what they weigh, what of them is seen.
func (s *Screen) legend(st *theme.Styles, w int) []string {
	if s.now == s.task {
		return []string{draw.NewLine(st, w, false).Gap(1).Put(theme.CodeBlock, " c ").Put(theme.Plain, " code").
			Put(theme.Dim, "  "+draw.Bytes(s.now.merged.Size)).String(), ""}
	}
	if len(s.now.stats) == 0 {
		if lines := s.whatIfLines(st, w); len(lines) > 0 {
			return append(lines, "")
		}
		return nil
	}
	var out []string
	l := draw.NewLine(st, w, false).Gap(1)
	fresh := true
	for _, x := range s.now.stats {
		source := inventory.ShortLayer(x.Source)
		if i := strings.LastIndexByte(source, '/'); i >= 0 {
			source = source[i+1:]
		}
		size := draw.Bytes(x.Unzipped)
		tone := theme.Dim
		if !x.Known {
			size, tone = "? "+s.why(x.Source), theme.Warn
		}
		need := 4 + 1 + sanitize.Width(source) + 2 + len(size) + 3
		if need > l.Left() && !fresh {
			out = append(out, l.String())
			if len(out) == 3 {
				break
			}
			l = draw.NewLine(st, w, false).Gap(1)
		}
		fresh = false
		n := s.now.number(x.Layer)
		mark := " "
		if n == s.trial.pick {
			mark = "▸"
		}
		l.Put(theme.Block(n), mark+name(n)+" ").Put(theme.Plain, " "+source).Put(tone, "  "+size).Gap(3)
	}
	if len(out) < 3 {
		if t := s.now.merged; t.ShadowedBytes > 0 {
			l.Put(theme.Dim, draw.Bytes(t.ShadowedBytes)+" shadowed")
		}
		out = append(out, l.String())
	}
	if text := s.missing(); text != "" {
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "▲ ").Put(theme.Plain, text).String())
	}
	return append(append(out, s.whatIfLines(st, w)...), "")
}

// why is why a layer can't be read, in a word or two.
func (s *Screen) why(source string) string {
	for i := range s.set.Layers {
		if l := &s.set.Layers[i]; l.Name == source && l.Missing != nil {
			return string(l.State)
		}
	}
	return "can't be read"
}

// missing says what of /opt is not seen, "" for nothing.
func (s *Screen) missing() string {
	for i, x := range s.now.stats {
		if !x.Known {
			return name(s.now.number(i+1)) + " is " + s.why(x.Source) + ": this is only a part of what lies under /opt"
		}
	}
	return ""
}

const (
	widthLayer  = 3
	widthShadow = 7
	widthFound  = 5
	widthSize   = 10
	widthMode   = 4
)

func (s *Screen) header(st *theme.Styles, w int) string {
	l := draw.NewLine(st, w, false).Gap(3).Cell(theme.Head, "L", widthLayer).Gap(1).Cell(theme.Head, "SHADOWS", widthShadow)
	if len(s.now.hidden) > 0 {
		l.Gap(1).Cell(theme.Head, "FOUND", widthFound)
	}
	l.Gap(1).Right(theme.Head, "SIZE", widthSize).Gap(2).Cell(theme.Head, "MODE", widthMode).Gap(2).Put(theme.Head, s.now.path)
	var only []string
	t := s.now.tree
	if t.Flat() {
		only = append(only, "biggest files")
	}
	if t.Only().Shadowed {
		only = append(only, "shadowed only")
	}
	if t.Only().Paths != nil {
		only = append(only, "extensions only")
	}
	if letter := t.Only().Layer; letter != "" {
		only = append(only, "layer "+letter+" only")
	}
	if len(only) > 0 {
		l.Put(theme.Accent, "  "+strings.Join(only, ", "))
	}
	return l.String()
}

func (s *Screen) row(st *theme.Styles, w, i int) string {
	t := s.now.tree
	n := t.At(i)
	e := n.Entry
	selected := i == t.Cursor()
	l := draw.NewLine(st, w, selected)
	m := " "
	if selected {
		m = "▌"
	}
	l.Cell(theme.Accent, m, 1)
	switch itself, within := s.isMarked(n); {
	case itself:
		l.Put(theme.Accent, "●")
	case within:
		l.Put(theme.Accent, "∙")
	default:
		l.Gap(1)
	}
	l.Gap(1)
	if n.Dir() {
		l.Gap(widthLayer).Gap(1)
		inside(l, n.Differ, n.Same)
		s.found(l, n)
		l.Gap(1).Right(theme.Dim, draw.Bytes(n.Size), widthSize)
	} else {
		label, tone := name(s.now.number(e.Winner)), theme.Layer(s.now.number(e.Winner))
		if s.now == s.task {
			label, tone = "c", theme.Code
		}
		l.Cell(tone, label, widthLayer).Gap(1)
		s.shadows(l, e)
		s.found(l, n)
		l.Gap(1).Right(theme.Plain, draw.Bytes(e.Size), widthSize)
	}
	l.Gap(2).Cell(theme.Dim, fmt.Sprintf("%04o", e.Mode.Perm()), widthMode).Gap(2)
	title := n.Name
	if t.Flat() {
		title = e.Path
	} else {
		l.Gap(2 * min(n.Depth, 20))
	}
	switch e.Kind {
	case zipdir.Dir:
		arrow := "▸ "
		if t.Open(i) {
			arrow = "▾ "
		}
		l.Put(theme.Dim, arrow).Put(theme.Accent, n.Name+"/")
		if n.Files > 0 {
			l.Put(theme.Dim, "  "+draw.Plural(n.Files, "file"))
		}
	case zipdir.Symlink:
		l.Put(theme.Plain, "  "+title).Put(theme.Dim, " → "+e.Target)
	default:
		if t.Flat() {
			l.Tail(theme.Plain, title, l.Left()-1)
		} else {
			l.Put(theme.Plain, "  "+title)
		}
	}
	return l.String()
}

// shadows says whose copies are hidden, and whether they are the same: "▲ A"
// differs, "= A" is identical.
func (s *Screen) shadows(l *draw.Line, e *optfs.Entry) {
	if len(e.Shadows) == 0 {
		l.Gap(widthShadow)
		return
	}
	shape, tone := "= ", theme.Dim
	if e.Conflict() {
		shape, tone = "▲ ", theme.Warn
	}
	room := l.Left() - widthShadow
	l.Put(tone, shape)
	for i, sh := range e.Shadows {
		if i == widthShadow-3 {
			l.Put(theme.Dim, "…")
			break
		}
		l.Put(theme.Layer(s.now.number(sh.Layer)), theme.Letter(s.now.number(sh.Layer)))
	}
	l.Gap(l.Left() - room)
}

// found says that the runtime finds something else instead: "◂ c" the code's,
// "◂ B" another layer's; of the code, "▸opt" that it is found instead of a layer's.
func (s *Screen) found(l *draw.Line, n *tree.Node) {
	if len(s.now.hidden) == 0 {
		return
	}
	l.Gap(1)
	h, ok := s.instead(n)
	switch {
	case !ok:
		l.Gap(widthFound)
	case s.now == s.task:
		l.Cell(theme.Dim, "▸ opt", widthFound)
	default:
		label, tone := s.finder(h)
		room := l.Left() - widthFound
		l.Put(theme.Warn, "◂ ").Put(tone, label)
		l.Gap(l.Left() - room)
	}
}

// finder is whose copy is found: the code's, or a layer's.
func (s *Screen) finder(h lookup.Hidden) (string, theme.Tone) {
	p, ok := strings.CutPrefix(h.By, s.opt.path+"/")
	if !ok {
		return "c", theme.Code
	}
	e, ok := s.opt.merged.Lookup(p)
	if !ok {
		return "?", theme.Dim
	}
	n := s.opt.number(e.Winner)
	return theme.Letter(n), theme.Layer(n)
}

// inside counts what is shadowed below a directory.
func inside(l *draw.Line, differ, same int) {
	switch {
	case differ > 0:
		l.Cell(theme.Warn, fmt.Sprintf("▲%d", differ), widthShadow)
	case same > 0:
		l.Cell(theme.Dim, fmt.Sprintf("=%d", same), widthShadow)
	default:
		l.Gap(widthShadow)
	}
}

// detail says in one line what happens at the selected path.
func (s *Screen) detail(st *theme.Styles, w int) string {
	l := draw.NewLine(st, w, false).Gap(1)
	if s.extract != nil {
		return s.extract.line(l, w)
	}
	n := s.now.tree.Selected()
	if n == nil {
		return l.String()
	}
	e := n.Entry
	if h, ok := s.instead(n); ok {
		l.Put(theme.Warn, "◂ ")
		if s.now == s.task {
			return l.Put(theme.Plain, "found first").Put(theme.Dim, ", not ").Tail(theme.Plain, h.Path, l.Left()-1).String()
		}
		l.Put(theme.Plain, "not found").Put(theme.Dim, " by "+s.set.Function.Runtime+", which looks at ")
		return l.Tail(theme.Plain, h.By, min(sanitize.Width(h.By), l.Left()-7)).Put(theme.Dim, " first").String()
	}
	if n.Dir() || len(e.Shadows) == 0 {
		return l.Tail(theme.Dim, s.now.path+"/"+e.Path, w-2).String()
	}
	l.Put(theme.Layer(s.now.number(e.Winner)), name(s.now.number(e.Winner))).Put(theme.Plain, " is used, over ")
	for i, sh := range e.Shadows {
		if i > 0 {
			l.Put(theme.Plain, ", ")
		}
		l.Put(theme.Layer(s.now.number(sh.Layer)), theme.Letter(s.now.number(sh.Layer)))
		if sh.Identical {
			l.Put(theme.Dim, " the same")
		} else {
			l.Put(theme.Warn, " different").Put(theme.Dim, " "+draw.Bytes(sh.Zip.Size))
		}
	}
	l.Put(theme.Dim, "   ")
	return l.Tail(theme.Dim, s.now.path+"/"+e.Path, l.Left()-1).String()
}
