package preview

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/charmbracelet/x/ansi"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// wide is from how many columns two files are shown side by side.
const wide = 120

// diff is what sets two files apart.
type diff struct {
	old, now File
	// said is in place of lines where those can't be compared.
	said [][]span
	rows []diffRow // side by side
	flat []diffRow // one below the other; a row has one side, or both alike
}

// diffRow is a line of one or both files; a heading has neither.
type diffRow struct {
	head     string
	old, now *diffLine
}

type diffLine struct {
	number int
	text   string
	change bool
}

// compare loads two files and what sets the new one apart from the old one.
func compare(ctx context.Context, old, now File) (*content, error) {
	a, err := load(ctx, old, nil)
	if err != nil {
		return nil, err
	}
	b, err := load(ctx, now, nil)
	if err != nil {
		return nil, err
	}
	c := &content{file: now, diff: &diff{old: old, now: now}}
	switch {
	case bytes.Equal(a.data, b.data) && old.Size == now.Size:
		c.diff.said = [][]span{{{theme.Good, "= "}, {theme.Plain, "the same bytes, as far as they were read"}}}
		c.notes = b.notes
		return c, nil
	case a.text == nil || b.text == nil:
		c.diff.said = unlike(a, b)
		return c, nil
	}
	for i, side := range []*content{a, b} {
		for _, n := range side.notes {
			c.notes = append(c.notes, []string{"old: ", "new: "}[i]+n)
		}
	}
	was, is := string(a.data), string(b.data)
	edits := udiff.Lines(was, is)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u, err := udiff.ToUnifiedDiff("", "", was, edits, udiff.DefaultContextLines)
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", now.Path, err)
	}
	for _, h := range u.Hunks {
		c.diff.hunk(h)
	}
	return c, ctx.Err()
}

// hunk enters a run of lines: what was deleted stands beside what was inserted.
func (d *diff) hunk(h *udiff.Hunk) {
	head := diffRow{head: fmt.Sprintf("@@ line %d · line %d", h.FromLine, h.ToLine)}
	d.rows, d.flat = append(d.rows, head), append(d.flat, head)
	from, to := h.FromLine, h.ToLine
	var gone, come []*diffLine
	flush := func() {
		for i := range max(len(gone), len(come)) {
			var r diffRow
			if i < len(gone) {
				r.old = gone[i]
			}
			if i < len(come) {
				r.now = come[i]
			}
			d.rows = append(d.rows, r)
		}
		for _, l := range gone {
			d.flat = append(d.flat, diffRow{old: l})
		}
		for _, l := range come {
			d.flat = append(d.flat, diffRow{now: l})
		}
		gone, come = nil, nil
	}
	for _, l := range h.Lines {
		text := oneLine(l.Content)
		switch l.Kind {
		case udiff.Delete:
			gone = append(gone, &diffLine{from, text, true})
			from++
		case udiff.Insert:
			come = append(come, &diffLine{to, text, true})
			to++
		default:
			flush()
			r := diffRow{old: &diffLine{from, text, false}, now: &diffLine{to, text, false}}
			d.rows, d.flat = append(d.rows, r), append(d.flat, r)
			from++
			to++
		}
	}
	flush()
}

// scrolled is a text without its first columns.
func scrolled(text string, left int) string {
	if left == 0 {
		return text
	}
	return ansi.Cut(text, left, sanitize.Width(text))
}

// oneLine makes a line of a file fit to be shown; no more of it is kept than
// scrolling gets to.
func oneLine(text string) string {
	text, ended := strings.CutSuffix(text, "\n")
	if len(text) > 4*piece {
		text = strings.ToValidUTF8(text[:4*piece], "") + " …"
	}
	text = strings.Join(sanitize.Lines(text), " ")
	if !ended {
		text += " (no newline at the end)"
	}
	return text
}

// unlike says where two files part whose lines can't be compared.
func unlike(a, b *content) [][]span {
	at := 0
	for at < min(len(a.data), len(b.data)) && a.data[at] == b.data[at] {
		at++
	}
	first := "first difference at byte " + draw.Exact(int64(at))
	if at == limit {
		first = "no difference in the first " + draw.Bytes(limit)
	}
	out := [][]span{
		{{theme.Plain, "Not text: the bytes differ, lines can't be compared."}},
		{},
		{{theme.Bad, "- "}, {theme.Plain, fmt.Sprintf("%s  %s bytes%s", a.file.Label, draw.Exact(a.file.Size), a.file.role())}},
		{{theme.Good, "+ "}, {theme.Plain, fmt.Sprintf("%s  %s bytes%s", b.file.Label, draw.Exact(b.file.Size), b.file.role())}},
		{},
		{{theme.Dim, first}},
	}
	was := map[string]string{}
	for _, f := range a.facts {
		was[f.name] = f.value
	}
	fresh := true
	for _, f := range b.facts {
		if old := was[f.name]; f.name != "" && old != f.value {
			if fresh {
				out = append(out, nil)
				fresh = false
			}
			out = append(out, []span{{theme.Dim, f.name + "  "}, {theme.Plain, old}, {theme.Dim, " → "}, {theme.Plain, f.value}})
		}
	}
	return out
}

// view draws the rows from … to.
func (d *diff) view(st *theme.Styles, w, left int, window func(n int) (from, to int)) []string {
	line := func() *draw.Line { return draw.NewLine(st, w, false).Gap(1) }
	var out []string
	if d.said != nil {
		from, to := window(len(d.said))
		for _, spans := range d.said[from:to] {
			l := line()
			for _, s := range spans {
				l.Put(s.tone, s.text)
			}
			out = append(out, l.String())
		}
		return out
	}
	if w < wide {
		out = append(out, line().Put(theme.Bad, "- ").Put(theme.Plain, d.old.Label).Put(theme.Dim, d.old.role()+"   ").
			Put(theme.Good, "+ ").Put(theme.Plain, d.now.Label).Put(theme.Dim, d.now.role()).String())
		from, to := window(len(d.flat))
		for _, r := range d.flat[from:to] {
			out = append(out, r.flat(line(), left).String())
		}
		return out
	}
	half := (w - 4) / 2
	head := line()
	head.Append(draw.NewLine(st, half, false).Put(theme.Bad, "- ").Put(theme.Plain, d.old.Label).Put(theme.Dim, d.old.role()).Fill())
	head.Put(theme.Track, " │ ")
	head.Append(draw.NewLine(st, half, false).Put(theme.Good, "+ ").Put(theme.Plain, d.now.Label).Put(theme.Dim, d.now.role()))
	out = append(out, head.String())
	from, to := window(len(d.rows))
	for _, r := range d.rows[from:to] {
		if r.head != "" {
			out = append(out, line().Put(theme.Accent, r.head).String())
			continue
		}
		l := line()
		l.Append(r.old.side(st, half, left, "-", theme.Bad).Fill()).Put(theme.Track, " │ ")
		l.Append(r.now.side(st, half, left, "+", theme.Good))
		out = append(out, l.String())
	}
	return out
}

const gutter = 5 // of line numbers

// side draws a line of one file; nil is a line that the file has not.
func (x *diffLine) side(st *theme.Styles, w, left int, sign string, tone theme.Tone) *draw.Line {
	l := draw.NewLine(st, w, false)
	if x == nil {
		return l
	}
	l.Right(theme.Track, fmt.Sprint(x.number), gutter).Gap(1)
	if !x.change {
		return l.Gap(2).Put(theme.Plain, scrolled(x.text, left))
	}
	return l.Put(tone, sign+" ").Put(tone, scrolled(x.text, left))
}

// flat draws a row of a diff one below the other.
func (r diffRow) flat(l *draw.Line, left int) *draw.Line {
	switch {
	case r.head != "":
		return l.Put(theme.Accent, r.head)
	case r.now == nil:
		return l.Put(theme.Bad, "-"+scrolled(r.old.text, left))
	case r.now.change:
		return l.Put(theme.Good, "+"+scrolled(r.now.text, left))
	}
	return l.Put(theme.Plain, " "+scrolled(r.now.text, left))
}
