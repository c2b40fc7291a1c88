package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
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
	open [2][toneCount]string
}

// palette is the small set of colours everything is built from.
type palette struct {
	dim, accent, good, warn, bad, track, selected, ink color.Color
	code                                               color.Color
	layers                                             [layers]color.Color
}

func hex(s string) color.Color { return lipgloss.Color(s) }

// The layers' hues are far apart for the common kinds of colour blindness.
var (
	dark = palette{
		dim: hex("#808a97"), accent: hex("#8ab4e8"), good: hex("#8cc07c"), warn: hex("#e3b35c"),
		bad: hex("#ec8479"), track: hex("#454d58"), selected: hex("#3a3a3a"), ink: hex("#12161c"),
		code: hex("#9ba6b2"),
		layers: [layers]color.Color{
			hex("#5db5e6"), hex("#e5a13b"), hex("#45bf95"), hex("#d98ab8"), hex("#d9cf62"), hex("#e07f4f"),
		},
	}
	light = palette{
		dim: hex("#656e78"), accent: hex("#1d5fa6"), good: hex("#2c7a34"), warn: hex("#8f6000"),
		bad: hex("#b3271e"), track: hex("#c3cad2"), selected: hex("#dadada"), ink: hex("#ffffff"),
		code: hex("#5c6772"),
		layers: [layers]color.Color{
			hex("#0b6fae"), hex("#a86200"), hex("#007558"), hex("#98427a"), hex("#7a6c00"), hex("#ad461c"),
		},
	}
)

// sixteen follows the terminal's own palette; the selection is reversed.
var sixteen = palette{
	dim: ansi.BrightBlack, accent: ansi.Cyan, good: ansi.Green, warn: ansi.Yellow, bad: ansi.Red,
	track: ansi.BrightBlack, ink: ansi.Black, code: ansi.White,
	layers: [layers]color.Color{ansi.Blue, ansi.Yellow, ansi.Green, ansi.Magenta, ansi.Cyan, ansi.Red},
}

// Depth is how many colours a terminal has.
type Depth uint8

// The depths.
const (
	Full    Depth = iota // 256 or more
	Sixteen              // the terminal's own palette
	Mono                 // bold, underline and reverse only
)

// New builds the styles for a dark or light terminal of some depth.
func New(isDark bool, depth Depth) *Styles {
	p := light
	switch {
	case depth == Sixteen:
		p = sixteen
	case isDark:
		p = dark
	}
	s := new(Styles)
	for selected := range 2 {
		for t := range toneCount {
			s.open[selected][t] = p.style(t, selected == 1, depth == Mono)
		}
	}
	return s
}

func (p palette) style(t Tone, selected, noColor bool) string {
	var fg, bg color.Color
	var bold, reverse bool
	switch t {
	case Plain:
	case Dim, Comment:
		fg = p.dim
	case Strong:
		bold = true
	case Head:
		fg, bold = p.dim, true
	case Accent, Keyword:
		fg = p.accent
	case Good, String:
		fg = p.good
	case Warn, Number:
		fg = p.warn
	case Bad:
		fg, bold = p.bad, true
	case Brand:
		fg, bold = p.accent, true
	case ReadOnly:
		fg, bg, bold, reverse = p.ink, p.good, true, true
	case Armed:
		fg, bg, bold, reverse = p.ink, p.bad, true, true
	case Track:
		fg = p.track
	case Name:
		fg = p.layers[0]
	case Code:
		fg = p.code
	case CodeBlock:
		fg, bg = p.ink, p.code
	default:
		if t >= block0 {
			fg, bg = p.ink, p.layers[t-block0]
		} else {
			fg = p.layers[t-layer0]
		}
	}
	if selected && bg == nil {
		bg = p.selected
		bold = bold || t == Plain
		if p.selected == nil {
			// One reversed bar, not one patch for each tone.
			fg, reverse = nil, true
		}
	}
	if bg != nil && p.selected == nil {
		bold = false // bold black is grey with sixteen colours
	}
	var st ansi.Style
	if bold {
		st = st.Bold()
	}
	if noColor {
		fg, bg, reverse = nil, nil, reverse || selected
	}
	if reverse && bg == nil {
		st = st.Reverse(true)
	}
	if fg != nil {
		st = st.ForegroundColor(fg)
	}
	if bg != nil {
		st = st.BackgroundColor(bg)
	}
	if len(st) == 0 {
		return ""
	}
	return st.String()
}

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
