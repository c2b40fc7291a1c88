package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/optlift/optlift/ui/sanitize"
)

// Run shows the terminal until the user leaves. interrupted reports that a
// running job was cut short by leaving; err is also why there was no account,
// where the user left it at that. It returns once all work has ended; a job that
// changes the account ends at a safe place first.
func Run(ctx context.Context, b Backend, opts Options) (interrupted bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A signal ends ctx, which is the caller's to see to. The library's own handler
	// would make of the same signal a message that nobody takes any more, and wait
	// for ever.
	programOptions := []tea.ProgramOption{tea.WithContext(ctx), tea.WithoutSignalHandler()}
	if opts.NoColor {
		programOptions = append(programOptions, tea.WithColorProfile(colorprofile.ASCII))
	}
	return run(ctx, newModel(ctx, b, opts), opts, programOptions...)
}

// Model is what Run shows, for a test that presses the keys and looks at each
// frame by itself. end ends the work that it has begun, and waits for it.
func Model(ctx context.Context, b Backend, opts Options) (root tea.Model, end func()) {
	m := newModel(ctx, b, opts)
	m.browse = func(context.Context, string) bool { return false }
	return m, func() {
		m.end()
		m.jobs.Cancel()
		m.jobs.Wait()
	}
}

func run(ctx context.Context, m *model, opts Options, programOptions ...tea.ProgramOption) (interrupted bool, err error) {
	_, err = tea.NewProgram(m, programOptions...).Run()
	out := opts.Farewell
	if out == nil {
		out = os.Stderr
	}
	interrupted = m.interrupted
	guarded := m.jobs.Guarded()
	m.jobs.Cancel()
	m.end() // nobody is there to be asked for a code any more
	if guarded != nil {
		// Ended from outside, or left while the last step was ending.
		interrupted = true
		fmt.Fprintf(out, "optlift: %s: stopping at the next safe place …\n", sanitize.Text(guarded.Name))
	}
	m.jobs.Wait()
	m.farewell(out)
	if err := m.keep(opts.History); err != nil {
		fmt.Fprintln(out, "optlift: "+sanitize.Text(err.Error()))
	}
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return interrupted, m.refused
	case ctx.Err() != nil:
		return interrupted, ctx.Err()
	}
	return interrupted, fmt.Errorf("run the terminal: %w", err)
}

// farewell says, once the screen is gone, how the last migration ended and what
// to type next.
func (m *model) farewell(out io.Writer) {
	if m.current == nil {
		return
	}
	m.current.Settle()
	for _, line := range m.current.Farewell() {
		fmt.Fprintln(out, "optlift: "+sanitize.Text(line))
	}
}
