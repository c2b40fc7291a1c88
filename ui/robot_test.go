package ui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// robot uses the program in a user's words. It runs commands as the program's
// loop does and waits for what it wants to see, never for a time.
type robot struct {
	t       testing.TB
	m       *model
	b       *fakeBackend
	msgs    chan tea.Msg
	pending int
	quit    bool
	copied  string
	cancel  context.CancelFunc
}

func newRobot(t testing.TB, b *fakeBackend, w, h int) *robot {
	t.Helper()
	return newRobotWith(t, b, w, h, Options{})
}

// prepare, when set, changes the accounts that robots work on.
var prepare func(*fakeBackend)

func newRobotWith(t testing.TB, b *fakeBackend, w, h int, o Options) *robot {
	t.Helper()
	if prepare != nil {
		prepare(b)
	}
	ctx, cancel := context.WithCancel(context.Background())
	arrives := b.signing == nil && len(b.refusals) == 0 && len(b.codes) == 0
	b.dir = t.TempDir()
	r := &robot{t: t, b: b, m: newModel(ctx, b, o), msgs: make(chan tea.Msg, 64), cancel: cancel}
	r.m.tick = func(_ time.Duration, fn func(time.Time) tea.Msg) tea.Cmd {
		return tea.Tick(time.Millisecond, func(time.Time) tea.Msg { return fn(epoch) })
	}
	r.m.browse = func(context.Context, string) bool { return false }
	r.m.log.Now = func() time.Time { return epoch }
	r.run(r.m.Init())
	r.send(tea.WindowSizeMsg{Width: w, Height: h})
	t.Cleanup(func() {
		cancel()
		r.m.jobs.Cancel()
		r.m.jobs.Wait()
	})
	if arrives {
		r.until("an account", func() bool { return r.m.away == nil })
	}
	return r
}

// run starts a command; its message comes through msgs.
func (r *robot) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	r.pending++
	go func() { r.msgs <- cmd() }()
}

func (r *robot) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			r.run(cmd)
		}
		return
	case tea.QuitMsg:
		r.quit = true
		return
	}
	if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
		r.copied = fmt.Sprintf("%s", msg)
		return
	}
	_, cmd := r.m.Update(msg)
	r.run(cmd)
}

// pump takes one message in.
func (r *robot) pump(deadline <-chan time.Time) bool {
	select {
	case msg := <-r.msgs:
		r.pending--
		r.send(msg)
		return true
	case <-deadline:
		return false
	}
}

// until pumps messages until a condition holds.
func (r *robot) until(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		if r.pending == 0 || !r.pump(deadline) {
			r.t.Fatalf("waited in vain for %s; on screen:\n%s", what, r.screen())
		}
	}
}

// settle waits until nothing is under way.
func (r *robot) settle() *robot {
	r.t.Helper()
	r.until("everything to end", func() bool { return r.pending == 0 })
	return r
}

func (r *robot) screen() string {
	return ansi.Strip(r.m.View().Content)
}

// see waits for texts to be on screen.
func (r *robot) see(texts ...string) *robot {
	r.t.Helper()
	for _, text := range texts {
		r.until(fmt.Sprintf("%q", text), func() bool { return strings.Contains(r.screen(), text) })
	}
	return r
}

// missing fails if a text is on screen now.
func (r *robot) missing(texts ...string) *robot {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.screen(), text) {
			r.t.Fatalf("%q is on screen:\n%s", text, r.screen())
		}
	}
	return r
}

var named = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
	"left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "tab": {Code: tea.KeyTab}, "pgdown": {Code: tea.KeyPgDown},
	"pgup": {Code: tea.KeyPgUp}, "end": {Code: tea.KeyEnd}, "home": {Code: tea.KeyHome}, "backspace": {Code: tea.KeyBackspace},
	"space": {Code: tea.KeySpace, Text: " "}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+d": {Code: 'd', Mod: tea.ModCtrl},
	"ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
}

func keyOf(name string) tea.KeyPressMsg {
	if k, ok := named[name]; ok {
		return tea.KeyPressMsg(k)
	}
	for prefix, mod := range map[string]tea.KeyMod{"ctrl+": tea.ModCtrl, "alt+": tea.ModAlt} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			k := keyOf(rest)
			return tea.KeyPressMsg{Code: k.Code, Mod: mod}
		}
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "f")); err == nil && strings.HasPrefix(name, "f") {
		return tea.KeyPressMsg{Code: tea.KeyF1 + rune(n-1)}
	}
	r := []rune(name)[0]
	return tea.KeyPressMsg{Code: r, Text: name}
}

// press presses keys by name.
func (r *robot) press(keys ...string) *robot {
	for _, k := range keys {
		r.send(keyOf(k))
	}
	return r
}

// write types a text letter by letter.
func (r *robot) write(text string) *robot {
	for _, c := range text {
		if c == ' ' {
			r.press("space")
		} else {
			r.press(string(c))
		}
	}
	return r
}
