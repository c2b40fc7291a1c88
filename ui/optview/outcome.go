package optview

import (
	"strconv"
	"strings"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/theme"
)

const whatIfHead = "WHAT IF"

// whatIfLines say what the layers tried would mean: size and count against what
// Lambda allows, conflicts, and what stands against it. While a layer is read they
// say what is being done.
func (s *Screen) whatIfLines(st *theme.Styles, w int) []string {
	t := &s.trial
	var out []string
	if t.outcome != nil {
		out = s.outcomeLines(st, w)
	}
	if t.reading != nil {
		step := "opening the account"
		if p := t.reading.step.Load(); p != nil {
			step = *p
		}
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, whatIfHead).Gap(2).Put(theme.Accent, "… ").Put(theme.Plain, step).String())
	}
	if t.failed.why != "" {
		for i, line := range draw.Para(st, w-14, 0, theme.Plain, s.brief(t.failed.why)) {
			if i == 6 {
				break
			}
			l := draw.NewLine(st, w, false).Gap(1)
			if i == 0 {
				l.Put(theme.Warn, whatIfHead).Gap(2).Put(theme.Bad, "✗ ")
			} else {
				l.Gap(len(whatIfHead) + 4)
			}
			out = append(out, l.String()+line)
		}
	}
	return out
}

func (s *Screen) outcomeLines(st *theme.Styles, w int) []string {
	o := s.trial.outcome
	size := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return draw.Bytes(*n)
	}
	l := draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, whatIfHead).Gap(2)
	if w >= 70 {
		l.Put(theme.Dim, size(o.Before.Unzipped)+" → ")
	}
	l.Put(theme.Strong, size(o.After.Unzipped))
	if o.After.Unzipped == nil {
		l.Put(theme.Warn, " a size is not known")
	} else {
		_, tone := draw.Fill(*o.After.Unzipped, o.Limit)
		l.Put(tone, " "+draw.Percent(*o.After.Unzipped, o.Limit)).Put(theme.Dim, " of "+draw.Bytes(o.Limit))
		if !*o.Fits {
			l.Put(theme.Bad, " too large")
		}
	}
	l.Put(theme.Dim, " · layers "+strconv.Itoa(len(o.Before.Layers))+" → ").Put(theme.Strong, strconv.Itoa(len(o.After.Layers)))
	l.Put(theme.Dim, " of "+strconv.Itoa(whatif.MaxLayers))
	if len(o.After.Layers) > whatif.MaxLayers {
		l.Put(theme.Bad, " too many")
	}
	out := []string{l.String(), s.changedLine(st, w)}
	against, mark, tone := o.Problems, "✗ ", theme.Bad
	if len(against) == 0 {
		against, mark, tone = o.Notes, "▲ ", theme.Warn
	}
	if len(against) > 0 {
		l := draw.NewLine(st, w, false).Gap(len(whatIfHead)+3).Put(tone, mark)
		if more := len(o.Problems) + len(o.Notes) - 1; more > 0 {
			l.Put(theme.Dim, "1 of "+strconv.Itoa(more+1)+": ")
		}
		out = append(out, l.Put(theme.Plain, s.brief(against[0])).String())
	}
	return out
}

// changedLine says what becomes of conflicts and paths, and which layers came,
// went or were replaced.
func (s *Screen) changedLine(st *theme.Styles, w int) string {
	t := &s.trial
	o := t.outcome
	l := draw.NewLine(st, w, false).Gap(len(whatIfHead) + 3)
	l.Put(theme.Dim, "conflicts "+strconv.Itoa(o.Before.Conflicts)+" → ").Put(theme.Strong, strconv.Itoa(o.After.Conflicts))
	if n := len(o.FixedConflicts); n > 0 {
		l.Put(theme.Good, " −"+strconv.Itoa(n))
	}
	if n := len(o.NewConflicts); n > 0 {
		l.Put(theme.Warn, " +"+strconv.Itoa(n))
	}
	l.Put(theme.Dim, " · "+draw.Plural(len(o.Changed), "path")+" changed")
	there := map[int]optfs.Layer{}
	layers := t.shown.Layers()
	for i, n := range t.shown.Numbers() {
		there[n] = layers[i]
	}
	for i, was := range s.real.merged.Layers {
		n := i + 1
		now, ok := there[n]
		switch {
		case !ok:
			l.Put(theme.Dim, " · without ").Put(theme.Layer(n), theme.Letter(n)).Put(theme.Dim, " "+weight(was))
		case now.Source != was.Source || now.Dir != was.Dir:
			l.Put(theme.Dim, " · ").Put(theme.Layer(n), theme.Letter(n)).Put(theme.Dim, " was "+inventory.ShortLayer(was.Source)+" "+weight(was))
		}
	}
	for _, n := range t.shown.Numbers() {
		if n > len(s.real.merged.Layers) {
			l.Put(theme.Dim, " · with ").Put(theme.Layer(n), theme.Letter(n)).Put(theme.Dim, " "+weight(there[n]))
		}
	}
	return l.String()
}

// brief shortens the layers' ARNs in a text to their names.
func (s *Screen) brief(text string) string {
	for _, l := range s.trial.stack.Layers() {
		text = strings.ReplaceAll(text, l.Source, inventory.ShortLayer(l.Source))
	}
	return text
}
