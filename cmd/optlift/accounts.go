package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
)

// liveAudit audits the account, or the accounts of several profiles side by side.
func liveAudit(ctx context.Context, a *app, fresh account.Freshness) (*account.Report, error) {
	return lookAt(ctx, a, fresh, (*account.Auditor).Audit)
}

// lookAt is liveAudit where read says what is asked.
func lookAt(ctx context.Context, a *app, fresh account.Freshness, read func(*account.Auditor, context.Context, func(account.Event)) error) (*account.Report, error) {
	places, err := a.openAll(ctx)
	if err != nil {
		return nil, err
	}
	progress := newProgress(a.io)
	defer progress.done()
	var (
		mu     sync.Mutex // guards all below and the progress line
		facts  []*account.Facts
		failed []account.RegionError
		newest []*account.NewestLayers
		found  int
		wrong  error
	)
	several := len(places) > 1
	profiles := map[string]string{} // by account
	var work sync.WaitGroup
	for _, p := range places {
		if p.session == nil || p.report.Message != "" {
			continue
		}
		profiles[p.session.Account] = p.report.Profile
		auditor := a.auditorOf(p.session, fresh)
		work.Go(func() {
			err := read(auditor, ctx, func(e account.Event) {
				mu.Lock()
				defer mu.Unlock()
				switch {
				case e.Listed != nil:
					found++
				case e.Facts != nil:
					facts = append(facts, e.Facts)
				case e.Newest != nil:
					newest = append(newest, e.Newest)
				case e.Region != nil:
					x := *e.Region
					if several {
						x.Account, x.Profile = p.session.Account, p.report.Profile
					}
					failed = append(failed, x)
				}
				progress.line(fmt.Sprintf("%s, %d measured", plural(found, "function"), len(facts)), 0, 0)
			})
			mu.Lock()
			defer mu.Unlock()
			wrong = errors.Join(wrong, err)
		})
	}
	work.Wait()
	if wrong != nil {
		return nil, wrong
	}
	var reports []account.AccountReport
	var regions []string
	first := ""
	for _, p := range places {
		reports = append(reports, p.report)
		if first == "" {
			first = p.report.Account
		}
		for _, region := range p.report.Regions {
			if !slices.Contains(regions, region) {
				regions = append(regions, region)
			}
		}
	}
	r := account.NewReport(first, regions, facts, failed)
	r.Created, r.Accounts = time.Now().UTC().Format(time.RFC3339), reports
	for _, n := range newest {
		r.TakeNewest(n)
	}
	if several {
		for i := range r.Functions {
			r.Functions[i].Profile = profiles[r.Functions[i].Account]
		}
	}
	return r, nil
}

// place is a profile and what it opened.
type place struct {
	report  account.AccountReport
	session *session.Session // nil where it could not be opened
}

// openAll opens every profile that was named. One that fails is told beside the
// others; it is an error where none can be opened. Of profiles of one account the
// first stands for all: an account has one budget of requests.
func (a *app) openAll(ctx context.Context) ([]*place, error) {
	if len(a.profiles) < 2 {
		s, err := a.open(ctx)
		if err != nil {
			return nil, err
		}
		return []*place{newPlace(s)}, nil
	}
	if err := a.checkAccounts(); err != nil {
		return nil, err
	}
	if a.places != nil {
		return a.places, nil
	}
	var places []*place
	var problems []string
	byAccount := map[string]string{}
	// One after the other: they may ask for a token code each.
	for _, profile := range a.profiles {
		profile = strings.TrimSpace(profile)
		opts, err := a.sessionOptions(profile)
		if err != nil {
			return nil, err
		}
		s, err := session.Open(ctx, opts)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			why := session.Explain(err)
			problems = append(problems, profile+": "+why)
			places = append(places, &place{report: account.AccountReport{Profile: profile, Regions: []string{}, Message: why, Failed: true}})
			continue
		}
		p := newPlace(s)
		if same := byAccount[s.Account]; same != "" {
			p.report.Message = "the account " + s.Account + " is shown as profile " + same + " sees it"
		} else {
			byAccount[s.Account] = profile
		}
		places = append(places, p)
	}
	if len(problems) == len(places) {
		return nil, errors.New("no profile could be opened: " + strings.Join(problems, "; "))
	}
	a.places = places
	return places, nil
}

// checkAccounts refuses what --profile and --demo can't be together.
func (a *app) checkAccounts() error {
	if a.demo && len(a.profiles) > 0 {
		return usagef("--demo brings its own account: leave out --profile")
	}
	for _, profile := range a.profiles {
		if strings.TrimSpace(profile) == "" && len(a.profiles) > 1 {
			return usagef("--profile holds an empty name")
		}
	}
	return nil
}

func newPlace(s *session.Session) *place {
	return &place{session: s, report: account.AccountReport{
		Profile: s.Profile, Account: s.Account, Caller: s.CallerARN, Regions: append([]string{}, s.Regions...),
	}}
}

// historiesAtOnce is enough to use up the rate of one region.
const historiesAtOnce = 4

// readHistories asks for the versions and aliases of a report's functions.
func (a *app) readHistories(ctx context.Context, r *account.Report) error {
	places, err := a.openAll(ctx)
	if err != nil {
		return err
	}
	auditors := map[string]*account.Auditor{}
	for _, p := range places {
		if p.session != nil && auditors[p.session.Account] == nil {
			auditors[p.session.Account] = a.auditorOf(p.session, account.Freshness{})
		}
	}
	progress := newProgress(a.io)
	defer progress.done()
	var mu sync.Mutex
	var work sync.WaitGroup
	slots := make(chan struct{}, historiesAtOnce*max(len(r.Regions), 1))
	done := 0
	for i := range r.Functions {
		f := &r.Functions[i]
		auditor := auditors[f.Account]
		if auditor == nil {
			continue
		}
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			h, err := auditor.History(ctx, f.ARN)
			if err == nil {
				f.History = h
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			progress.line(fmt.Sprintf("versions and aliases of %d of %s", done, plural(len(r.Functions), "function")), 0, 0)
		})
	}
	work.Wait()
	return ctx.Err()
}
