package ui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// trimmed drops the spaces at the ends of lines, which a diff can't show.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// fits fails unless the frame is as high as the screen at most and no line is wider.
func fits(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *model) {
	t.Helper()
	view := m.View()
	frame := view.Content
	if c := view.Cursor; c != nil && (c.X < 0 || c.X >= m.w || c.Y < 0 || c.Y >= m.h) {
		t.Fatalf("the cursor is at %d,%d on a screen of %dx%d", c.X, c.Y, m.w, m.h)
	}
	lines := strings.Split(frame, "\n")
	if len(lines) > m.h {
		t.Fatalf("%d lines on a screen of %dx%d:\n%s", len(lines), m.w, m.h, ansi.Strip(frame))
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > m.w {
			t.Fatalf("line %d is %d columns wide on a screen of %dx%d:\n%s", i+1, n, m.w, m.h, ansi.Strip(l))
		}
	}
}

// inks gives every style of a scene a letter, in the order of appearance, so that
// a frame's colours can be written down in few characters without losing any.
type inks struct {
	letters map[string]byte
	styles  []string // SGR parameters, as in ESC [ … m
}

const inkLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (k *inks) letter(t *testing.T, style string) byte {
	if style == "" {
		return '.'
	}
	if l, ok := k.letters[style]; ok {
		return l
	}
	if len(k.styles) == len(inkLetters) {
		t.Fatalf("more than %d styles in one scene", len(inkLetters))
	}
	l := inkLetters[len(k.styles)]
	if k.letters == nil {
		k.letters = map[string]byte{}
	}
	k.letters[style] = l
	k.styles = append(k.styles, style)
	return l
}

// spans writes down where a frame's styles begin and end: "a3 .2 b10" is three
// columns of a, two without style, ten of b. Equal lines are counted.
func (k *inks) spans(t *testing.T, frame string) string {
	t.Helper()
	var out []string
	last, again := "", 0
	flush := func() {
		if again > 1 {
			out = append(out, fmt.Sprintf("%s ×%d", last, again))
		} else if again == 1 {
			out = append(out, last)
		}
	}
	for line := range strings.SplitSeq(frame, "\n") {
		s := k.line(t, line)
		if s == last && again > 0 {
			again++
			continue
		}
		flush()
		last, again = s, 1
	}
	flush()
	return strings.Join(out, "\n") + "\n"
}

func (k *inks) line(t *testing.T, line string) string {
	t.Helper()
	var runs []string
	style, letter, n := "", byte('.'), 0
	end := func() {
		if n > 0 {
			runs = append(runs, fmt.Sprintf("%c%d", letter, n))
		}
		n = 0
	}
	for line != "" {
		if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
			params, after, ok := strings.Cut(rest, "m")
			if !ok || strings.Trim(params, "0123456789;:") != "" {
				t.Fatalf("an escape sequence that is no colour: %q", line[:min(len(line), 30)])
			}
			line = after
			switch {
			case params == "" || params == "0":
				style = ""
			case style == "":
				style = params
			default:
				style += ";" + params
			}
			continue
		}
		text := line
		if i := strings.IndexByte(line, 0x1b); i >= 0 {
			text = line[:i]
		}
		line = line[len(text):]
		if l := k.letter(t, style); l != letter {
			end()
			letter = l
		}
		n += ansi.StringWidth(text)
	}
	if letter != '.' {
		end()
	}
	return strings.Join(runs, " ")
}
