package theme

import (
	"image/color"
	"slices"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// The themes. Auto and Safe follow the terminal's background.
const (
	Auto      = "auto"
	Dark      = "dark"
	Light     = "light"
	Safe      = "safe" // told apart with any of the common kinds of colour blindness
	SafeDark  = "safe-dark"
	SafeLight = "safe-light"
	ANSI      = "ansi" // the sixteen colours of the terminal's own palette
	None      = "none" // bold, underline and reverse only
)

// Theme is a theme's name and what it is for.
type Theme struct{ Name, Help string }

// Themes are all of them, the default first.
func Themes() []Theme {
	return []Theme{
		{Auto, "dark or light, after the terminal's background"},
		{Dark, "for a dark background"},
		{Light, "for a light background"},
		{Safe, "colour-blind safe, dark or light after the background"},
		{SafeDark, "colour-blind safe, for a dark background"},
		{SafeLight, "colour-blind safe, for a light background"},
		{ANSI, "the sixteen colours of the terminal's own palette"},
		{None, "no colour: bold and reverse only"},
	}
}

// Names are the names of Themes.
func Names() []string {
	var out []string
	for _, t := range Themes() {
		out = append(out, t.Name)
	}
	return out
}

// Known reports whether a theme has this name.
func Known(name string) bool { return slices.Contains(Names(), name) }

// palette is the small set of colours everything is built from.
type palette struct {
	dim, accent, good, warn, bad, track, selected, ink color.Color
	code                                               color.Color
	layers                                             [layers]color.Color
	lift                                               color.Color // dim on the selection
	// text and paper are what plain text is written with and on, where the
	// terminal's own are not made for the theme. Nil for the sixteen colours.
	text, paper color.Color
}

func choose(name string, isDark bool, depth Depth) (p palette, mono bool) {
	switch name {
	case Dark:
		p = dark
	case Light:
		p = light
	case SafeDark:
		p = safeDark
	case SafeLight:
		p = safeLight
	case Safe:
		if p = safeLight; isDark {
			p = safeDark
		}
	case ANSI:
		depth = max(depth, Sixteen)
	case None:
		depth = Mono
	default:
		if p = light; isDark {
			p = dark
		}
	}
	if depth >= Sixteen {
		p = sixteen
	}
	return p, depth == Mono
}

// IsDark reports whether a background is a dark one.
func IsDark(paper color.Color) bool {
	r, g, b, _ := paper.RGBA()
	return 299*r+587*g+114*b < 1000*0x8000
}

func hex(s string) color.Color { return lipgloss.Color(s) }

var (
	dark = palette{
		dim: hex("#939faf"), accent: hex("#8ab4e8"), good: hex("#8cc07c"), warn: hex("#e3b35c"),
		bad: hex("#ef8d83"), track: hex("#454d58"), selected: hex("#2b3440"), lift: hex("#b4bdc9"), text: hex("#e6eaf0"), paper: hex("#12161c"), ink: hex("#12161c"),
		code: hex("#a3aebb"),
		layers: [layers]color.Color{
			hex("#5db5e6"), hex("#e5a13b"), hex("#45bf95"), hex("#d98ab8"), hex("#d9cf62"), hex("#e58453"),
		},
	}
	light = palette{
		dim: hex("#5f6872"), accent: hex("#1d5fa6"), good: hex("#277731"), warn: hex("#8a5d00"),
		bad: hex("#b3271e"), track: hex("#c3cad2"), selected: hex("#e4e9ef"), lift: hex("#48515c"), text: hex("#1a1f26"), paper: hex("#ffffff"), ink: hex("#ffffff"),
		code: hex("#5c6772"),
		layers: [layers]color.Color{
			hex("#026dab"), hex("#965600"), hex("#007558"), hex("#98427a"), hex("#746700"), hex("#ad461c"),
		},
	}
	// The safe palettes tell good from bad as blue from orange, not green from red,
	// and differ in lightness where hues meet.
	safeDark = palette{
		dim: hex("#98a2b0"), accent: hex("#c7b9ff"), good: hex("#56b4e9"), warn: hex("#f0e442"),
		bad: hex("#ed894b"), track: hex("#454d58"), selected: hex("#2b3440"), lift: hex("#b4bdc9"), text: hex("#e6eaf0"), paper: hex("#12161c"), ink: hex("#12161c"),
		code: hex("#b3bcc6"),
		layers: [layers]color.Color{
			hex("#88d1fd"), hex("#e99500"), hex("#2fb68a"), hex("#d595c2"), hex("#f0e442"), hex("#a890ff"),
		},
	}
	safeLight = palette{
		dim: hex("#5b646e"), accent: hex("#5b3fa8"), good: hex("#005ab5"), warn: hex("#3c2c00"),
		bad: hex("#ba3a07"), track: hex("#c3cad2"), selected: hex("#e4e9ef"), lift: hex("#48515c"), text: hex("#1a1f26"), paper: hex("#ffffff"), ink: hex("#ffffff"),
		code: hex("#4f5963"),
		layers: [layers]color.Color{
			hex("#0369bf"), hex("#8c5b12"), hex("#006948"), hex("#b01676"), hex("#4d3a00"), hex("#450bd1"),
		},
	}
)

// sixteen follows the terminal's own palette; the selection is reversed.
var sixteen = palette{
	dim: ansi.BrightBlack, accent: ansi.Cyan, good: ansi.Green, warn: ansi.Yellow, bad: ansi.Red,
	track: ansi.BrightBlack, ink: ansi.Black, code: ansi.White,
	layers: [layers]color.Color{ansi.Blue, ansi.Yellow, ansi.Green, ansi.Magenta, ansi.Cyan, ansi.Red},
}
