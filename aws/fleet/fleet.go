package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/layer"
)

// Config is what a Fleet works with; see switchover.Config.
type Config struct {
	Session      *session.Session
	Store        *layer.Store
	BaseRegistry string
	BaseCache    string
	StateDir     string
}

// Fleet plans and switches functions of one account, in any of its regions. Its
// methods may be called concurrently.
type Fleet struct {
	config Config
	// turn holds one token: images are built one after the other, each with all
	// processors, and what they share is there from the second one on.
	turn chan struct{}
}

// New returns a Fleet; it asks nobody.
func New(c Config) *Fleet { return &Fleet{config: c, turn: make(chan struct{}, 1)} }

// Function names a function of the session's account.
type Function struct {
	Name   string `json:"function"`
	Region string `json:"region"`
}

func (f Function) key() string { return f.Region + " " + f.Name }

// DefaultRepository is the ECR repository that a fleet's images go to where the
// user names none. A repository keeps a layer once, whoever shares it, so all of
// a fleet's images lie in one.
const DefaultRepository = "optlift"

// Options are what the user decides for the whole fleet.
type Options struct {
	// Choices are those of every function; Repository "" is DefaultRepository.
	Choices switchover.Choices
	// Wave is how many functions are switched at once; less than 1 is 1.
	Wave int
	// Where is the filter that chose the functions, for the record.
	Where string
}

// The states of a function in a fleet besides those of a switchover.Result.
const (
	Waiting = "waiting" // not begun
	Blocked = "blocked" // something stands against it: it is left alone
)

// Event tells the progress of Run, Resume and Rollback. Events come one at a
// time; what handles them must not take long.
type Event struct {
	Fleet string `json:"fleet"`
	// Function is the one the event is about; its Name is "" where the event is
	// about the fleet, which is so for the first and the last.
	Function
	Wave int `json:"wave,omitempty"` // from 1
	// State is set when the function's or the fleet's state has changed; see Outcome.
	State string `json:"state,omitempty"`
	// Step is set for what happens inside the function's switch.
	Step    *switchover.Event `json:"step,omitempty"`
	Message string            `json:"message,omitempty"`
	At      time.Time         `json:"at"`
}

// Outcome is how it went with one function.
type Outcome struct {
	Function
	Wave int `json:"wave,omitempty"` // from 1; 0 for what is blocked
	// State is Waiting, Blocked or one of switchover's: "running", "done",
	// "stopped", "failed", "rolled-back".
	State   string        `json:"state"`
	Journal string        `json:"journal,omitempty"`
	Image   string        `json:"image,omitempty"`
	Gap     time.Duration `json:"gap"` // how long the name did not answer, nanoseconds
	Message string        `json:"message,omitempty"`
}

// Report is how a run of a fleet ended.
type Report struct {
	Schema  int    `json:"schema"`
	Fleet   string `json:"fleet"`
	Account string `json:"account"`
	Where   string `json:"where,omitempty"`
	// State is "done", "stopped", "failed" or "rolled-back".
	State     string    `json:"state"`
	Functions []Outcome `json:"functions"` // in the plan's order
	Message   string    `json:"message"`
	Next      []string  `json:"next,omitempty"` // commands that can be typed next, each by itself
}

// Count is the number of functions in a state.
func (r *Report) Count(state string) int {
	n := 0
	for _, o := range r.Functions {
		if o.State == state {
			n++
		}
	}
	return n
}

// switchers are those of one run, by region.
type switchers struct {
	fleet *Fleet
	id    string // "" for a plan

	mu       sync.Mutex
	byRegion map[string]*switchover.Switcher
}

func (f *Fleet) switchers(id string) *switchers {
	return &switchers{fleet: f, id: id, byRegion: map[string]*switchover.Switcher{}}
}

func (s *switchers) of(region string) *switchover.Switcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byRegion[region] == nil {
		c := s.fleet.config
		s.byRegion[region] = switchover.New(switchover.Config{Session: c.Session, Region: region, Store: c.Store,
			BaseRegistry: c.BaseRegistry, BaseCache: c.BaseCache, StateDir: c.StateDir, Fleet: s.id, Turn: s.fleet.takeTurn})
	}
	return s.byRegion[region]
}

// takeTurn waits until no other function of the fleet is building.
func (f *Fleet) takeTurn(ctx context.Context) (func(), error) {
	select {
	case f.turn <- struct{}{}:
		return func() { <-f.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
