package prompt

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// Prompt is one line being typed.
type Prompt struct {
	Mark string // what stands before it: "/" or ":"
	Err  string // what is wrong with the text just now
	// Complete returns what the text could become, best first; nil for none.
	Complete func(text string) []string

	input   textinput.Model
	history []string
	at      int // in history; len(history) is the line being typed
}

// New returns a prompt holding text, with earlier lines to go back to.
func New(mark, text string, history []string) *Prompt {
	p := &Prompt{Mark: mark, input: textinput.New(), history: history, at: len(history)}
	p.input.CharLimit = 512
	p.input.SetVirtualCursor(false)
	_ = p.input.Focus()
	p.input.SetValue(text)
	p.input.CursorEnd()
	return p
}

// Text is what has been typed.
func (p *Prompt) Text() string { return p.input.Value() }

// Outcome is what a message did to the prompt.
type Outcome uint8

// The outcomes.
const (
	Typing Outcome = iota
	Changed
	Accepted
	Cancelled
)

// Update takes a key or a paste.
func (p *Prompt) Update(msg tea.Msg) (Outcome, tea.Cmd) {
	before := p.input.Value()
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			return Accepted, nil
		case "esc":
			return Cancelled, nil
		case "backspace":
			if before == "" {
				return Cancelled, nil
			}
		case "tab":
			if p.Complete != nil {
				if c := p.Complete(before); len(c) > 0 {
					p.set(common(c, before))
				}
			}
			return p.changed(before), nil
		case "up":
			p.recall(-1)
			return p.changed(before), nil
		case "down":
			p.recall(1)
			return p.changed(before), nil
		}
	}
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return p.changed(before), cmd
}

func (p *Prompt) changed(before string) Outcome {
	if p.input.Value() != before {
		return Changed
	}
	return Typing
}

func (p *Prompt) set(text string) {
	p.input.SetValue(text)
	p.input.CursorEnd()
}

func (p *Prompt) recall(by int) {
	to := p.at + by
	if to < 0 || to > len(p.history) {
		return
	}
	p.at = to
	if to == len(p.history) {
		p.set("")
	} else {
		p.set(p.history[to])
	}
}

// common is the longest start all completions share; the only one, or the first
// where text is that start already, is completed whole.
func common(c []string, text string) string {
	if len(c) == 1 {
		return c[0] + " "
	}
	start := c[0]
	for _, s := range c[1:] {
		for !strings.HasPrefix(s, start) {
			start = start[:len(start)-1]
		}
	}
	if len(start) <= len(text) {
		return c[0]
	}
	return start
}

// View draws the prompt in one line of w columns.
func (p *Prompt) View(st *theme.Styles, w int) string {
	l := draw.NewLine(st, w, false).Put(theme.Accent, " "+p.Mark)
	value := []rune(p.input.Value())
	pos := min(p.input.Position(), len(value))
	head, tail := string(value[:pos]), string(value[pos:])
	// The text scrolls to keep what is before the cursor in sight.
	head, n := sanitize.FitLeft(head, max(l.Left()-2, 0))
	l.Put(theme.Strong, head).Put(theme.Accent, "▏").Put(theme.Strong, tail)
	_ = n
	if p.Err != "" {
		l.Put(theme.Bad, "   "+p.Err)
	} else if p.Complete != nil {
		if c := p.Complete(p.Text()); len(c) > 0 {
			l.Put(theme.Dim, "   "+strings.Join(c, "  "))
		}
	}
	return l.String()
}
