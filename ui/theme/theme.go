package theme

import (
	"image/color"

	"github.com/charmbracelet/x/ansi"
)

// Tone is what a piece of text means.
type Tone uint8

// The tones. Every one of them stays readable without colour; none is the only
// carrier of a state.
const (
	Plain  Tone = iota
	Dim         // secondary: units, rulers, hints
	Strong      // what the eye should find first
	Head        // column titles and section titles
	Accent      // keys, links, the current place
	Good
	Warn
	Bad
	Brand    // the program's name
	ReadOnly // the badge of a session that cannot write
	Armed    // the badge of a session that can
	Track    // the empty part of a bar
	Keyword  // highlighted source, from here …
	String
	Number
	Comment
	Name // … to here
	Code // the code's part of a size bar and its letter
	layer0
	layer1
	layer2
	layer3
	layer4
	layer5
	CodeBlock // the same as blocks: letter on colour
	block0
	block1
	block2
	block3
	block4
	block5
	toneCount
)

// layers is how many layer colours there are; a sixth layer can't be attached
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), but
// local archives can be merged in any number.
const layers = 6

// Layer is the tone of the n-th layer, counted from 1.
func Layer(n int) Tone { return layer0 + Tone(max(n-1, 0)%layers) }

// Block is Layer as a filled block.
func Block(n int) Tone { return block0 + Tone(max(n-1, 0)%layers) }

// Letter is the letter of the n-th layer, counted from 1: A to Z, then "#".
func Letter(n int) string {
	if n < 1 || n > 26 {
		return "#"
	}
	return string(rune('A' + n - 1))
}

// Styles renders tones. It is immutable.
type Styles struct {
	open        [2][toneCount]string
	text, paper color.Color
}

// Depth is how many colours a terminal has.
type Depth uint8

// The depths.
const (
	Full    Depth = iota // 256 or more
	Sixteen              // the terminal's own palette
	Mono                 // bold, underline and reverse only
)

// New builds the styles of the automatic theme for a dark or light terminal of
// some depth.
func New(isDark bool, depth Depth) *Styles { return build(choose(Auto, isDark, depth)) }

// Named builds the styles of a theme, which is one of Names, Auto for any other.
// A theme never brings more colours than the terminal's depth has.
func Named(name string, isDark bool, depth Depth) *Styles { return build(choose(name, isDark, depth)) }

func build(p palette, mono bool) *Styles {
	s := new(Styles)
	if !mono {
		s.text, s.paper = p.text, p.paper
	}
	for selected := range 2 {
		for t := range toneCount {
			s.open[selected][t] = p.style(t, selected == 1, mono)
		}
	}
	return s
}

// look is how a tone is drawn.
type look struct {
	fg, bg        color.Color
	bold, reverse bool
}

func (p palette) look(t Tone) look {
	switch t {
	case Plain:
		return look{}
	case Dim, Comment:
		return look{fg: p.dim}
	case Strong:
		return look{bold: true}
	case Head:
		return look{fg: p.dim, bold: true}
	case Accent, Keyword:
		return look{fg: p.accent}
	case Good, String:
		return look{fg: p.good}
	case Warn, Number:
		return look{fg: p.warn}
	case Bad:
		return look{fg: p.bad, bold: true}
	case Brand:
		return look{fg: p.accent, bold: true}
	case ReadOnly:
		return look{p.ink, p.good, true, true}
	case Armed:
		return look{p.ink, p.bad, true, true}
	case Track:
		return look{fg: p.track}
	case Name:
		return look{fg: p.layers[0]}
	case Code:
		return look{fg: p.code}
	case CodeBlock:
		return look{fg: p.ink, bg: p.code}
	}
	if t >= block0 {
		return look{fg: p.ink, bg: p.layers[t-block0]}
	}
	return look{fg: p.layers[t-layer0]}
}

// onSelection is look in the selected row.
func (p palette) onSelection(t Tone) look {
	k := p.look(t)
	switch {
	case k.bg != nil:
	case p.selected == nil:
		// One reversed bar, not one patch for each tone.
		k.fg, k.reverse = nil, true
	default:
		k.bg = p.selected
		k.bold = k.bold || t == Plain
		if k.fg == nil {
			k.fg = p.text
		}
		if p.lift != nil && k.fg == p.dim {
			k.fg = p.lift
		}
	}
	return k
}

func (p palette) style(t Tone, selected, noColor bool) string {
	k := p.look(t)
	if selected {
		k = p.onSelection(t)
	}
	if k.bg != nil && p.selected == nil {
		k.bold = false // bold black is grey with sixteen colours
	}
	if noColor {
		k.fg, k.bg, k.reverse = nil, nil, k.reverse || selected
	}
	var st ansi.Style
	if k.bold {
		st = st.Bold()
	}
	if k.reverse && k.bg == nil {
		st = st.Reverse(true)
	}
	if k.fg != nil {
		st = st.ForegroundColor(k.fg)
	}
	if k.bg != nil {
		st = st.BackgroundColor(k.bg)
	}
	if len(st) == 0 {
		return ""
	}
	return st.String()
}

// Same reports whether two styles look alike in every tone.
func (s *Styles) Same(o *Styles) bool { return s.open == o.open }

// Paper is the background that the styles are made for and the colour of plain
// text on it; nil where they follow the terminal's own.
func (s *Styles) Paper() (text, paper color.Color) { return s.text, s.paper }

// Append appends text in a tone to b. The text must be fit for a terminal.
func (s *Styles) Append(b []byte, t Tone, selected bool, text string) []byte {
	sel := 0
	if selected {
		sel = 1
	}
	open := s.open[sel][t]
	if open == "" {
		return append(b, text...)
	}
	b = append(b, open...)
	b = append(b, text...)
	return append(b, ansi.ResetStyle...)
}
