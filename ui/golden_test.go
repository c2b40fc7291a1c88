package ui

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/golden"
)

// sizes are the terminals every scene is drawn in.
var sizes = [][2]int{{60, 20}, {80, 24}, {120, 40}, {200, 60}}

// TestFrames keeps every scene as drawn at every size on a dark and on a light
// terminal and without colour: one file per scene, in which each text stands
// once, followed by where its styles begin and end. Changed on purpose, they are
// written anew with: go test ./ui -run TestFrames -update
func TestFrames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenes {
		if seen[s.name] {
			t.Fatalf("two scenes are called %s", s.name)
		}
		seen[s.name] = true
		t.Run(s.name, func(t *testing.T) {
			golden.RequireEqual(t, portrait(t, s))
		})
	}
}

// portrait plays a scene at every size and writes down what is seen, as a txtar.
func portrait(t *testing.T, s scene) string {
	var dark, light, none inks
	var out strings.Builder
	section := func(text, name string, args ...any) {
		fmt.Fprintf(&out, "-- %s --\n%s", fmt.Sprintf(name, args...), text)
	}
	for _, size := range sizes {
		w, h := size[0], size[1]
		r := s.play(t, w, h)
		in := func(bg color.Color, p colorprofile.Profile) string {
			r.m.Update(tea.BackgroundColorMsg{Color: bg})
			r.m.Update(tea.ColorProfileMsg{Profile: p})
			fits(t, r.m)
			return r.m.View().Content
		}
		onDark := in(color.Black, colorprofile.TrueColor)
		text := trimmed(r.screen())
		section(text, "%dx%d", w, h)
		spans := dark.spans(t, onDark)
		section(spans, "%dx%d colour", w, h)
		onLight := in(color.White, colorprofile.TrueColor)
		if trimmed(r.screen()) != text {
			t.Errorf("at %dx%d the text depends on the background", w, h)
		}
		if s := light.spans(t, onLight); s != spans {
			section(s, "%dx%d light", w, h)
		}
		plain := in(color.Black, colorprofile.ASCII)
		if trimmed(r.screen()) != text {
			t.Errorf("at %dx%d the text depends on the colours", w, h)
		}
		section(none.spans(t, plain), "%dx%d no colour", w, h)
	}
	for _, l := range []struct {
		name string
		k    *inks
	}{{"dark", &dark}, {"light", &light}, {"no colour", &none}} {
		var lines strings.Builder
		for i, style := range l.k.styles {
			fmt.Fprintf(&lines, "%c %s\n", inkLetters[i], style)
		}
		section(lines.String(), "styles %s", l.name)
	}
	return out.String()
}

// TestSmall is what is shown where the screens do not fit, with and without work
// that must not go unseen.
func TestSmall(t *testing.T) {
	r := newRobot(t, newFake(6), 40, 10).settle()
	golden.RequireEqual(t, trimmed(r.screen()))
	b := newFake(10)
	b.armed, b.step = true, make(chan struct{})
	r = migrateTo(t, b, 80, 24).press("a").write("orders-api").press("enter").see("▸ + backup")
	t.Cleanup(func() { close(b.step) })
	r.send(tea.WindowSizeMsg{Width: 40, Height: 10})
	r.see("Migrating orders-api is under way")
	r.press("a", "u", "x") // blind keys do nothing
	r.press("ctrl+c").see("Leave while")
	fits(t, r.m)
}
