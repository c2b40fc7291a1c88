package sanitize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// plain reports whether s is printable ASCII, which needs no treatment and is
// as wide as it is long.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Text returns s as one line without escape sequences, control characters,
// bidirectional overrides and other invisible format characters. Tabs and line
// ends become a space, bytes that are not UTF-8 become U+FFFD.
func Text(s string) string {
	if plain(s) {
		return s
	}
	// Line ends go first: a sequence that is left open may swallow its own line
	// but not the next one.
	if strings.ContainsAny(s, "\n\r") {
		lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
		for i, line := range lines {
			lines[i] = Text(line)
		}
		return strings.Join(lines, " ")
	}
	if strings.ContainsRune(s, 0x1b) || strings.IndexFunc(s, isC1) >= 0 {
		s = ansi.Strip(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch {
		case r == '\t', unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			b.WriteByte(' ')
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n <= 1 {
				b.WriteRune(utf8.RuneError)
			} else {
				b.WriteRune(r)
			}
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isC1(r rune) bool { return r >= 0x80 && r <= 0x9f }

// Lines splits a text into lines fit to be shown, tabs expanded to the next
// multiple of four columns.
func Lines(s string) []string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = Text(Tabs(line))
	}
	return lines
}

// Tabs replaces tabs by spaces up to the next multiple of four columns.
func Tabs(line string) string {
	if !strings.Contains(line, "\t") {
		return line
	}
	var b strings.Builder
	col := 0
	for _, part := range strings.SplitAfter(line, "\t") {
		text := strings.TrimSuffix(part, "\t")
		b.WriteString(text)
		col += ansi.StringWidth(text)
		if len(text) != len(part) {
			n := 4 - col%4
			b.WriteString("    "[:n])
			col += n
		}
	}
	return b.String()
}

// Width is the number of terminal columns of a text that has passed Text.
func Width(s string) int {
	if plain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Fit returns s made fit to be shown in at most w columns, its end replaced by
// "…" where it is longer, and the columns it takes.
func Fit(s string, w int) (string, int) {
	if w <= 0 {
		return "", 0
	}
	s = Text(s)
	n := Width(s)
	if n <= w {
		return s, n
	}
	s = ansi.Truncate(s, w, "…")
	return s, ansi.StringWidth(s)
}

// FitLeft is Fit that keeps the end, for paths and ARNs.
func FitLeft(s string, w int) (string, int) {
	if w <= 0 {
		return "", 0
	}
	s = Text(s)
	n := Width(s)
	if n <= w {
		return s, n
	}
	s = "…" + ansi.Cut(s, n-w+1, n)
	if m := ansi.StringWidth(s); m <= w {
		return s, m
	}
	// A wide character straddled the cut.
	s = ansi.Truncate(s, w, "")
	return s, ansi.StringWidth(s)
}

// stiff stands for hyphens while a text is wrapped: names and ARNs are not to be
// broken at them.
const stiff = "\u2011"

// Wrap breaks a text made fit to be shown into lines of at most w columns, at
// spaces where it can.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var out []string
	for _, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		wrapped := ansi.Wrap(strings.ReplaceAll(Text(line), "-", stiff), w, "")
		for _, part := range strings.Split(strings.ReplaceAll(wrapped, stiff, "-"), "\n") {
			// A single character wider than w cannot be broken.
			part, _ = Fit(strings.TrimRight(part, " "), w)
			out = append(out, part)
		}
	}
	return out
}
