package main

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/ui"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/sessionlog"
)

// runUI opens the terminal. It needs a terminal on both ends; where there is
// none it says so in one line and names the command that needs none. from is a
// saved report to show instead of an account, "" for none.
func runUI(ctx context.Context, a *app, from string) error {
	switch {
	case !a.io.inTTY || !a.io.outTTY:
		return usagef("the terminal UI needs a terminal, and this is a pipe: optlift audit prints the same account")
	case os.Getenv("TERM") == "dumb":
		return usagef("the terminal UI can't work with TERM=dumb: optlift audit prints the same account")
	}
	b, err := a.backend(ctx, from)
	if err != nil {
		return err
	}
	return a.show(ctx, b)
}

// backend is what the terminal shows. It asks nobody yet: what it refuses are
// mistakes on the command line and in files.
func (a *app) backend(ctx context.Context, from string) (ui.Backend, error) {
	if from != "" {
		return newSavedReport(a, from)
	}
	if err := a.checkAccounts(); err != nil {
		return nil, err
	}
	if a.write && len(a.profiles) > 1 {
		return nil, usagef("--write is for one account, and --profile names several: %s", ui.OneProfile)
	}
	profiles := a.profiles
	if len(profiles) == 0 {
		profiles = []string{""}
	}
	var first session.Outlook
	talks := false
	for i, p := range profiles {
		opts, err := a.sessionOptions(p)
		if err == nil {
			err = opts.Check()
		}
		if err != nil {
			return nil, err
		}
		if a.demo {
			break // what this machine's files say is not of the demo
		}
		o := session.Ahead(ctx, opts)
		talks = talks || o.Talks
		if i == 0 {
			first = o
		}
	}
	if talks {
		// A program that gives credentials may ask for something itself, and it
		// can't while the screens have the terminal.
		if err := trust(a.caBundle); err != nil {
			return nil, err
		}
		if _, err := a.openAll(ctx); err != nil {
			return nil, err
		}
	}
	if len(a.profiles) > 1 {
		return newAccounts(a), nil
	}
	return &workspace{app: a, ahead: first}, nil
}

func (a *app) show(ctx context.Context, b ui.Backend) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	state, err := a.state()
	if err != nil {
		return err
	}
	interrupted, err := ui.Run(ctx, b, ui.Options{
		Version: version(),
		// Any value counts, as no-color.org asks.
		NoColor: os.Getenv("NO_COLOR") != "",
		Config:  cfg,
		History: filepath.Join(state, "history"),
	})
	if err == nil && interrupted {
		err = context.Canceled
	}
	return err
}

// screenAge is how old an answer may be to be on screen until AWS has been asked
// again, which begins when all rows are there.
const screenAge = 7 * 24 * time.Hour

// workspace is what the terminal asks for, wired to the rooms below.
type workspace struct {
	app   *app
	ahead session.Outlook
	in    atomic.Pointer[signedIn] // nil until it is known whose account it is
}

// signedIn is what there is once it is known whose account it is.
type signedIn struct {
	session *session.Session
	auditor *account.Auditor
}

var _ ui.Backend = (*workspace)(nil)

// SignIn opens the session, starting the embedded account first where it is asked for.
func (w *workspace) SignIn(ctx context.Context, ask ui.Ask) error {
	w.app.ask.Store(&ask)
	if err := trust(w.app.caBundle); err != nil {
		return refusal(err)
	}
	s, err := w.app.open(ctx)
	if err != nil {
		return refusal(err)
	}
	w.in.Store(&signedIn{s, w.app.auditorOf(s, account.Freshness{MaxAge: screenAge, Behind: true})})
	return nil
}

func (w *workspace) Where() ui.Where {
	in := w.in.Load()
	if in == nil {
		return ui.Where{Profile: w.ahead.Profile, Regions: w.ahead.Regions, Demo: w.app.demo}
	}
	s := in.session
	return ui.Where{
		Account: s.Account, Caller: s.CallerARN, Profile: s.Profile,
		Regions: s.Regions, Demo: w.app.demo, Note: s.RegionsNote,
		Endpoint: s.Endpoint(),
	}
}

func (w *workspace) Armed() bool {
	if in := w.in.Load(); in != nil {
		return in.session.Armed()
	}
	return w.app.write
}

func (w *workspace) Arm(accountID string) error { return w.in.Load().session.Arm(accountID) }
func (w *workspace) Explain(err error) string   { return session.Explain(err) }

func (w *workspace) Calls() ([]sessionlog.Call, int) {
	if in := w.in.Load(); in != nil {
		return callsOf(in.session)
	}
	return nil, 0
}

func callsOf(s *session.Session) ([]sessionlog.Call, int) {
	calls, total := s.Log().Calls()
	out := make([]sessionlog.Call, len(calls))
	for i, c := range calls {
		out[i] = sessionlog.Call{
			At: c.At, Operation: c.Service + " " + c.Operation, Region: c.Region, Target: c.Target,
			Duration: c.Duration, Attempts: c.Attempts, Err: c.Error,
		}
	}
	return out, total
}

func (w *workspace) Audit(ctx context.Context, emit func(account.Event)) error {
	return w.in.Load().auditor.Audit(ctx, emit)
}

func (w *workspace) Measure(ctx context.Context, arn string) (*account.Facts, error) {
	return w.in.Load().auditor.Measure(ctx, arn)
}

func (w *workspace) History(ctx context.Context, arn string) (*account.History, error) {
	return w.in.Load().auditor.History(ctx, arn)
}

func (w *workspace) Open(ctx context.Context, targets ...string) (*target.Set, error) {
	opener, err := w.app.opener()
	if err != nil {
		return nil, err
	}
	opener.Partly = true
	return opener.Open(ctx, targets...)
}

func (w *workspace) Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*target.Set, error) {
	opener, err := w.app.opener()
	if err != nil {
		return nil, err
	}
	return opener.Fetch(ctx, progress, targets...)
}

func (w *workspace) OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error) {
	opener, err := w.app.opener()
	if err != nil {
		return nil, err
	}
	return opener.Layer(ctx, ref, near, told)
}

func (w *workspace) Find(ctx context.Context, p *find.Pattern, layers []find.Layer, emit func(find.Result)) error {
	return w.app.finder(w.Open).Find(ctx, p, layers, emit)
}

func (w *workspace) Plan(ctx context.Context, arn string, c switchover.Choices) (*switchover.Snapshot, *switchover.Plan, error) {
	_, snap, plan, err := w.app.plan(ctx, arn, c)
	return snap, plan, err
}

func (w *workspace) Apply(ctx context.Context, snap *switchover.Snapshot, plan *switchover.Plan, c switchover.Choices, watch migrate.Watch) (*switchover.Result, error) {
	s, err := w.app.switcher(ctx, snap.Region)
	if err != nil {
		return nil, err
	}
	return s.Pausing(watch.Pause).Apply(ctx, snap, plan, c, watch.Emit)
}

func (w *workspace) Resume(ctx context.Context, journal string, watch migrate.Watch) (*switchover.Result, error) {
	s, err := w.switcherOf(ctx, journal)
	if err != nil {
		return nil, err
	}
	return s.Pausing(watch.Pause).Resume(ctx, journal, watch.Emit)
}

func (w *workspace) Rollback(ctx context.Context, journal string, watch migrate.Watch) (*switchover.Result, error) {
	s, err := w.switcherOf(ctx, journal)
	if err != nil {
		return nil, err
	}
	return s.Pausing(watch.Pause).Rollback(ctx, journal, watch.Emit)
}

func (w *workspace) switcherOf(ctx context.Context, journal string) (*switchover.Switcher, error) {
	entry, err := w.Journal(journal)
	if err != nil {
		return nil, err
	}
	return w.app.switcher(ctx, entry.Region)
}

func (w *workspace) Journals() ([]switchover.Entry, error) {
	dir, err := w.app.state()
	if err != nil {
		return nil, err
	}
	return switchover.Journals(dir)
}

func (w *workspace) Journal(id string) (*switchover.Entry, error) {
	dir, err := w.app.state()
	if err != nil {
		return nil, err
	}
	return switchover.ReadJournal(dir, id)
}

// regionOf returns the region of a function: its ARN's, or the session's only one.
func (a *app) regionOf(ctx context.Context, function string) (string, error) {
	s, err := a.open(ctx)
	if err != nil {
		return "", err
	}
	if region := account.RegionOfARN(function); region != "" {
		return region, nil
	}
	if len(s.Regions) != 1 {
		return "", usagef("name one region with --region, or give the function's ARN: the session has %d", len(s.Regions))
	}
	return s.Regions[0], nil
}
