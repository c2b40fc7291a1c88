package functions

import (
	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/theme"
)

// Away is what stands in the place of the functions while there is no account.
type Away struct {
	Trying bool     // one is being opened
	Title  string   // what is being done, or that it failed
	Why    []string // paragraphs
	Type   []string // lines to type into a shell
	Next   string   // what else helps, "" for nothing
	Demo   bool     // say that there is a demo account
}

// Account is whose functions are shown.
type Account struct {
	CLI     awscli.Account
	ID      string
	Regions []string
	// Of are the accounts that an exported report names.
	Of []account.AccountReport
	// Live tells that an account is asked; else Created is when what is shown was
	// found, "" where nobody knows.
	Live    bool
	Created string
}

// Stay shows why there is no account.
func (s *Screen) Stay(a *Away) { s.away = a }

// Meet shows the functions of an account from now on.
func (s *Screen) Meet(a Account) {
	s.away, s.account = nil, a
	s.use(s.layout) // which columns there are depends on the account
	s.sync()
}

// absent draws what stands in the place of the functions.
func (s *Screen) absent(st *theme.Styles, w int) []string {
	out := []string{""}
	say := func(t theme.Tone, text string) { out = append(out, draw.Para(st, w-1, 2, t, text)...) }
	a := s.away
	if a.Trying {
		say(theme.Strong, a.Title)
		for _, p := range a.Why {
			say(theme.Dim, p)
		}
		return out
	}
	say(theme.Bad, a.Title)
	for _, p := range a.Why {
		say(theme.Plain, p)
	}
	out = append(out, "")
	for i, line := range a.Type {
		lead := "in another terminal:"
		if i > 0 {
			lead = "                 or:"
		}
		out = append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, lead+" ").Put(theme.Strong, line).String())
	}
	if a.Next != "" {
		say(theme.Strong, a.Next)
	}
	if len(a.Type) > 0 || a.Next != "" {
		out = append(out, "")
	}
	out = append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Accent, s.Key(Refresh)).Put(theme.Dim, " tries again").String())
	say(theme.Dim, "Another profile, region or environment needs a new start: "+s.Key("quit")+" leaves.")
	if a.Demo {
		say(theme.Dim, "optlift --demo shows everything on an account of its own.")
	}
	return out
}
