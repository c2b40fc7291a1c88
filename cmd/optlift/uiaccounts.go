package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/ui"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/sessionlog"
)

// accounts shows the accounts of several profiles side by side. It never changes
// one: its sessions are never armed, and nothing it has can arm them.
type accounts struct {
	app *app

	mu       sync.Mutex
	places   []*place                    // none before SignIn
	auditors map[string]*account.Auditor // by account
	users    map[string]string           // by layer version: an account whose function has it
}

var _ ui.Backend = (*accounts)(nil)

// errOneProfile says what to do to change something.
var errOneProfile = errors.New("nothing is changed while several profiles are shown: " + ui.OneProfile)

func newAccounts(a *app) *accounts {
	return &accounts{app: a, auditors: map[string]*account.Auditor{}, users: map[string]string{}}
}

// SignIn opens every profile.
func (s *accounts) SignIn(ctx context.Context, ask ui.Ask) error {
	s.app.ask.Store(&ask)
	if err := trust(s.app.caBundle); err != nil {
		return refusal(err)
	}
	places, err := s.app.openAll(ctx)
	if err != nil {
		return refusal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places = places
	for _, p := range places {
		if p.stands() {
			s.auditors[p.session.Account] = s.app.auditorOf(p.session, account.Freshness{MaxAge: screenAge, Behind: true})
		}
	}
	return nil
}

// stands reports that a place stands for an account.
func (p *place) stands() bool { return p.session != nil && p.report.Message == "" }

func (s *accounts) all() []*place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.places
}

// open are the places that stand for an account, in the order they were named.
func (s *accounts) open() (out []*place) {
	for _, p := range s.all() {
		if p.stands() {
			out = append(out, p)
		}
	}
	return out
}

// of is the place whose session is asked for something: the account's, or of a
// layer version of others that of an account that uses it.
func (s *accounts) of(arn string) *place {
	id := account.AccountOfARN(arn)
	open := s.open()
	s.mu.Lock()
	user := s.users[arn]
	s.mu.Unlock()
	for _, id := range []string{id, user} {
		for _, p := range open {
			if p.session.Account == id {
				return p
			}
		}
	}
	if account.IsLayerVersion(arn) {
		return open[0] // which may have been granted it
	}
	return nil
}

func (s *accounts) Where() ui.Where {
	w := ui.Where{}
	var notes []string
	places := s.all()
	if places == nil {
		for _, profile := range s.app.profiles {
			w.Accounts = append(w.Accounts, account.AccountReport{Profile: strings.TrimSpace(profile)})
		}
	}
	for _, p := range places {
		w.Accounts = append(w.Accounts, p.report)
		w.Account = cmp.Or(w.Account, p.report.Account)
		for _, region := range p.report.Regions {
			if !slices.Contains(w.Regions, region) {
				w.Regions = append(w.Regions, region)
			}
		}
		if p.session != nil {
			w.Endpoint = cmp.Or(w.Endpoint, p.session.Endpoint())
			if p.session.RegionsNote != "" {
				notes = append(notes, p.report.Profile+": "+p.session.RegionsNote)
			}
		}
	}
	w.Note = strings.Join(notes, "; ")
	return w
}

func (s *accounts) Armed() bool              { return false }
func (s *accounts) Arm(string) error         { return errOneProfile }
func (s *accounts) Explain(err error) string { return session.Explain(err) }

func (s *accounts) Calls() ([]sessionlog.Call, int) {
	var out []sessionlog.Call
	total := 0
	for _, p := range s.all() {
		if p.session == nil {
			continue
		}
		calls, n := callsOf(p.session)
		out, total = append(out, calls...), total+n
	}
	slices.SortStableFunc(out, func(a, b sessionlog.Call) int { return a.At.Compare(b.At) })
	return out, total
}

// Audit audits all accounts at once; emit is called by one at a time.
func (s *accounts) Audit(ctx context.Context, emit func(account.Event)) error {
	var mu sync.Mutex
	for _, p := range s.all() {
		if p.report.Failed {
			emit(account.Event{Region: &account.RegionError{Profile: p.report.Profile, Message: p.report.Message}})
		}
	}
	var work sync.WaitGroup
	open := s.open()
	failed := make([]error, len(open))
	for i, p := range open {
		auditor := s.auditors[p.session.Account]
		work.Go(func() {
			failed[i] = auditor.Audit(ctx, func(e account.Event) {
				switch {
				case e.Listed != nil:
					s.note(e.Listed)
				case e.Region != nil:
					x := *e.Region
					x.Account, x.Profile = p.session.Account, p.report.Profile
					e.Region = &x
				case e.Listing != nil:
					x := *e.Listing
					x.Account = p.session.Account
					e.Listing = &x
				}
				mu.Lock()
				defer mu.Unlock()
				emit(e)
			})
		})
	}
	work.Wait()
	return errors.Join(failed...)
}

// note remembers which account has a layer version in use.
func (s *accounts) note(f *account.Function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range f.Layers {
		s.users[l.ARN] = account.AccountOfARN(f.ARN)
	}
}

func (s *accounts) Measure(ctx context.Context, arn string) (*account.Facts, error) {
	p := s.of(arn)
	if p == nil {
		return nil, errElsewhere(arn)
	}
	return s.auditors[p.session.Account].Measure(ctx, arn)
}

func (s *accounts) History(ctx context.Context, arn string) (*account.History, error) {
	p := s.of(arn)
	if p == nil {
		return nil, errElsewhere(arn)
	}
	return s.auditors[p.session.Account].History(ctx, arn)
}

func errElsewhere(arn string) error {
	return usagef("%s belongs to none of the accounts on screen: start optlift with a profile of its account, or give the whole ARN", session.Clean(arn))
}

func (s *accounts) Open(ctx context.Context, targets ...string) (*target.Set, error) {
	opener, err := s.opener(targets)
	if err != nil {
		return nil, err
	}
	opener.Partly = true
	return opener.Open(ctx, targets...)
}

func (s *accounts) Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*target.Set, error) {
	opener, err := s.opener(targets)
	if err != nil {
		return nil, err
	}
	return opener.Fetch(ctx, progress, targets...)
}

// opener asks with the session of the function's account, and without a function
// with that of the layers'.
func (s *accounts) opener(targets []string) (*target.Opener, error) {
	asked := ""
	for _, t := range targets {
		switch {
		case !strings.HasPrefix(t, "arn:"):
		case asked == "" || !account.IsLayerVersion(t):
			asked = t
		}
	}
	return s.openerOf(asked, strings.Join(targets, " "))
}

// OpenLayer asks with the session of the function it is tried with.
func (s *accounts) OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error) {
	opener, err := s.openerOf(cmp.Or(near, ref), ref)
	if err != nil {
		return nil, err
	}
	return opener.Layer(ctx, ref, near, told)
}

// openerOf opens with the session that is asked for an ARN. what names what is
// opened, where the ARN is "".
func (s *accounts) openerOf(arn, what string) (*target.Opener, error) {
	opener, err := s.app.opener()
	if err != nil {
		return nil, err
	}
	opener.Session = func(context.Context) (*session.Session, error) {
		if p := s.of(arn); p != nil {
			return p.session, nil
		}
		return nil, errElsewhere(cmp.Or(arn, what))
	}
	return opener, nil
}

func (s *accounts) Find(ctx context.Context, p *find.Pattern, layers []find.Layer, emit func(find.Result)) error {
	return s.app.finder(s.Open).Find(ctx, p, layers, emit)
}

func (s *accounts) Plan(context.Context, string, switchover.Choices) (*switchover.Snapshot, *switchover.Plan, error) {
	return nil, nil, errOneProfile
}

func (s *accounts) Apply(context.Context, *switchover.Snapshot, *switchover.Plan, switchover.Choices, migrate.Watch) (*switchover.Result, error) {
	return nil, errOneProfile
}

func (s *accounts) Resume(context.Context, string, migrate.Watch) (*switchover.Result, error) {
	return nil, errOneProfile
}

func (s *accounts) Rollback(context.Context, string, migrate.Watch) (*switchover.Result, error) {
	return nil, errOneProfile
}

func (s *accounts) CompareLayer(context.Context, string, string, string) (string, error) {
	return "", errOneProfile
}

func (s *accounts) PublishLayer(context.Context, string, string, string, func(image.Progress)) (string, error) {
	return "", errOneProfile
}

func (s *accounts) Journals() ([]switchover.Entry, error) {
	return (&workspace{app: s.app}).Journals()
}

func (s *accounts) Journal(id string) (*switchover.Entry, error) {
	return (&workspace{app: s.app}).Journal(id)
}
