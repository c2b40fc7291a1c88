package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/finder"
	"github.com/optlift/optlift/ui/screen"
)

// openFind looks for a pattern in the layers of all functions, or asks for one.
func (m *model) openFind(key string, words []string) tea.Cmd {
	if len(words) == 0 {
		return m.perform(screen.Effect{Ask: &screen.Question{
			Dialog: dialog.Entry("Find in the layers", "what to look for", "",
				"Every layer version that a function has is looked into: numpy (a part of a path), *.so (a name), /opt/bin/x (how a path begins), package:numpy@2.1 (a package, with or without its version)."),
			Then: func(text string) screen.Effect {
				if text == "" {
					return screen.Effect{}
				}
				return screen.Effect{Open: screen.Place{Name: "find", Args: []string{text}}}
			},
		}})
	}
	p, err := find.Parse(strings.Join(words, " "))
	if err != nil {
		m.say(screen.Bad, err.Error())
		return nil
	}
	s := finder.New(p, m.findCommand(p), m.inv, m.jobs, m.backend)
	m.push(key, s)
	return m.perform(s.Start())
}

// findCommand looks for the same in the same accounts and regions.
func (m *model) findCommand(p *find.Pattern) string {
	words := []string{"optlift", "find", p.String()}
	var profiles []string
	for _, a := range m.where.Accounts {
		profiles = append(profiles, a.Profile)
	}
	switch {
	case len(profiles) > 1:
		words = append(words, "--profile", strings.Join(profiles, ","))
	case m.account.Profile != "":
		words = append(words, "--profile", m.account.Profile)
	}
	if len(m.where.Regions) > 0 {
		words = append(words, "--region", strings.Join(m.where.Regions, ","))
	}
	for i, w := range words {
		words[i] = awscli.Quote(w)
	}
	return strings.Join(words, " ")
}
