package theme

import (
	"fmt"
	"image/color"
	"testing"

	"github.com/lucasb-eyer/go-colorful"
)

// backgrounds that terminals come with, the theme being chosen by them or by name.
var backgrounds = map[bool][]string{
	true:  {"#000000", "#1e1e1e", "#282c34", "#002b36", "#0c0c0c", "#2e3440"},
	false: {"#ffffff", "#fdf6e3", "#f5f5f5", "#eff1f5"},
}

var trueColour = []struct {
	name string
	p    palette
	dark bool
}{{Dark, dark, true}, {Light, light, false}, {SafeDark, safeDark, true}, {SafeLight, safeLight, false}}

// luminance is the relative luminance of WCAG 2.2
// (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
func luminance(c color.Color) float64 {
	cf, _ := colorful.MakeColor(c)
	r, g, b := cf.LinearRgb()
	return 0.2126*r + 0.7152*g + 0.0722*b
}

// ratio is the contrast ratio of WCAG 2.2, 1 to 21
// (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
func ratio(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// texts are the colours that letters are written in.
func (p palette) texts() map[string]color.Color {
	out := map[string]color.Color{"dim": p.dim, "accent": p.accent, "good": p.good, "warn": p.warn, "bad": p.bad, "code": p.code}
	for i, c := range p.layers {
		out[fmt.Sprintf("layer %d", i+1)] = c
	}
	return out
}

// TestTextIsReadable holds every text to the 4.5:1 that WCAG asks for, on the
// backgrounds that terminals have, on the selection, and on filled blocks.
func TestTextIsReadable(t *testing.T) {
	const enough = 4.5
	for _, theme := range trueColour {
		for name, c := range theme.p.texts() {
			for _, bg := range backgrounds[theme.dark] {
				if r := ratio(c, hex(bg)); r < enough {
					t.Errorf("%s: %s on %s: %.2f:1", theme.name, name, bg, r)
				}
			}
		}
		if r := ratio(theme.p.text, theme.p.paper); r < 7 || IsDark(theme.p.paper) != theme.dark {
			t.Errorf("%s: text on its own paper: %.2f:1", theme.name, r)
		}
		for name, c := range theme.p.texts() {
			if r := ratio(c, theme.p.paper); r < enough {
				t.Errorf("%s: %s on its own paper: %.2f:1", theme.name, name, r)
			}
		}
		for tone := range toneCount { // blocks and badges have a background of their own
			k := theme.p.onSelection(tone)
			if k.fg == nil || k.bg == nil || tone == Track {
				continue
			}
			if r := ratio(k.fg, k.bg); r < enough {
				t.Errorf("%s: tone %d on the selection: %.2f:1", theme.name, tone, r)
			}
		}
	}
}

// deficiencies simulate full colour blindness in linear RGB, after Machado,
// Oliveira and Fernandes (2009), table 1.
var deficiencies = map[string][3][3]float64{
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
	"none":         {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
}

func seen(c color.Color, m [3][3]float64) colorful.Color {
	cf, _ := colorful.MakeColor(c)
	r, g, b := cf.LinearRgb()
	return colorful.LinearRgb(
		m[0][0]*r+m[0][1]*g+m[0][2]*b, m[1][0]*r+m[1][1]*g+m[1][2]*b, m[2][0]*r+m[2][1]*g+m[2][2]*b).Clamped()
}

// TestSafeThemesAreToldApart looks at the safe themes as colour-blind people do:
// good, warning and bad, and the layers among each other, stay different. The
// distance is CIEDE2000 in hundredths; 0.1 is plainly different side by side.
func TestSafeThemesAreToldApart(t *testing.T) {
	const apart = 0.1
	for _, theme := range trueColour[2:] {
		groups := map[string]map[string]color.Color{
			"states": {"good": theme.p.good, "warn": theme.p.warn, "bad": theme.p.bad},
			"layers": {},
		}
		for i, c := range theme.p.layers {
			groups["layers"][Letter(i+1)] = c
		}
		for what, m := range deficiencies {
			for _, group := range groups {
				for a, x := range group {
					for b, y := range group {
						if d := seen(x, m).DistanceCIEDE2000(seen(y, m)); a < b && d < apart {
							t.Errorf("%s, %s: %s and %s are %.3f apart", theme.name, what, a, b, d)
						}
					}
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Names() {
		if !Known(name) || Named(name, true, Full) == nil {
			t.Error(name)
		}
	}
	if Known("purple") {
		t.Error("there is no theme purple")
	}
	for _, c := range []struct {
		name  string
		dark  bool
		depth Depth
		as    *Styles
	}{
		{Auto, true, Full, Named(Dark, false, Full)}, {Auto, false, Full, Named(Light, true, Full)},
		{Safe, true, Full, Named(SafeDark, false, Full)}, {Safe, false, Full, Named(SafeLight, true, Full)},
		{Dark, true, Mono, Named(None, true, Full)}, {ANSI, true, Mono, Named(None, true, Full)},
		{Light, true, Sixteen, Named(ANSI, true, Full)},
	} {
		if !Named(c.name, c.dark, c.depth).Same(c.as) {
			t.Errorf("%s, dark %v, depth %d is another theme", c.name, c.dark, c.depth)
		}
	}
}
