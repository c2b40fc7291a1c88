package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/prompt"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// armedMsg is how an attempt to arm the session ended.
type armedMsg struct {
	armed bool
	err   error
	then  func() screen.Effect
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.paint()
	case tea.ColorProfileMsg:
		m.depth = depthOf(msg.Profile, m.nocolor)
		m.paint()
	case tea.ResumeMsg:
		// While the program slept its window may have changed its colours.
		cmd = tea.RequestBackgroundColor
	case tea.MouseClickMsg:
		cmd = m.click(msg)
	case tea.MouseWheelMsg:
		cmd = m.wheel(msg)
	case browsed:
		if msg.started {
			m.say(screen.Good, "opened in the browser, and copied: "+msg.page)
		}
	case tea.KeyPressMsg:
		cmd = m.key(msg)
	case tea.PasteMsg:
		cmd = m.paste(msg)
	case screen.Tick:
		m.ticking = false
		m.drain()
		m.askNext()
		cmd = m.broadcast(msg)
	case job.Done:
		cmd = m.done(msg)
	case armedMsg:
		cmd = m.onArmed(msg)
	default:
		cmd = m.broadcast(msg)
	}
	return m, tea.Batch(cmd, m.keepTicking())
}

// depthOf is how deep a terminal's colours are.
func depthOf(p colorprofile.Profile, nocolor bool) theme.Depth {
	switch {
	case nocolor || p <= colorprofile.ASCII:
		return theme.Mono
	case p == colorprofile.ANSI:
		return theme.Sixteen
	}
	return theme.Full
}

// keepTicking has one tick under way while any job runs.
func (m *model) keepTicking() tea.Cmd {
	if m.ticking || m.jobs.Active() == 0 {
		return nil
	}
	m.ticking = true
	return m.tick(interval, func(now time.Time) tea.Msg { return screen.Tick{Now: now} })
}

// drain takes in what the audit has told since the last tick.
func (m *model) drain() {
	events := m.events.Take()
	if len(events) == 0 {
		return
	}
	for _, e := range events {
		m.inv.Apply(e)
		if e.Region != nil {
			m.say(screen.Warn, inventory.Whose(*e.Region)+": "+e.Region.Message)
		}
	}
	m.broadcast(functions.Changed{})
}

func (m *model) done(msg job.Done) tea.Cmd {
	m.drain()
	if m.signing != nil && msg.ID == m.signing.ID {
		return m.signedIn(msg)
	}
	if m.audit != nil && msg.ID == m.audit.ID {
		cancelled := m.audit.Cancelled()
		m.audit = nil
		m.inv.Finish()
		m.inv.Ended = time.Now()
		if msg.Err != nil && !cancelled {
			m.say(screen.Bad, msg.Err.Error())
		}
		return m.broadcast(functions.Changed{})
	}
	if facts, ok := msg.Value.(*account.Facts); ok && facts != nil {
		m.inv.Put(facts)
		m.broadcast(functions.Changed{})
	}
	if h, ok := msg.Value.(inventory.History); ok {
		m.inv.Tell(h)
		m.broadcast(functions.Changed{})
	}
	cmd := m.broadcast(msg)
	if m.leaving && m.jobs.Guarded() == nil {
		m.interrupted = true
		return tea.Quit
	}
	return cmd
}

// reread reads a function again that has been changed. Where that fails the old
// facts stay, and the log says why.
func (m *model) reread(function string) tea.Cmd {
	row, ok := m.inv.Named(function)
	if !ok {
		return nil
	}
	b, arn := m.backend, row.ARN
	_, cmd := m.jobs.Start("measure "+row.Name, false, func(ctx context.Context) (any, error) {
		facts, err := b.Measure(ctx, arn)
		if err != nil {
			return nil, explained(b, err)
		}
		return facts, nil
	})
	return cmd
}

// broadcast hands a message to every screen, and to the migration wherever it is.
func (m *model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range slices.Clone(m.stack) {
		cmds = append(cmds, m.perform(s.Update(msg)))
	}
	if m.current != nil && !slices.Contains(m.stack, screen.Screen(m.current)) {
		cmds = append(cmds, m.perform(m.current.Update(msg)))
	}
	return tea.Batch(cmds...)
}

func (m *model) tooSmall() bool { return m.w < minWidth || m.h < minHeight }

func (m *model) key(msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	if key == "alt+esc" {
		// Two escapes in one breath arrive as one key.
		esc := tea.KeyPressMsg{Code: tea.KeyEscape}
		return tea.Batch(m.key(esc), m.key(esc))
	}
	if key == "ctrl+c" && (m.ask == nil || !m.ask.Takes(key)) {
		return m.leave()
	}
	if m.ask != nil {
		return m.answer(msg)
	}
	if m.tooSmall() && key != "esc" && key != "q" {
		return nil
	}
	if m.prompt != nil {
		return m.typing(msg)
	}
	m.note = ""
	action, ok := keys.Find(msg, m.bound.Apply(m.actions()), m.bound.Apply(m.globals()))
	if !ok {
		return nil
	}
	return m.act(action)
}

func (m *model) act(a keys.Action) tea.Cmd {
	if a.Disabled != "" {
		m.say(screen.Info, "not now: "+a.Disabled)
		return nil
	}
	if cmd, ok := m.global(a.ID); ok {
		return cmd
	}
	return m.perform(m.top().Do(a.ID))
}

func (m *model) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case m.ask != nil:
		return m.answer(msg)
	case m.prompt != nil:
		return m.typing(msg)
	}
	return nil
}

// answer hands a key or a paste to the question on screen.
func (m *model) answer(msg tea.Msg) tea.Cmd {
	action := m.ask.Update(msg)
	if !action.Closed {
		if action.Changed && m.ask.Typed != nil {
			return m.ask.Typed(m.ask.Text())
		}
		return nil
	}
	then := m.ask.Then
	m.ask = nil
	if then == nil {
		return nil
	}
	return m.perform(then(action.Answer))
}

// perform does what a screen wants.
func (m *model) perform(e screen.Effect) tea.Cmd {
	cmds := []tea.Cmd{e.Cmd}
	if e.Note != "" {
		m.say(e.Level, e.Note)
	}
	if e.Log != "" {
		m.log.Add(e.Log)
	}
	if e.Copy != "" {
		cmds = append(cmds, tea.SetClipboard(e.Copy))
		m.say(screen.Good, "copied: "+e.Copy)
	}
	if e.Ask != nil {
		m.ask, m.prompt = e.Ask, nil
	}
	if e.Arm != nil {
		cmds = append(cmds, m.arm(e.Arm))
	}
	if e.Back {
		cmds = append(cmds, m.back())
	}
	if e.Open.Name != "" {
		cmds = append(cmds, m.open(e.Open))
	}
	if e.Show != nil {
		m.push("", e.Show)
	}
	for _, function := range e.Reread {
		cmds = append(cmds, m.reread(function))
	}
	if e.Quit {
		cmds = append(cmds, m.leave())
	}
	return tea.Batch(cmds...)
}

// back takes one thing away: what the screen has to take back, the filter, then
// the screen.
func (m *model) back() tea.Cmd {
	if u, ok := m.top().(screen.Unwinder); ok && u.Unwinds() != "" {
		return m.perform(u.Unwind())
	}
	if f, ok := m.top().(screen.Filterable); ok && f.Filter() != "" {
		_ = f.SetFilter("")
		return nil
	}
	m.pop(len(m.stack) - 1)
	return nil
}

// typing hands a key or a paste to the prompt.
func (m *model) typing(msg tea.Msg) tea.Cmd {
	p := m.prompt
	outcome := p.Update(msg)
	if p.Mark == ":" {
		switch outcome {
		case prompt.Accepted:
			m.prompt = nil
			return m.command(p.Text())
		case prompt.Cancelled:
			m.prompt = nil
		}
		return nil
	}
	f, ok := m.top().(screen.Filterable)
	if !ok {
		m.prompt = nil
		return nil
	}
	switch outcome {
	case prompt.Changed:
		p.Err = ""
		if err := f.SetFilter(p.Text()); err != nil {
			p.Err = err.Error()
		}
	case prompt.Accepted:
		if p.Err == "" {
			m.prompt = nil
			m.filters = remember(m.filters, p.Text())
		}
	case prompt.Cancelled:
		m.prompt = nil
		_ = f.SetFilter("")
	}
	return nil
}
