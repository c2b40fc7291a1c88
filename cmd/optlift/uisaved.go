package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/ui"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/sessionlog"
)

// savedReport shows a saved report on the terminal's screens. It has no account
// behind it: what the report does not hold can't be asked for.
type savedReport struct {
	load func() (*account.Report, error)

	mu     sync.Mutex
	report *account.Report // nil until it is read
}

// newSavedReport returns the screens' view of a saved report, which is read when
// they ask for it. What stands on standard input is read at once: it can't be
// while the screens have the terminal.
func newSavedReport(a *app, path string) (*savedReport, error) {
	if path == "-" {
		r, err := savedAudit(a, path)
		return &savedReport{report: r}, err
	}
	in, err := openReport(a, path)
	if err != nil {
		return nil, err
	}
	if err := in.Close(); err != nil {
		return nil, err
	}
	return &savedReport{load: func() (*account.Report, error) { return savedAudit(a, path) }}, nil
}

// SignIn reads the report.
func (s *savedReport) SignIn(context.Context, ui.Ask) error {
	if s.known() != nil {
		return nil
	}
	r, err := s.load()
	if err != nil {
		return &ui.Refusal{Title: "The report can't be shown", Why: []string{sentence(session.Explain(err))}, Next: "Write it again with optlift audit -o json.", Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report = r
	return nil
}

func (s *savedReport) known() *account.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report
}

var _ ui.Backend = (*savedReport)(nil)

// errSaved says why something can't be shown.
func (s *savedReport) errSaved(what string) error {
	return fmt.Errorf("%s is not in the %s: open the account itself to see it", what, s.title())
}

func (s *savedReport) title() string {
	r := s.known()
	switch {
	case r == nil:
		return "saved report"
	case r.Created == "":
		return "saved report, which does not say of when"
	}
	return "saved report of " + session.Clean(r.Created)
}

func (s *savedReport) Where() ui.Where {
	if s.known() == nil {
		return ui.Where{Saved: s.title()}
	}
	return ui.Where{Account: session.Clean(s.report.Account), Regions: s.report.Regions, Saved: s.title(), Created: s.report.Created, Accounts: s.accounts()}
}

// accounts are those that the report names, for a terminal.
func (s *savedReport) accounts() []account.AccountReport {
	out := slices.Clone(s.report.Accounts)
	for i := range out {
		out[i].Profile, out[i].Account = session.Clean(out[i].Profile), session.Clean(out[i].Account)
	}
	return out
}

func (s *savedReport) Armed() bool { return false }

func (s *savedReport) Arm(string) error {
	return errors.New("a " + s.title() + " has no account to change")
}

func (s *savedReport) Audit(ctx context.Context, emit func(account.Event)) error {
	for _, a := range s.report.Accounts {
		if a.Failed {
			emit(account.Event{Region: &account.RegionError{Profile: session.Clean(a.Profile), Message: session.Clean(a.Message)}})
		}
	}
	report.Replay(s.report, emit)
	return ctx.Err()
}

func (s *savedReport) Measure(_ context.Context, arn string) (*account.Facts, error) {
	for _, f := range report.Facts(s.report) {
		if f.ARN == arn {
			return f, nil
		}
	}
	return nil, s.errSaved(session.Clean(arn))
}

func (s *savedReport) History(_ context.Context, arn string) (*account.History, error) {
	for i := range s.report.Functions {
		if f := &s.report.Functions[i]; f.ARN == arn && f.History != nil {
			return f.History, nil
		}
	}
	return nil, s.errSaved("what versions and aliases a function has")
}

// opener opens zips of this machine, for which no account is needed.
func (s *savedReport) opener() *target.Opener {
	return &target.Opener{Session: func(context.Context) (*session.Session, error) {
		return nil, s.errSaved("what the archives hold")
	}}
}

func (s *savedReport) Open(ctx context.Context, targets ...string) (*target.Set, error) {
	return s.opener().Open(ctx, targets...)
}

func (s *savedReport) OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error) {
	return s.opener().Layer(ctx, ref, near, told)
}

func (s *savedReport) Fetch(context.Context, func(string, int64, int64), ...string) (*target.Set, error) {
	return nil, s.errSaved("what the archives hold")
}

func (s *savedReport) Find(context.Context, *find.Pattern, []find.Layer, func(find.Result)) error {
	return s.errSaved("what the archives hold")
}

func (s *savedReport) Plan(context.Context, string, switchover.Choices) (*switchover.Snapshot, *switchover.Plan, error) {
	return nil, nil, s.errSaved("what a switch needs to know")
}

func (s *savedReport) Apply(context.Context, *switchover.Snapshot, *switchover.Plan, switchover.Choices, migrate.Watch) (*switchover.Result, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) Resume(context.Context, string, migrate.Watch) (*switchover.Result, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) Rollback(context.Context, string, migrate.Watch) (*switchover.Result, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) CompareLayer(context.Context, string, string, string) (string, error) {
	return "", s.errSaved("a layer's image")
}

func (s *savedReport) PublishLayer(context.Context, string, string, string, func(image.Progress)) (string, error) {
	return "", s.errSaved("a layer's image")
}

func (s *savedReport) PlanFleet(context.Context, []fleet.Function, fleet.Options, func(done, total int)) (*fleet.Plan, error) {
	return nil, s.errSaved("what a switch needs to know")
}

func (s *savedReport) RunFleet(context.Context, *fleet.Plan, func(fleet.Event)) (*fleet.Report, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) ResumeFleet(context.Context, string, func(fleet.Event)) (*fleet.Report, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) RollbackFleet(context.Context, string, func(fleet.Event)) (*fleet.Report, error) {
	return nil, s.errSaved("an account to change")
}

func (s *savedReport) FleetJournals() ([]fleet.Entry, error) { return nil, s.errSaved("the journal") }

func (s *savedReport) Fleet(string) (*fleet.Entry, error) { return nil, s.errSaved("the journal") }

func (s *savedReport) Journals() ([]switchover.Entry, error) { return nil, s.errSaved("the journal") }

func (s *savedReport) Journal(string) (*switchover.Entry, error) {
	return nil, s.errSaved("the journal")
}

func (s *savedReport) Calls() ([]sessionlog.Call, int) { return nil, 0 }
func (s *savedReport) Explain(err error) string        { return session.Explain(err) }
