package draw

import (
	"strings"

	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// Line is one line of a frame under construction.
type Line struct {
	st       *theme.Styles
	width    int
	used     int
	selected bool
	b        []byte
}

// NewLine starts a line of at most width columns. A selected one is filled to
// its full width.
func NewLine(st *theme.Styles, width int, selected bool) *Line {
	return &Line{st: st, width: max(width, 0), selected: selected, b: make([]byte, 0, 2*width+64)}
}

// Left is the number of columns still free.
func (l *Line) Left() int { return l.width - l.used }

// Used is the number of columns that are filled.
func (l *Line) Used() int { return l.used }

// Put appends a text, cut with "…" where the line ends.
func (l *Line) Put(t theme.Tone, text string) *Line {
	text, n := sanitize.Fit(text, l.Left())
	return l.put(t, text, n)
}

func (l *Line) put(t theme.Tone, text string, n int) *Line {
	if n > 0 {
		l.b = l.st.Append(l.b, t, l.selected, text)
		l.used += n
	}
	return l
}

// Gap appends n columns of space.
func (l *Line) Gap(n int) *Line {
	n = min(n, l.Left())
	if n <= 0 {
		return l
	}
	return l.put(theme.Plain, spaces(n), n)
}

// Fill appends space up to the line's end.
func (l *Line) Fill() *Line { return l.Gap(l.Left()) }

// Cell appends a text in exactly w columns, to the left.
func (l *Line) Cell(t theme.Tone, text string, w int) *Line {
	w = min(w, l.Left())
	text, n := sanitize.Fit(text, w)
	return l.put(t, text, n).Gap(w - n)
}

// Tail is Cell for a text whose end matters more than its start.
func (l *Line) Tail(t theme.Tone, text string, w int) *Line {
	w = min(w, l.Left())
	text, n := sanitize.FitLeft(text, w)
	return l.put(t, text, n).Gap(w - n)
}

// Right appends a text in exactly w columns, to the right.
func (l *Line) Right(t theme.Tone, text string, w int) *Line {
	w = min(w, l.Left())
	text, n := sanitize.Fit(text, w)
	return l.Gap(w-n).put(t, text, n)
}

// Flush appends a text at the line's right end, if there is room for all of it.
func (l *Line) Flush(t theme.Tone, text string) *Line {
	text = sanitize.Text(text)
	n := sanitize.Width(text)
	if n > l.Left() {
		return l
	}
	return l.Gap(l.Left()-n).put(t, text, n)
}

// Typed appends a text that is being typed and returns the column of the cursor,
// which stands between before and after. What is before it scrolls to keep the
// cursor in sight.
func (l *Line) Typed(before, after string) (cursor int) {
	text, n := sanitize.FitLeft(before, max(l.Left()-2, 0))
	l.put(theme.Strong, text, n)
	cursor = l.used
	l.Put(theme.Strong, after)
	return cursor
}

// Append appends another line under construction.
func (l *Line) Append(o *Line) *Line {
	if o.used <= l.Left() {
		l.b = append(l.b, o.b...)
		l.used += o.used
	}
	return l
}

// String ends the line.
func (l *Line) String() string {
	if l.selected {
		l.Gap(l.Left())
	}
	return string(l.b)
}

var blank = strings.Repeat(" ", 256)

func spaces(n int) string {
	if n <= len(blank) {
		return blank[:n]
	}
	return strings.Repeat(" ", n)
}

// Text makes a whole line of one tone.
func Text(st *theme.Styles, width int, t theme.Tone, text string) string {
	return NewLine(st, width, false).Put(t, text).String()
}

// Para wraps a text into lines of one tone, each indented by indent columns.
func Para(st *theme.Styles, width, indent int, t theme.Tone, text string) []string {
	var out []string
	for _, part := range sanitize.Wrap(text, width-indent) {
		out = append(out, NewLine(st, width, false).Gap(indent).Put(t, part).String())
	}
	return out
}
