package input

import (
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/sanitize"
)

// limit is how long a line may become, in characters: an ARN has room, a pasted
// file has not.
const limit = 2048

// Line is a line being typed. The zero value is empty.
type Line struct {
	model *textinput.Model // nil until it is used
}

func (l *Line) input() *textinput.Model {
	if l.model == nil {
		m := textinput.New()
		m.CharLimit = limit
		m.SetVirtualCursor(false)        // no blinking: nothing is to be drawn while nobody types
		m.KeyMap.Paste.SetEnabled(false) // it would start a program; terminals paste by themselves
		m.Focus()
		l.model = &m
	}
	return l.model
}

// Value is the text.
func (l *Line) Value() string { return l.input().Value() }

// Split is the text before and after the cursor.
func (l *Line) Split() (before, after string) {
	text, at := []rune(l.Value()), l.input().Position()
	return string(text[:at]), string(text[at:])
}

// Set replaces the text, the cursor at its end.
func (l *Line) Set(text string) {
	l.input().SetValue(sanitize.Text(text))
	l.input().CursorEnd()
}

// Update takes a key or a paste and reports whether the text changed.
func (l *Line) Update(msg tea.Msg) bool {
	was := l.Value()
	switch m := msg.(type) {
	case tea.PasteMsg:
		m.Content = sanitize.Text(m.Content)
		msg = m
	case tea.KeyPressMsg:
		if m.Mod&^tea.ModShift != 0 {
			m.Text = "" // a key of command, not a letter
		} else {
			m.Text = sanitize.Text(m.Text)
		}
		msg = m
	}
	next, _ := l.input().Update(msg)
	l.model = &next
	return l.Value() != was
}

// Common is what a text is completed to: the longest start of all that it could
// become, or the first of them where that start is no longer than the text.
// candidates is not empty.
func Common(candidates []string, text string) string {
	start := candidates[0]
	for _, s := range candidates[1:] {
		for !strings.HasPrefix(s, start) {
			_, n := utf8.DecodeLastRuneInString(start)
			start = start[:len(start)-n]
		}
	}
	if len(start) <= len(text) {
		return candidates[0]
	}
	return start
}
