package function

import (
	"context"
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Measurer reads one function again.
type Measurer interface {
	Measure(ctx context.Context, arn string) (*account.Facts, error)
	History(ctx context.Context, arn string) (*account.History, error)
	Explain(err error) string
}

// Screen is one function.
type Screen struct {
	keys.Hints
	inv     *inventory.Inventory
	arn     string
	account awscli.Account
	jobs    *job.Group
	measure Measurer
	pager   list.Pager
	job     *job.Job
	doing   string // what the job does
	failed  string
}

// New returns the screen of the function arn, which the inventory may not know
// yet: Start reads it then.
func New(inv *inventory.Inventory, arn string, account awscli.Account, jobs *job.Group, m Measurer) *Screen {
	return &Screen{inv: inv, arn: arn, account: account, jobs: jobs, measure: m}
}

// Start reads the function where nothing is known of it and nobody is about to.
func (s *Screen) Start() screen.Effect {
	if r, ok := s.inv.Get(s.arn); ok && (r.Facts != nil || s.inv.Running()) {
		return screen.Effect{}
	}
	return s.read()
}

func (s *Screen) read() screen.Effect {
	arn, m := s.arn, s.measure
	s.failed = ""
	return s.start("measure", func(ctx context.Context) (any, error) { return m.Measure(ctx, arn) })
}

// history asks for the versions and aliases, which an audit does not.
func (s *Screen) history() screen.Effect {
	arn, m := s.arn, s.measure
	return s.start(versions, func(ctx context.Context) (any, error) {
		h, err := m.History(ctx, arn)
		return inventory.History{ARN: arn, History: h}, err
	})
}

const versions = "read the versions and aliases of"

// start starts the one job of the screen. What it brings is taken in by the root.
func (s *Screen) start(what string, work func(context.Context) (any, error)) screen.Effect {
	m := s.measure
	j, cmd := s.jobs.Start(what+" "+s.arn, false, func(ctx context.Context) (any, error) {
		got, err := work(ctx)
		if err != nil {
			return nil, errors.New(m.Explain(err))
		}
		return got, nil
	})
	s.job, s.doing = j, what
	return screen.Effect{Cmd: cmd}
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	if r, ok := s.inv.Get(s.arn); ok {
		return r.Name
	}
	return s.arn
}

// Count implements screen.Counter.
func (s *Screen) Count() string { return s.pager.Hint() }

// ARN is the function on screen.
func (s *Screen) ARN() string { return s.arn }

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	image, busy := "", ""
	if r, ok := s.inv.Get(s.arn); !ok {
		image = "the function has not been read"
	} else if r.PackageType == "Image" {
		image = r.Name + " already is a container image"
	}
	if s.job != nil {
		busy = "the function is being read just now"
	}
	own := []keys.Action{
		{ID: "opt", Keys: []string{"enter", "o"}, Label: "/opt", Group: "Function", Help: "look under /opt: its layers merged", Disabled: image},
		{ID: "packages", Keys: []string{"p"}, Label: "packages", Minor: true, Group: "Function", Help: "the packages in its layers and code", Disabled: image},
		{ID: "migrate", Keys: []string{"m"}, Label: "migrate", Group: "Function", Help: "plan the switch to a container image", Disabled: image},
		{ID: "measure", Keys: []string{"r"}, Label: "measure again", Group: "Function", Help: "read the function and its archives again", Disabled: busy},
		{ID: "versions", Keys: []string{"v"}, Label: "versions", Minor: true, Group: "Function", Help: "ask for its published versions and aliases", Disabled: busy},
		{ID: "copy", Keys: []string{"y"}, Group: "Function", Help: "copy the AWS CLI call"},
	}
	return append(own, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
	case "opt", "packages", "migrate":
		return screen.Effect{Open: screen.Place{Name: id, Args: []string{s.arn}}}
	case "measure":
		return s.read()
	case "versions":
		return s.history()
	case "copy":
		return screen.Effect{Copy: s.account.GetFunction(s.arn)}
	}
	s.pager.Do(id)
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if !ok || s.job == nil || done.ID != s.job.ID {
		return screen.Effect{}
	}
	cancelled := s.job.Cancelled()
	s.job = nil
	if done.Err != nil {
		if cancelled {
			return screen.Effect{}
		}
		if s.doing != versions {
			s.failed = done.Err.Error()
		}
		return screen.Say(screen.Bad, done.Err.Error())
	}
	if s.doing == versions {
		return screen.Say(screen.Good, "read the versions and aliases of "+s.Crumb())
	}
	return screen.Say(screen.Good, "measured "+s.Crumb())
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	p := page{st: st, w: w}
	r, ok := s.inv.Get(s.arn)
	switch {
	case ok:
		p.function(s.inv, r, s.inv.Running() || s.job != nil)
	case s.failed != "":
		p.line()
		p.say(theme.Bad, "The function could not be read.")
		p.say(theme.Plain, s.failed)
		p.say(theme.Dim, s.Key("measure")+" tries again.")
	default:
		p.line()
		p.say(theme.Dim, "Reading "+s.arn+" …")
	}
	from, to := s.pager.Window(len(p.out), h)
	return p.out[from:to]
}
