package ui

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// headless are the options of a program without a terminal, and its keyboard.
func headless(t *testing.T, ctx context.Context) ([]tea.ProgramOption, io.Writer) {
	t.Helper()
	in, keyboard := io.Pipe()
	t.Cleanup(func() { keyboard.Close() })
	return []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(io.Discard), tea.WithWindowSize(80, 24),
		tea.WithColorProfile(colorprofile.ASCII), tea.WithEnvironment([]string{"TERM=xterm-256color"}), tea.WithoutSignals(),
	}, keyboard
}

func TestRunLeavesByKey(t *testing.T) {
	b := newFake(10)
	b.dir = t.TempDir()
	options, keyboard := headless(t, t.Context())
	go keyboard.Write([]byte("q"))
	m := newModel(t.Context(), b, Options{})
	var out bytes.Buffer
	interrupted, err := run(t.Context(), m, Options{Farewell: &out}, options...)
	if interrupted || err != nil || out.Len() != 0 {
		t.Fatalf("interrupted %v, %v, said %q", interrupted, err, out.String())
	}
	if m.jobs.Active() != 0 {
		t.Fatal("work is left behind")
	}
}

// farewell lets the running step end once the program says that it waits for it.
type farewell struct {
	bytes.Buffer
	waits func()
}

func (f *farewell) Write(p []byte) (int, error) {
	if f.waits != nil {
		f.waits()
		f.waits = nil
	}
	return f.Buffer.Write(p)
}

// Ended from outside while an account is changed: the running step ends first,
// and what to type next is said.
func TestRunWaitsForTheRunningStep(t *testing.T) {
	b := newFake(10)
	b.armed, b.step = true, make(chan struct{})
	r := migrateTo(t, b, 80, 24).press("a").write("orders-api").press("enter").see("▸ + backup")
	b.step <- struct{}{}
	r.see("▸ + build-image")

	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the terminal is gone
	options, _ := headless(t, ctx)
	out := &farewell{waits: func() { b.step <- struct{}{} }}
	interrupted, _ := run(ctx, r.m, Options{Farewell: out}, options...)
	if !interrupted {
		t.Fatal("a job was cut short and nobody says so")
	}
	if r.m.jobs.Active() != 0 {
		t.Fatal("Run did not wait")
	}
	for _, want := range []string{"stopping at the next safe place", "stopped. Stopped after 2 of 8 steps", "next: optlift resume"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q was not said: %q", want, out.String())
		}
	}
}
