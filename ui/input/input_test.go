package input

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"
)

func ctrl(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Mod: tea.ModCtrl} }

func TestEditing(t *testing.T) {
	left, home, end := tea.KeyPressMsg{Code: tea.KeyLeft}, tea.KeyPressMsg{Code: tea.KeyHome}, tea.KeyPressMsg{Code: tea.KeyEnd}
	back, del := tea.KeyPressMsg{Code: tea.KeyBackspace}, tea.KeyPressMsg{Code: tea.KeyDelete}
	letter := func(s string) tea.Msg { return tea.KeyPressMsg{Code: []rune(s)[0], Text: s} }
	for _, c := range []struct {
		name string
		keys []tea.Msg
		want string // with the cursor as a bar
	}{
		{"typing", []tea.Msg{letter("x"), letter("宽")}, "two wordsx宽|"},
		{"in the middle", []tea.Msg{left, left, letter("X")}, "two worX|ds"},
		{"backspace", []tea.Msg{back, left, back}, "two wo|d"},
		{"delete", []tea.Msg{home, del, del}, "|o words"},
		{"nothing to delete", []tea.Msg{end, del, home, back}, "|two words"},
		{"word", []tea.Msg{ctrl('w')}, "two |"},
		{"two words", []tea.Msg{ctrl('w'), ctrl('w')}, "|"},
		{"to the start", []tea.Msg{left, ctrl('u')}, "|s"},
		{"to the end", []tea.Msg{home, ctrl('k')}, "|"},
		{"a control key is no letter", []tea.Msg{ctrl('x'), tea.KeyPressMsg{Code: 'z', Mod: tea.ModAlt, Text: "z"}}, "two words|"},
		{"a capital", []tea.Msg{tea.KeyPressMsg{Code: 'a', Text: "A", Mod: tea.ModShift}}, "two wordsA|"},
		{"paste", []tea.Msg{tea.PasteMsg{Content: "a\nb\x1b[31mc"}}, "two wordsa bc|"},
	} {
		var l Line
		l.Set("two words")
		for _, k := range c.keys {
			l.Update(k)
		}
		a, b := l.Split()
		if got := a + "|" + b; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestUpdateTellsOfChanges(t *testing.T) {
	var l Line
	if l.Update(tea.KeyPressMsg{Code: tea.KeyBackspace}) || !l.Update(tea.PasteMsg{Content: "x"}) || l.Update(tea.KeyPressMsg{Code: tea.KeyLeft}) {
		t.Fatal("wrong about changes")
	}
}

func TestNeverTooLong(t *testing.T) {
	var l Line
	l.Update(tea.PasteMsg{Content: strings.Repeat("x", 3*limit)})
	l.Update(tea.PasteMsg{Content: "y"})
	if n := len(l.Value()); n != limit {
		t.Fatalf("%d characters", n)
	}
}

func TestAnyKeys(t *testing.T) {
	keys := []tea.Msg{ctrl('a'), ctrl('e'), ctrl('u'), ctrl('k'), ctrl('w'), ctrl('b'), ctrl('f'), ctrl('d'), ctrl('h'), tea.KeyPressMsg{Code: 'x', Text: "x "}}
	rapid.Check(t, func(t *rapid.T) {
		var l Line
		for _, k := range rapid.SliceOf(rapid.SampledFrom(keys)).Draw(t, "keys") {
			l.Update(k)
			if a, b := l.Split(); a+b != l.Value() {
				t.Fatalf("%q and %q are not %q", a, b, l.Value())
			}
		}
	})
}

func TestWideTextAndPasteInTheMiddle(t *testing.T) {
	var l Line
	l.Set("宽字é")
	l.Update(tea.KeyPressMsg{Code: tea.KeyLeft})
	l.Update(tea.PasteMsg{Content: "\x1b]52;c;ZXZpbA==\x07中\u202e\t"})
	if a, b := l.Split(); a != "宽字中 " || b != "é" {
		t.Fatalf("%q before the cursor and %q after it", a, b)
	}
	if l.Update(ctrl('v')); l.Value() != "宽字中 é" {
		t.Fatalf("a key brought %q", l.Value())
	}
}
