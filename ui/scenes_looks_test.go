package ui

import (
	"testing"
)

// scenesOfLooks are the screens that look into archives: what differs between them.
var scenesOfLooks = []scene{
	{"layers-marked", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newTold(), w, h).settle().press("L", "space", "space")
	}},
	{"diff-which", func(t *testing.T, w, h int) *robot {
		return layersOf(t, holding(), w, h, "otel").press("d")
	}},
	{"diff", func(t *testing.T, w, h int) *robot { return diffOf(t, w, h).press("down", "down") }},
	{"diff-packages", func(t *testing.T, w, h int) *robot { return diffOf(t, w, h).press("t", "down") }},
	{"diff-file", func(t *testing.T, w, h int) *robot {
		return diffOf(t, w, h).press("/").write("shared").press("enter", "enter").settle()
	}},
	{"diff-loading", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.fetching = make(chan struct{})
		t.Cleanup(func() { close(b.fetching) })
		return layersOf(t, b, w, h, "otel").press("d", "n").see("3.0 MiB of 8.0 MiB")
	}},
	{"diff-none", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.files["otel-collector:14"] = b.files["otel-collector:12"]
		return layersOf(t, b, w, h, "otel").press("d", "n").settle()
	}},
	{"diff-empty", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.files["otel-collector:12"], b.files["otel-collector:14"] = nil, nil
		return layersOf(t, b, w, h, "otel").press("d", "n").settle()
	}},
	{"diff-deleted", func(t *testing.T, w, h int) *robot {
		return layersOf(t, holding(), w, h, "fonts").press("space", "/", "ctrl+u").write("legacy").press("enter", "space", "d").settle()
	}},
	{"diff-denied", func(t *testing.T, w, h int) *robot {
		return layersOf(t, holding(), w, h, "fonts").press("space", "/", "ctrl+u").write("vendor").press("enter", "space", "d").settle()
	}},
}

// layersOf opens the layers whose names hold a word.
func layersOf(t *testing.T, b *fakeBackend, w, h int, word string) *robot {
	return newRobot(t, b, w, h).settle().press("L", "/").write(word).press("enter")
}

// diffOf compares a layer with its newest version.
func diffOf(t *testing.T, w, h int) *robot {
	return layersOf(t, holding(), w, h, "otel").press("d", "n").settle()
}
