package switchover

import (
	"context"
	"time"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
)

// Config is what a Switcher works with.
type Config struct {
	Session      *session.Session
	Region       string
	Opener       *target.Opener
	Store        *layer.Store
	BaseRegistry string // "" is image.DefaultBaseRegistry
	StateDir     string // journals and backups, 0700
}

// Switcher captures, applies and rolls back in one region of one account.
type Switcher struct {
	config Config
}

// New returns a Switcher; it asks nobody.
func New(c Config) *Switcher { return &Switcher{config: c} }

// Entry is one migration in the journal.
type Entry struct {
	ID       string    `json:"id"`
	Function string    `json:"function"`
	Region   string    `json:"region"`
	Account  string    `json:"account"`
	Started  time.Time `json:"started"`
	State    string    `json:"state"` // as in Result
	Steps    []Event   `json:"steps,omitempty"`
}

// Journals lists the migrations kept in stateDir, newest first.
func Journals(stateDir string) ([]Entry, error) { panic("not written yet") }

// ReadJournal returns one migration with its steps. It holds no secret.
func ReadJournal(stateDir, id string) (*Entry, error) { panic("not written yet") }

// StepState is where a step stands.
type StepState string

// The states of a step.
const (
	Pending StepState = "pending"
	Running StepState = "running"
	Done    StepState = "done"
	Skipped StepState = "skipped" // AWS says it is already so
	Broken  StepState = "failed"
)

// Event tells the progress of Apply, Resume and Rollback.
type Event struct {
	Step    Step            `json:"step"`
	State   StepState       `json:"state"`
	Message string          `json:"message,omitempty"`
	Image   *image.Progress `json:"-"` // progress inside a building or pushing step
	At      time.Time       `json:"at"`
}

// Result is how a run ended.
type Result struct {
	Journal  string        `json:"journal"`
	Function string        `json:"function"`
	State    string        `json:"state"` // "done", "stopped", "failed", "rolled-back"
	Image    string        `json:"image,omitempty"`
	Gap      time.Duration `json:"gap"` // how long the name did not answer
	Message  string        `json:"message"`
	Next     string        `json:"next,omitempty"` // what to type next
}

// Apply runs a plan for a snapshot. The journal entry exists before anything is
// changed; its id is in the first event. It refuses when the live RevisionId or
// CodeSha256 has moved. Cancelling ctx stops after the running step, at a safe
// place; the result says where things stand.
func (s *Switcher) Apply(ctx context.Context, snap *Snapshot, plan *Plan, c Choices, emit func(Event)) (*Result, error) {
	panic("not written yet")
}

// Resume goes on with a journal where it stopped.
func (s *Switcher) Resume(ctx context.Context, journal string, emit func(Event)) (*Result, error) {
	panic("not written yet")
}

// Rollback puts the Zip function of a journal back, finished or not.
func (s *Switcher) Rollback(ctx context.Context, journal string, emit func(Event)) (*Result, error) {
	panic("not written yet")
}
