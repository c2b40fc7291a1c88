package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/config"
)

// nasty is a text with all that a terminal could act on.
const nasty = "a\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x9b2J\u009b2Jb\r\nc\td\x00\x7f\u202eevil\u2066x\u200b宽字é👩‍👩‍👧 end"

// nastyBackend has such texts wherever an account can hold text.
func nastyBackend() *fakeBackend {
	b := newFake(12)
	f := b.functions[0]
	f.Name, f.Description, f.Handler, f.Role, f.Wrapper, f.Runtime = nasty+f.Name, nasty, nasty, nasty, nasty, nasty
	f.EnvNames = []string{nasty}
	f.ManagedBy = nasty
	f.Findings = append(f.Findings, account.Finding{ID: nasty, Severity: nasty, Message: nasty, Remedy: nasty})
	f.Extensions = append(f.Extensions, account.Extension{Name: nasty, Kind: nasty, Source: nasty})
	f.LayerFacts[0] = &account.LayerVersion{ARN: f.Layers[0].ARN + nasty, Archive: account.Archive{State: account.Failed, Message: nasty}}
	f.Layers[0].ARN += nasty
	f.Known = false
	b.errors = []account.RegionError{{Region: nasty, Message: nasty}}
	b.plan.Warnings = append(b.plan.Warnings, switchover.Notice{ID: nasty, Message: nasty})
	b.plan.Steps[0].Target, b.plan.Steps[1].Call, b.plan.Steps[2].Undo = nasty, nasty, nasty
	b.entries = []switchover.Entry{{ID: nasty, Function: nasty, Region: nasty, Account: nasty, State: nasty, Started: epoch}}
	return b
}

// clean fails if anything but text and colours is in the frame.
func clean(t interface {
	Helper()
	Fatalf(string, ...any)
}, m *model) {
	t.Helper()
	frame := m.View().Content
	for _, bad := range []string{"\x1b]", "\x9b2J", "\u009b", "\x00", "\x07", "\x7f", "\r", "\t", "\u202e", "\u2066", "\x1b[2J"} {
		if strings.Contains(frame, bad) {
			t.Fatalf("%q reached the frame:\n%q", bad, frame)
		}
	}
	// What is left of escapes is colours: CSI … m.
	rest := frame
	for {
		i := strings.IndexByte(rest, 0x1b)
		if i < 0 {
			return
		}
		rest = rest[i:]
		end := strings.IndexByte(rest, 'm')
		if !strings.HasPrefix(rest, "\x1b[") || end < 0 || strings.Trim(rest[2:end], "0123456789;:") != "" {
			t.Fatalf("an escape sequence that is no colour: %q", rest[:min(len(rest), 30)])
		}
		rest = rest[end:]
	}
}

func TestEscapeSequencesNeverReachTheFrame(t *testing.T) {
	for _, name := range []string{"functions", "enter", "L", "J", "m", "!", "J enter", "m down", "esc", "F"} {
		t.Run(name, func(t *testing.T) {
			r := newRobot(t, nastyBackend(), 120, 40).settle()
			r.press("6", "6", "1", "g")
			for _, k := range strings.Fields(name) {
				if k != "functions" {
					r.press(k).settle()
				}
			}
			if !strings.Contains(r.screen(), "red") && name != "L" && name != "m" && name != "m down" {
				t.Fatalf("the nasty text is not on screen, so this proves nothing:\n%s", r.screen())
			}
			clean(t, r.m)
			fits(t, r.m)
		})
	}
}

func TestPreviewOfNastyFile(t *testing.T) {
	for _, file := range []string{"a.py", "b.bin", "long.js"} {
		zips["nasty:1"] = map[string]string{
			"a.py": strings.ReplaceAll(nasty, "\x00", "") + "\nx = '\x1b[31mred'\n", "b.bin": nasty, "long.js": strings.Repeat("var red=1;", 9000),
		}
		r := newRobot(t, newFake(10), 80, 24).settle()
		r.press(":").write("opt " + arn("layer", "nasty:1")).press("enter").settle().see(file)
		r.press("/").write(file).press("enter", "enter").settle().see("red", "bytes")
		clean(t, r.m)
		fits(t, r.m)
		r.missing("ZXZpbA") // what a sequence carries goes with it
		r.press("right", "right", "G", "x")
		clean(t, r.m)
		fits(t, r.m)
		delete(zips, "nasty:1")
	}
}

// TestAnyKeysAnySize presses whatever comes, at any size: the frame always fits,
// nothing panics, and esc leads home.
func TestAnyKeysAnySize(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // where files that any keys ask for go
	keysToPress := []string{"enter", "esc", "up", "down", "left", "right", "tab", "pgup", "pgdown", "home", "end", "space", "backspace",
		"a", "b", "c", "d", "o", "m", "u", "x", "y", "r", "s", "S", "t", "q", "L", "J", "E", "C", "+", "-", "?", "!", "/", ":", "g", "G", "1", "5", "8", "0", "ctrl+d", "ctrl+u", "<", ">", "w", "e", "F",
		"M", "O", "f", "v", "i", "p", "n", "ctrl+a", "ctrl+t", "alt+up", "alt+down"}
	rapid.Check(t, func(rt *rapid.T) {
		var b *fakeBackend
		if rapid.Bool().Draw(rt, "nasty") {
			b = nastyBackend()
		} else {
			b = newFake(rapid.IntRange(6, 30).Draw(rt, "functions"))
		}
		b.armed = rapid.Bool().Draw(rt, "armed")
		b.dir = dir
		if rapid.IntRange(0, 3).Draw(rt, "sign-in") == 0 {
			b.refusals = []error{&Refusal{Title: nasty, Why: []string{nasty}, Type: []string{nasty}, Next: nasty, Err: errors.New(nasty)}}
		}
		ctx, cancel := context.WithCancel(context.Background())
		o := configured(func(c *config.Config) { c.Filters = map[string]string{"big": "size>20MB"} })
		o.NoColor = rapid.Bool().Draw(rt, "nocolor")
		m := newModel(ctx, b, o)
		m.browse = func(context.Context, string) bool { return false }
		r := &robot{t: t, b: b, m: m, msgs: make(chan tea.Msg, 64), cancel: cancel}
		m.tick = func(_ time.Duration, fn func(time.Time) tea.Msg) tea.Cmd {
			return tea.Tick(time.Millisecond, func(time.Time) tea.Msg { return fn(epoch) })
		}
		defer func() { cancel(); m.jobs.Cancel(); m.jobs.Wait() }()
		r.run(m.Init())
		resize := func(rt *rapid.T) {
			r.send(tea.WindowSizeMsg{Width: rapid.IntRange(20, 200).Draw(rt, "w"), Height: rapid.IntRange(5, 60).Draw(rt, "h")})
		}
		check := func(rt *rapid.T) {
			fits(rt, m)
			clean(rt, m)
		}
		resize(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"key":   func(rt *rapid.T) { r.press(rapid.SampledFrom(keysToPress).Draw(rt, "key")); check(rt) },
			"key 2": func(rt *rapid.T) { r.press(rapid.SampledFrom(keysToPress).Draw(rt, "key")); check(rt) },
			"write": func(rt *rapid.T) {
				r.write(rapid.SampledFrom([]string{"opt", "orders-api", fakeAccount, "size>1MB", "/x", "宽", "theme", "columns", "filter", "@big", "layers",
					"find py", "packages", "diff otel-collector:12 python-deps:4", "package:*"}).Draw(rt, "text"))
				check(rt)
			},
			"click": func(rt *rapid.T) {
				x, y := rapid.IntRange(0, m.w).Draw(rt, "x"), rapid.IntRange(0, m.h).Draw(rt, "y")
				r.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
				check(rt)
			},
			"wheel": func(rt *rapid.T) {
				r.send(tea.MouseWheelMsg{Button: rapid.SampledFrom([]tea.MouseButton{tea.MouseWheelUp, tea.MouseWheelDown}).Draw(rt, "wheel")})
				check(rt)
			},
			"paste":  func(rt *rapid.T) { r.send(tea.PasteMsg{Content: nasty}); check(rt) },
			"wait":   func(rt *rapid.T) { r.settle(); check(rt) },
			"resize": func(rt *rapid.T) { resize(rt); check(rt) },
		})
		// Home: what runs ends by itself, then esc closes what is open.
		r.settle()
		r.send(tea.WindowSizeMsg{Width: 80, Height: 24})
		for range 60 {
			r.press("esc").settle()
		}
		check(rt)
		if len(m.stack) != 1 || m.ask != nil || m.prompt != nil || m.first().Filter() != "" {
			rt.Fatalf("esc did not lead home: %s", fmt.Sprint(r.screen()))
		}
		if strings.TrimSpace(ansi.Strip(m.View().Content)) == "" {
			rt.Fatalf("home is empty")
		}
	})
}
