package ui

import (
	"context"
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// homely are the places that need no account.
var homely = []string{"functions", "columns", "theme", "mouse", "log", "help", "refresh", "quit"}

// arrival is that there is an account, and what is known of it.
type arrival struct {
	where Where
	armed bool
}

// absent says why there is no account, "" where there is one.
func (m *model) absent() string {
	switch {
	case m.away == nil:
		return ""
	case m.away.Trying:
		return "there is no account yet"
	}
	return "there is no account: " + m.keyOf(functions.Refresh) + " on the first screen tries again"
}

// signIn begins to find out whose account it is.
func (m *model) signIn() tea.Cmd {
	b := m.backend
	j, cmd := m.jobs.Start("sign in", false, func(ctx context.Context) (any, error) {
		err := b.SignIn(ctx, m.askCode)
		var told *Refusal
		switch {
		case err == nil:
			return arrival{b.Where(), b.Armed()}, nil
		case errors.As(err, &told):
			return nil, told
		}
		return nil, &Refusal{Title: "Not signed in", Why: []string{b.Explain(err)}, Err: err}
	})
	m.signing = j
	m.leaveWaiting()
	return cmd
}

// leaveWaiting shows that an account is being opened.
func (m *model) leaveWaiting() {
	m.refused = nil
	m.stay(&functions.Away{Trying: true, Title: m.where.opening() + " …", Why: []string{"Functions appear as soon as the first page is here."}})
}

func (m *model) stay(a *functions.Away) {
	m.away = a
	m.first().Stay(a)
}

// opening says what is being done to have an account.
func (w *Where) opening() string {
	switch {
	case w.Saved != "":
		return "Reading the " + w.Saved
	case w.Demo:
		return "Starting the demo account"
	case len(w.Accounts) > 1:
		return "Signing in with " + draw.Plural(len(w.Accounts), "profile")
	case w.Profile != "":
		return "Signing in with profile " + w.Profile
	}
	return "Signing in"
}

// signedIn takes in how signing in has ended.
func (m *model) signedIn(msg job.Done) tea.Cmd {
	cancelled := m.signing.Cancelled()
	m.signing = nil
	if here, ok := msg.Value.(arrival); ok && msg.Err == nil {
		m.arrive(here)
		return m.startAudit()
	}
	var told *Refusal
	if !errors.As(msg.Err, &told) {
		told = &Refusal{Title: "Not signed in", Err: msg.Err}
	}
	if cancelled {
		return nil // the user is leaving
	}
	m.refused = told.Err
	m.log.Add(strings.Join(append([]string{told.Title}, told.Why...), ": "))
	m.stay(&functions.Away{Title: told.Title, Why: slices.Clone(told.Why), Type: told.Type, Next: told.Next, Demo: !m.where.Demo && m.where.Saved == ""})
	return nil
}

// arrive shows the account.
func (m *model) arrive(here arrival) {
	m.where, m.armed, m.away, m.refused = here.where, here.armed, nil, nil
	if len(m.where.Accounts) > 1 {
		m.inv.Profiles = m.where.profiles()
		m.account.Profiles = m.inv.Profiles
	}
	if !m.where.Demo {
		m.account.Profile = m.where.Profile
	}
	if m.where.Note != "" {
		m.say(screen.Warn, m.where.Note)
	}
	m.first().Meet(functions.Account{
		CLI: m.account, ID: m.where.Account, Regions: m.where.Regions, Of: m.where.accounts(),
		Live: m.where.Saved == "", Created: m.where.Created,
	})
}

// badgeAway is the banner's badge where there is no account: what can be changed
// once there is one.
func (m *model) badgeAway(badge string) string {
	switch {
	case !m.away.Trying:
		return " NO ACCOUNT "
	case m.armed:
		return " ▲ ARMED once it is there "
	}
	return badge
}

// bannerAway says in the banner why no account is named.
func (m *model) bannerAway(l *draw.Line, plain theme.Tone) {
	switch {
	case !m.away.Trying:
		l.Put(plain, " ✗ no account")
	case m.where.Saved != "":
		l.Put(plain, " reading …")
	case m.where.Demo:
		l.Put(plain, " starting …")
	default:
		l.Put(plain, " signing in …")
	}
}

// code is a token code that work waits for. Its answer is "" where none was typed.
type code struct {
	profile string
	answer  chan string
}

// askCode is the Ask of the backend. It is called by jobs.
func (m *model) askCode(profile string) (string, error) {
	c := &code{profile: profile, answer: make(chan string, 1)}
	m.codes.Put(c)
	select {
	case typed := <-c.answer:
		if typed == "" {
			return "", ErrNotTyped
		}
		return typed, nil
	case <-m.ctx.Done():
		return "", m.ctx.Err()
	}
}

// askNext asks for a token code that is waited for, unless the user is typing or
// being asked something.
func (m *model) askNext() {
	m.unasked = append(m.unasked, m.codes.Take()...)
	if len(m.unasked) == 0 || m.ask != nil || m.prompt != nil {
		return
	}
	c := m.unasked[0]
	m.unasked = m.unasked[1:]
	whose := "The role in use"
	if c.profile != "" {
		whose = "The role of profile " + c.profile
	}
	m.ask = &screen.Question{
		Dialog: dialog.Entry("Token code", "the code that the device shows now", "", whose+" can be used with a token code only."),
		Then: func(typed string) screen.Effect {
			c.answer <- typed
			return screen.Effect{}
		},
	}
}
