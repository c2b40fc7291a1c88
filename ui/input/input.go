package input

import (
	"slices"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/sanitize"
)

// limit is how long a line may become, in characters: an ARN has room, a pasted
// file has not.
const limit = 2048

// Line is a line being typed. The zero value is empty.
type Line struct {
	text   []rune
	cursor int // before which character new ones go
}

// Value is the text.
func (l *Line) Value() string { return string(l.text) }

// Split is the text before and after the cursor.
func (l *Line) Split() (before, after string) {
	return string(l.text[:l.cursor]), string(l.text[l.cursor:])
}

// Set replaces the text, the cursor at its end.
func (l *Line) Set(text string) {
	l.text, l.cursor = nil, 0
	l.insert(text)
}

// Update takes a key or a paste and reports whether the text changed.
func (l *Line) Update(msg tea.Msg) bool {
	was := len(l.text)
	switch msg := msg.(type) {
	case tea.PasteMsg:
		l.insert(msg.Content)
	case tea.KeyPressMsg:
		if !l.edit(msg.String()) && msg.Text != "" && msg.Mod&^tea.ModShift == 0 {
			l.insert(msg.Text)
		}
	}
	return len(l.text) != was
}

// edit performs an editing key and reports whether it was one.
func (l *Line) edit(key string) bool {
	end := len(l.text)
	switch key {
	case "left", "ctrl+b":
		l.cursor = max(l.cursor-1, 0)
	case "right", "ctrl+f":
		l.cursor = min(l.cursor+1, end)
	case "home", "ctrl+a":
		l.cursor = 0
	case "end", "ctrl+e":
		l.cursor = end
	case "backspace", "ctrl+h":
		l.cut(max(l.cursor-1, 0), l.cursor)
	case "delete", "ctrl+d":
		l.cut(l.cursor, min(l.cursor+1, end))
	case "ctrl+u":
		l.cut(0, l.cursor)
	case "ctrl+k":
		l.cut(l.cursor, end)
	case "ctrl+w", "alt+backspace":
		l.cut(l.word(), l.cursor)
	default:
		return false
	}
	return true
}

// word is where the word before the cursor starts.
func (l *Line) word() int {
	i := l.cursor
	for i > 0 && unicode.IsSpace(l.text[i-1]) {
		i--
	}
	for i > 0 && !unicode.IsSpace(l.text[i-1]) {
		i--
	}
	return i
}

func (l *Line) cut(from, to int) {
	l.text = slices.Delete(l.text, from, to)
	l.cursor = from
}

// insert puts a text in at the cursor, as one line of what can be shown.
func (l *Line) insert(text string) {
	add := []rune(sanitize.Text(text))
	add = add[:min(len(add), limit-len(l.text))]
	l.text = slices.Insert(l.text, l.cursor, add...)
	l.cursor += len(add)
}
