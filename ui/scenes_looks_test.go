package ui

import (
	"testing"
)

// scenesOfLooks are the screens that look into archives: what differs between them,
// which packages they hold, and which of them hold a path.
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
	{"packages", func(t *testing.T, w, h int) *robot {
		return newRobot(t, holding(), w, h).settle().press("p").settle()
	}},
	{"packages-loading", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.fetching = make(chan struct{})
		t.Cleanup(func() { close(b.fetching) })
		return newRobot(t, b, w, h).settle().press("enter", "p").see("3.0 MiB of 8.0 MiB")
	}},
	{"packages-none", func(t *testing.T, w, h int) *robot {
		return newRobot(t, newFake(12), w, h).settle().press("/").write("tiny").press("enter", "p").settle()
	}},
	{"packages-unread", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.files["otel-collector:12"]["nodejs/node_modules/broken/package.json"] = "{"
		b.files["otel-collector:12"]["nodejs/node_modules/nameless/package.json"] = "[]"
		b.files["otel-collector:12"]["nodejs/node_modules/half/package.json"] = `{"name": 7}`
		return layersOf(t, b, w, h, "otel").press("p").settle()
	}},
	{"packages-denied", func(t *testing.T, w, h int) *robot {
		return layersOf(t, holding(), w, h, "vendor").press("p").settle()
	}},
	{"packages-deleted", func(t *testing.T, w, h int) *robot {
		return layersOf(t, holding(), w, h, "legacy").press("p").settle()
	}},
	{"find-what", func(t *testing.T, w, h int) *robot { return newRobot(t, holding(), w, h).settle().press("w") }},
	{"find", func(t *testing.T, w, h int) *robot {
		return findIn(newRobot(t, holding(), w, h), "otel").settle().press("down")
	}},
	{"find-package", func(t *testing.T, w, h int) *robot {
		return findIn(newRobot(t, holding(), w, h), "package:*").settle()
	}},
	{"find-unread", func(t *testing.T, w, h int) *robot {
		return findIn(newRobot(t, holding(), w, h), "shared.py").settle().press("t", "down")
	}},
	{"find-running", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.finding = make(chan struct{})
		r := findIn(newRobot(t, b, w, h), "python")
		for range 4 {
			b.finding <- struct{}{}
		}
		return r.see("4 of 6 layer versions")
	}},
	{"find-stopped", func(t *testing.T, w, h int) *robot {
		b := holding()
		b.finding = make(chan struct{})
		r := findIn(newRobot(t, b, w, h), "python")
		for range 3 {
			b.finding <- struct{}{}
		}
		return r.see("3 of 6 layer versions").press("c").see("▲ stopped")
	}},
	{"find-nothing", func(t *testing.T, w, h int) *robot {
		return findIn(newRobot(t, holding(), w, h), "*.dll").settle()
	}},
	{"find-which-function", func(t *testing.T, w, h int) *robot {
		return findIn(newRobot(t, holding(), w, h), "collector.yaml").settle().press("o")
	}},
	{"find-no-layers", func(t *testing.T, w, h int) *robot {
		b := newFake(0)
		b.functions = nil
		return findIn(newRobot(t, b, w, h), "x").settle()
	}},
}

// findIn looks for a pattern in all layers.
func findIn(r *robot, pattern string) *robot {
	return r.settle().press(":").write("find " + pattern).press("enter")
}

// layersOf opens the layers whose names hold a word.
func layersOf(t *testing.T, b *fakeBackend, w, h int, word string) *robot {
	return newRobot(t, b, w, h).settle().press("L", "/").write(word).press("enter")
}

// diffOf compares a layer with its newest version.
func diffOf(t *testing.T, w, h int) *robot {
	return layersOf(t, holding(), w, h, "otel").press("d", "n").settle()
}
