package ui

import (
	"context"
	"errors"
	"io"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/ui/bulk"
	"github.com/optlift/optlift/ui/config"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/sessionlog"
)

// Backend is what the screens ask for. Its methods are called from commands,
// never from Update, and may be called concurrently.
type Backend interface {
	// Where says which account and regions the screens show. Before SignIn it is
	// what is known without asking anybody, and cheap.
	Where() Where
	// SignIn finds out whose account it is, and may ask the user for a token code
	// then and later. Until it has returned without an error only Where, Armed,
	// Calls and Explain are called, and it is called again where the user tries
	// again. Its error may be a *Refusal.
	SignIn(ctx context.Context, ask Ask) error
	// Armed reports whether writes are allowed, or will be once it is known whose
	// account it is; Arm allows them when accountID is the account's id.
	Armed() bool
	Arm(accountID string) error
	// Audit lists and measures every function; see account.Auditor.
	Audit(ctx context.Context, emit func(account.Event)) error
	// Measure reads one function again.
	Measure(ctx context.Context, arn string) (*account.Facts, error)
	// History reads a function's versions and aliases.
	History(ctx context.Context, arn string) (*account.History, error)
	// Open opens the archives a target stands for, to look into.
	Open(ctx context.Context, targets ...string) (*target.Set, error)
	// Fetch opens them once all of their bytes are here, verified. progress is never
	// called concurrently.
	Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*target.Set, error)
	// OpenLayer opens one layer to try with others; see target.Opener.Layer.
	OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error)
	// Find looks into the file lists of layer versions; see find.Finder.
	Find(ctx context.Context, p *find.Pattern, layers []find.Layer, emit func(find.Result)) error
	// Switcher plans, applies and takes back.
	migrate.Switcher
	// Fleets does the same for many functions at once.
	bulk.Fleets
	// Journals and FleetJournals list what was done from this machine, newest first.
	Journals() ([]switchover.Entry, error)
	FleetJournals() ([]fleet.Entry, error)
	Journal(id string) (*switchover.Entry, error)
	// Calls are the last AWS calls of the session, oldest first, and how many
	// there were in all.
	Calls() (calls []sessionlog.Call, total int)
}

// Ask asks the user for the token code of a profile's MFA device, "" for the
// profile in use. It waits for the answer; what was not answered is an error.
type Ask func(profile string) (code string, err error)

// ErrNotTyped is Ask's error where the user typed nothing.
var ErrNotTyped = errors.New("nothing was typed")

// Refusal is why there is no account, for people.
type Refusal struct {
	Title string   // "AWS can't be reached"
	Why   []string // what happened, a paragraph each
	Type  []string // lines to type into a shell
	Next  string   // what else helps, "" for nothing
	Err   error    // what Run returns where the user leaves it at that
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the error as it came.
func (r *Refusal) Unwrap() error { return r.Err }

// Where is the account on screen.
type Where struct {
	Account string
	Caller  string // ARN
	Profile string
	Regions []string
	// Accounts are the profiles shown side by side, of a saved report those it
	// names, nil where it is one. Account is the first one's then, and nothing can
	// be changed.
	Accounts []account.AccountReport
	Demo     bool // the embedded account
	// Saved says which saved report is shown, where there is no account behind the
	// screens; "" where there is one.
	Saved string
	// Created is when the saved report was made, RFC 3339; "" where it does not say.
	Created string
	// Note says what is uncertain about Regions; "" for nothing.
	Note string
	// Endpoint is where the account is served when that is not AWS; "" for AWS.
	Endpoint string
}

// OneProfile is what to do to change something while several profiles are shown.
const OneProfile = "start optlift with one profile to change an account"

// fixed says why nothing can be changed, "" where it can.
func (w *Where) fixed() string {
	switch {
	case w.Saved != "":
		return "a saved report has no account to change"
	case len(w.Accounts) > 1:
		return OneProfile
	}
	return ""
}

// shut says why no archive can be looked into, "" where they can.
func (w *Where) shut() string {
	if w.Saved != "" {
		return "a saved report does not hold what archives hold: open the account itself"
	}
	return ""
}

// accounts are all accounts on screen.
func (w *Where) accounts() []account.AccountReport {
	if len(w.Accounts) > 0 || w.Saved != "" {
		return w.Accounts
	}
	return []account.AccountReport{{Profile: w.Profile, Account: w.Account, Caller: w.Caller, Regions: append([]string{}, w.Regions...)}}
}

// profiles are the profiles by the account that they are of.
func (w *Where) profiles() map[string]string {
	out := map[string]string{}
	for _, a := range w.Accounts {
		if a.Account != "" && a.Message == "" {
			out[a.Account] = a.Profile
		}
	}
	return out
}

// Options start the terminal.
type Options struct {
	Version string
	NoColor bool // any non-empty NO_COLOR
	// Config holds the user's choices; its zero value is config.Default.
	Config config.Config
	// History is the file that keeps what was typed, for the next start; "" for none.
	History string
	// Farewell gets, once the screen is gone, how the last migration ended and
	// what to type next; nil is os.Stderr.
	Farewell io.Writer
}
