package draw

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/optlift/optlift/ui/theme"
)

// Bytes is a size for people, in powers of 1024: "812 B", "12.3 KiB", "233.1 MiB".
func Bytes(n int64) string {
	switch {
	case n < 0:
		return "?"
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KiB"
	case n < 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB"
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB"
}

// Exact is a size to the byte: "262,144,000".
func Exact(n int64) string { return humanize.Comma(n) }

// Percent is a share of a whole, never rounded up to 100 below it, nor down to 0
// above it.
func Percent(n, of int64) string {
	if of <= 0 {
		return "?"
	}
	p := float64(n) / float64(of) * 100
	switch {
	case p > 0 && p < 1:
		return "<1%"
	case p > 99 && p < 100:
		p = 99
	}
	return fmt.Sprintf("%.0f%%", p)
}

// Plural is "1 layer" or "3 layers".
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + one + "s"
}

// Fill is how a share of the unzipped limit is drawn, as a line and as a text:
// quiet below 80 %, a warning up to 95 %, then bad.
func Fill(n, of int64) (line, text theme.Tone) {
	switch {
	case of <= 0 || n*100 < of*80:
		return theme.Dim, theme.Plain
	case n*100 < of*95:
		return theme.Warn, theme.Warn
	}
	return theme.Bad, theme.Bad
}

const (
	full  = "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━"
	empty = "────────────────────────────────────────────────────────────────"
	glyph = len("━")
)

// Bar appends a bar of w columns filled to n of of. Anything above zero shows at
// least one column, and only the whole fills it.
func (l *Line) Bar(t theme.Tone, n, of int64, w int) *Line {
	w = min(w, l.Left(), len(full)/glyph)
	if w <= 0 {
		return l
	}
	on := 0
	if of > 0 && n > 0 {
		on = int(min(max(n, 0), of) * int64(w) / of)
		on = max(on, 1)
		if n < of {
			on = min(on, max(w-1, 1))
		}
	}
	return l.put(t, full[:on*glyph], on).put(theme.Track, empty[:(w-on)*glyph], w-on)
}

// Segment is one part of a stacked bar.
type Segment struct {
	Tone   theme.Tone
	Letter string // one column, repeated
	Size   int64
}

// Stack appends a bar of w columns in which every segment takes its share of
// of, drawn with its letter. A segment with a size is never invisible while
// there is room for all.
func (l *Line) Stack(segments []Segment, of int64, w int) *Line {
	w = min(w, l.Left())
	if w <= 0 || of <= 0 {
		return l
	}
	var sum, total int64
	for _, s := range segments {
		total += max(s.Size, 0)
	}
	if total > of {
		of = total
	}
	at := 0
	for i, s := range segments {
		if s.Size <= 0 {
			continue
		}
		sum += s.Size
		end := int(sum * int64(w) / of)
		end = min(max(end, at+1), w-min(len(segments)-1-i, w))
		if end > at {
			l.put(s.Tone, strings.Repeat(s.Letter, end-at), end-at)
			at = end
		}
	}
	if at < w {
		l.put(theme.Track, strings.Repeat("·", w-at), w-at)
	}
	return l
}
