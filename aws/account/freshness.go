package account

import (
	"context"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/account/answers"
	"github.com/optlift/optlift/aws/session"
)

// Freshness says what an audit may tell from an earlier run's answers. What a
// function is, its configuration, layers and code's hash, is listed anew by every
// audit, and what lies under a hash can't change. What may have changed since an
// answer is whether a layer version can still be read, whether the function's
// code can, and the tags; Facts and LayerVersions say when that was asked.
//
// Only good news are told again, and that a layer version is gone, which can't
// be taken back: what was denied or failed is asked for by every run. So is
// everything where that takes about a second at AWS's rates: in a region of at most
// 100 functions and 20 layer versions.
type Freshness struct {
	Answers string        // directory that keeps them; "" keeps none
	MaxAge  time.Duration // older answers are asked for again; 0 asks for everything
	// Behind asks again for what an earlier run has answered, once everything
	// has been told, and tells those functions a second time.
	Behind bool
}

const (
	alwaysFunctions = 100 // GetFunction has a rate of 100 a second
	alwaysLayers    = 20
)

// young tells whether an answer is good enough to be told again. One from the
// future is of a clock that was wrong.
func (a *Auditor) young(asked time.Time) bool {
	age := a.now().Sub(asked)
	return age >= 0 && age < a.Freshness.MaxAge
}

// knows tells whether an earlier run's answers say something of a function. If
// not, there is no choice to be made, and it can be read at once.
func (r *run) knows(p *place, f *Function) bool {
	if known, ok := p.book.Function(f.ARN); ok && r.young(known.Asked) {
		return true
	}
	for _, l := range f.Layers {
		if known, ok := p.book.Layer(l.ARN); ok && r.young(known.Asked) {
			return true
		}
	}
	return false
}

// again asks AWS for what everywhere has told from earlier answers.
func (r *run) again(ctx context.Context, events chan<- Event) {
	fresh := newRun(r.Auditor)
	fresh.places = r.places
	for _, f := range r.old {
		fresh.work.Go(func() {
			facts := fresh.measure(ctx, f, nil, false)
			if ctx.Err() == nil {
				events <- Event{Facts: facts.light()}
			}
		})
	}
	for _, p := range r.places {
		if p.newestOld {
			fresh.work.Go(func() { fresh.newest(ctx, p, events, false) })
		}
	}
	fresh.work.Wait()
	fresh.save()
}

// save keeps what was answered. Answers that can't be kept are asked for again
// by the next run.
func (r *run) save() {
	for _, p := range r.places {
		_ = p.book.Save()
	}
}

// openBook opens the answers of the session's caller in a region.
func (a *Auditor) openBook(p *place) *answers.Book {
	endpoint := ""
	if at := p.client.Options().BaseEndpoint; at != nil {
		endpoint = *at
	}
	return answers.Open(a.Freshness.Answers, endpoint, a.session.Account, principal(a.session), p.name)
}

// principal is the caller without the name of its session: what may be read
// depends on the role.
func principal(s *session.Session) string {
	if strings.Contains(s.CallerARN, ":assumed-role/") {
		role, _, _ := cutLast(s.CallerARN, "/")
		return role
	}
	return s.CallerARN
}
