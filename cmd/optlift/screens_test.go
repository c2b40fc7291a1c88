package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/optlift/optlift/ui"
)

// viewer sits at the terminal of the real program on an account. It looks at every
// frame, the window's title and the clipboard, and nothing secret may be there.
type viewer struct {
	t       *testing.T
	root    tea.Model
	msgs    chan tea.Msg
	pending int
	secrets []string
	copied  int
	frames  int
	places  map[string]bool // the last crumbs of the screens that were seen
}

// view opens the terminal on a backend. No key works until the first screen settles.
func view(t *testing.T, b ui.Backend, opts ui.Options, secrets []string) *viewer {
	t.Helper()
	root, end := ui.Model(t.Context(), b, opts)
	t.Cleanup(end)
	v := &viewer{t: t, root: root, msgs: make(chan tea.Msg, 64), secrets: secrets, places: map[string]bool{}}
	v.begin(root.Init())
	v.send(tea.WindowSizeMsg{Width: 300, Height: 60})
	return v
}

func (v *viewer) begin(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	v.pending++
	go func() { v.msgs <- cmd() }()
}

func (v *viewer) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil, tea.QuitMsg:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			v.begin(cmd)
		}
		return
	}
	if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
		v.copied++
		v.look("the clipboard", fmt.Sprint(msg))
		return
	}
	var cmd tea.Cmd
	v.root, cmd = v.root.Update(msg)
	v.begin(cmd)
	frame := v.root.View()
	v.frames++
	v.look("the screen", frame.Content)
	v.look("the screen's text", ansi.Strip(frame.Content))
	v.look("the title", frame.WindowTitle)
	crumbs := strings.Split(strings.TrimSpace(strings.Split(v.place()+"   ", "   ")[0]), " › ")
	v.places[crumbs[len(crumbs)-1]] = true
}

func (v *viewer) look(where, text string) {
	v.t.Helper()
	for _, secret := range v.secrets {
		if strings.Contains(text, secret) {
			v.t.Fatalf("%s shows %s:\n%s", where, secret, text)
		}
	}
}

func (v *viewer) screen() string { return ansi.Strip(v.root.View().Content) }

// until takes messages in until a condition holds.
func (v *viewer) until(what string, ok func() bool) {
	v.t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		if v.pending == 0 {
			v.t.Fatalf("nothing is under way, and %s is not there:\n%s", what, v.screen())
		}
		select {
		case msg := <-v.msgs:
			v.pending--
			v.send(msg)
		case <-deadline:
			v.t.Fatalf("waited in vain for %s:\n%s", what, v.screen())
		}
	}
}

func (v *viewer) see(texts ...string) *viewer {
	v.t.Helper()
	for _, text := range texts {
		v.until(text, func() bool { return strings.Contains(v.screen(), text) })
	}
	return v
}

// settle waits until nothing is under way.
func (v *viewer) settle() *viewer {
	v.t.Helper()
	v.until("the end", func() bool { return v.pending == 0 })
	return v
}

var viewerKeys = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "down": {Code: tea.KeyDown}, "home": {Code: tea.KeyHome},
	"space": {Code: tea.KeySpace, Text: " "}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+a": {Code: 'a', Mod: tea.ModCtrl},
}

func (v *viewer) press(keys ...string) *viewer {
	for _, k := range keys {
		key, named := viewerKeys[k]
		if !named {
			key = tea.Key{Code: []rune(k)[0], Text: k}
		}
		v.send(tea.KeyPressMsg(key))
	}
	return v
}

func (v *viewer) write(text string) *viewer {
	for _, c := range text {
		v.press(map[bool]string{true: "space", false: string(c)}[c == ' '])
	}
	return v
}

// place is the line that says which screen this is.
func (v *viewer) place() string { return strings.Split(v.screen(), "\n")[1] }

// walk opens each row of a list, looks at it, and goes back; texts must have been seen.
func (v *viewer) walk(texts ...string) *viewer {
	v.t.Helper()
	seen := map[string]bool{}
	look := func() {
		for _, text := range texts {
			seen[text] = seen[text] || strings.Contains(v.screen(), text)
		}
	}
	v.press("home")
	for before := ""; before != v.screen(); {
		before = v.screen()
		look()
		at := v.place()
		v.press("enter").settle()
		look()
		if v.place() != at {
			v.press("esc")
		}
		v.press("down")
	}
	for _, text := range texts {
		if !seen[text] {
			v.t.Fatalf("%q was nowhere; at last:\n%s", text, v.screen())
		}
	}
	return v
}
