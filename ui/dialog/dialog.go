package dialog

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/input"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/theme"
)

// Choice is one answer.
type Choice struct {
	Keys   []string
	Label  string
	Answer string // "" dismisses
}

// Dialog is one question.
type Dialog struct {
	Title string
	Tone  theme.Tone
	Body  []string // paragraphs
	// Want is the word that must be typed; What says what it is. Without it the
	// answer is one of Choices.
	Want    string
	What    string
	Choices []Choice
	// Complete returns what an Entry's text could become, best first; nil for none.
	Complete func(text string) []string

	entry bool // any text is an answer
	input input.Line
	wrong bool
	// cursor is where the next letter goes, in the box as drawn last.
	cursor struct {
		x, y  int
		shown bool
	}
}

// Entry returns a dialog whose answer is any text but an empty one. what says
// what is typed, start is there to begin with.
func Entry(title, what, start string, body ...string) *Dialog {
	d := &Dialog{Title: title, Tone: theme.Accent, Body: body, What: what, entry: true}
	d.input.Set(start)
	return d
}

// typed reports whether the answer is typed.
func (d *Dialog) typed() bool { return d.entry || d.Want != "" }

// Text is what has been typed so far.
func (d *Dialog) Text() string { return d.input.Value() }

// Action is what a key did to a dialog.
type Action struct {
	Closed  bool
	Answer  string // "" when it was dismissed
	Changed bool   // what is typed is another text now
}

// Takes reports whether a key is one of the choices.
func (d *Dialog) Takes(key string) bool {
	return slices.ContainsFunc(d.Choices, func(c Choice) bool { return slices.Contains(c.Keys, key) })
}

// Update takes a key or a paste.
func (d *Dialog) Update(msg tea.Msg) Action {
	key, isKey := msg.(tea.KeyPressMsg)
	if !d.typed() {
		if !isKey {
			return Action{}
		}
		for _, c := range d.Choices {
			if slices.Contains(c.Keys, key.String()) {
				return Action{Closed: true, Answer: c.Answer}
			}
		}
		if key.String() == "esc" {
			return Action{Closed: true}
		}
		return Action{}
	}
	if isKey {
		switch key.String() {
		case "esc", "ctrl+c":
			return Action{Closed: true}
		case "enter":
			if text := strings.TrimSpace(d.input.Value()); d.entry && text != "" {
				return Action{Closed: true, Answer: text}
			}
			if !d.entry && d.input.Value() == d.Want {
				return Action{Closed: true, Answer: d.Want}
			}
			d.wrong = true
			return Action{}
		case "tab":
			if d.Complete == nil {
				return Action{}
			}
			before := d.input.Value()
			if c := d.Complete(before); len(c) > 0 {
				d.input.Set(input.Common(c, before))
			}
			d.wrong = false
			return Action{Changed: d.input.Value() != before}
		}
	}
	if d.input.Update(msg) {
		d.wrong = false
		return Action{Changed: true}
	}
	return Action{}
}

// Cursor is where the cursor stands in the box that View drew last, if anything
// is typed there.
func (d *Dialog) Cursor() (x, y int, shown bool) { return d.cursor.x, d.cursor.y, d.cursor.shown }

// View draws the dialog's box, at most w wide and h high.
func (d *Dialog) View(st *theme.Styles, w, h int) []string {
	w = min(w, 76)
	in := w - 4
	if in < 4 || h < 3 {
		return nil
	}
	var body []string
	for i, p := range d.Body {
		if i > 0 {
			body = append(body, "")
		}
		body = append(body, draw.Para(st, in, 0, theme.Plain, p)...)
	}
	var foot []string
	below := 0 // lines of foot below the one being typed
	if d.typed() {
		l := draw.NewLine(st, in, false).Put(theme.Accent, "› ")
		d.cursor.x = 2 + l.Typed(d.input.Split())
		say := draw.Para(st, in, 0, theme.Dim, "Type "+d.What+", then enter. esc leaves it.")
		foot = append(append(append(foot, ""), say...), l.String())
		below = 1
		if d.wrong {
			wrong := "That is not " + sanitize.Text(d.Want) + "."
			if d.entry {
				wrong = "Nothing is typed."
			}
			foot = append(foot, draw.Text(st, in, theme.Bad, wrong))
		} else {
			foot = append(foot, "")
		}
		if d.Complete != nil {
			offers := d.offers(st, in)
			foot, below = append(foot[:len(foot)-1], offers...), len(offers)
			if d.wrong {
				foot[len(foot)-below] = draw.Text(st, in, theme.Bad, "Nothing is typed.")
			}
		}
	} else {
		foot = append(foot, "")
		for _, c := range d.Choices {
			l := draw.NewLine(st, in, false)
			for i, k := range c.Keys {
				if i > 0 {
					l.Put(theme.Dim, " or ")
				}
				l.Put(theme.Accent, keys.Name(k))
			}
			foot = append(foot, l.Gap(2).Put(theme.Plain, c.Label).String())
		}
	}
	// The answer's lines are kept; what does not fit is cut from the text.
	room := h - 2 - len(foot)
	if len(body) > max(room, 0) {
		body = body[:max(room, 0)]
	}
	if len(foot) > h-2 {
		foot = foot[len(foot)-(h-2):]
	}
	// Inside the frame's upper edge, above what is below it.
	d.cursor.y, d.cursor.shown = len(body)+len(foot)-below, d.typed()
	return box(st, w, d.Tone, d.Title, append(body, foot...))
}

// offered is how many lines name what the text could become.
const offered = 4

// offers are those lines, always as many, so that the box stays as it is.
func (d *Dialog) offers(st *theme.Styles, w int) []string {
	out := make([]string, 0, offered)
	c := d.Complete(d.input.Value())
	for i, text := range c {
		l := draw.NewLine(st, w, false)
		if i == 0 {
			l.Put(theme.Accent, "Tab ")
		} else {
			l.Gap(4)
		}
		if i == offered-1 && len(c) > offered {
			out = append(out, l.Put(theme.Dim, "and "+strconv.Itoa(len(c)-i)+" more").String())
			break
		}
		out = append(out, l.Tail(theme.Dim, text, w-4).String())
	}
	for len(out) < offered {
		out = append(out, "")
	}
	return out
}

func box(st *theme.Styles, w int, tone theme.Tone, title string, body []string) []string {
	out := make([]string, 0, len(body)+2)
	top := draw.NewLine(st, w, false).Put(tone, "╭─ ").Put(theme.Strong, fit(title, w-6)).Put(tone, " ")
	for top.Left() > 1 {
		top.Put(tone, "─")
	}
	out = append(out, top.Put(tone, "╮").String())
	side := draw.Text(st, 1, tone, "│")
	for _, line := range body {
		pad := w - 4 - ansi.StringWidth(line)
		out = append(out, side+" "+line+draw.NewLine(st, pad, false).Gap(pad).String()+" "+side)
	}
	bottom := draw.NewLine(st, w, false).Put(tone, "╰")
	for bottom.Left() > 1 {
		bottom.Put(tone, "─")
	}
	return append(out, bottom.Put(tone, "╯").String())
}

func fit(s string, w int) string {
	s, _ = sanitize.Fit(s, w)
	return s
}

// Over lays box over the middle of a frame of w columns and returns where its
// corner is.
func Over(frame, box []string, w int) (left, top int) {
	if len(box) == 0 {
		return 0, 0
	}
	bw := ansi.StringWidth(box[0])
	left = max((w-bw)/2, 0)
	top = max((len(frame)-len(box))/2, 0)
	for i, line := range box {
		if top+i >= len(frame) {
			break
		}
		under := frame[top+i]
		l := ansi.Truncate(under, left, "")
		for n := ansi.StringWidth(l); n < left; n++ {
			l += " "
		}
		r := ""
		if room := ansi.StringWidth(under) - left - bw; room > 0 {
			r = ansi.TruncateLeft(under, left+bw, "")
			if ansi.StringWidth(r) > room {
				// A wide character lies half under the box: its other half is blank.
				r = " " + ansi.TruncateLeft(under, left+bw+1, "")
			}
		}
		frame[top+i] = l + "\x1b[m" + line + "\x1b[m" + r
	}
	return left, top
}
