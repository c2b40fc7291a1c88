package prompt

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/input"
	"github.com/optlift/optlift/ui/theme"
)

// Prompt is one line being typed.
type Prompt struct {
	Mark string // what stands before it: "/" or ":"
	Err  string // what is wrong with the text just now
	// Complete returns what the text could become, best first; nil for none.
	Complete func(text string) []string

	input   input.Line
	history []string
	at      int // in history; len(history) is the line being typed
	cursor  int
}

// New returns a prompt holding text, with earlier lines to go back to.
func New(mark, text string, history []string) *Prompt {
	p := &Prompt{Mark: mark, history: history, at: len(history)}
	p.input.Set(text)
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
func (p *Prompt) Update(msg tea.Msg) Outcome {
	before := p.input.Value()
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			return Accepted
		case "esc":
			return Cancelled
		case "backspace":
			if before == "" {
				return Cancelled
			}
		case "tab":
			if p.Complete != nil {
				if c := p.Complete(before); len(c) == 1 {
					p.input.Set(c[0] + " ")
				} else if len(c) > 1 {
					p.input.Set(input.Common(c, before))
				}
			}
		case "up":
			p.recall(-1)
		case "down":
			p.recall(1)
		}
	}
	p.input.Update(msg)
	if p.input.Value() != before {
		return Changed
	}
	return Typing
}

func (p *Prompt) recall(by int) {
	to := p.at + by
	if to < 0 || to > len(p.history) {
		return
	}
	p.at = to
	if to == len(p.history) {
		p.input.Set("")
	} else {
		p.input.Set(p.history[to])
	}
}

// Cursor is the column of the cursor in what View drew last.
func (p *Prompt) Cursor() int { return p.cursor }

// View draws the prompt in one line of w columns.
func (p *Prompt) View(st *theme.Styles, w int) string {
	l := draw.NewLine(st, w, false).Put(theme.Accent, " "+p.Mark)
	p.cursor = l.Typed(p.input.Split())
	if p.Err != "" {
		l.Put(theme.Bad, "   "+p.Err)
	} else if p.Complete != nil {
		if c := p.Complete(p.Text()); len(c) > 0 {
			l.Put(theme.Dim, "    "+strings.Join(c, "  "))
		}
	}
	return l.String()
}
