package switchover

import (
	"context"
	"encoding/json"
	"time"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
)

// Reading tells how an attachment was read. "Not there" and "not allowed to
// look" are different answers.
type Reading string

// The outcomes of reading one attachment.
const (
	Present Reading = "present"
	Absent  Reading = "absent"
	Denied  Reading = "denied"
	Failed  Reading = "failed"
)

// Attachment is one thing of a function, as captured.
type Attachment struct {
	Kind      string          `json:"kind"` // "policy", "alias", "event-source-mapping", "tags" …
	Qualifier string          `json:"qualifier,omitempty"`
	Name      string          `json:"name,omitempty"` // alias name, mapping UUID …
	Reading   Reading         `json:"reading"`
	Message   string          `json:"message,omitempty"` // why Denied or Failed
	Value     json.RawMessage `json:"value,omitempty"`   // as the API answered, secrets included: a Snapshot is a secret
}

// Snapshot is all that a function is and has attached. It holds environment
// values: it is written owner-only and never printed.
type Snapshot struct {
	Schema      int             `json:"schema"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Function    string          `json:"function"` // name
	ARN         string          `json:"arn"`
	Taken       time.Time       `json:"taken"`
	RevisionID  string          `json:"revisionId"`
	CodeSHA256  string          `json:"codeSha256"`
	Config      json.RawMessage `json:"config"` // FunctionConfiguration of $LATEST
	Versions    []Version       `json:"versions"`
	Attachments []Attachment    `json:"attachments"`
}

// Version is a published version.
type Version struct {
	Number string          `json:"number"`
	Config json.RawMessage `json:"config"`
}

// Strategy is how a function is switched.
type Strategy string

// The strategies; see the design of each in its own file.
const (
	Replace Strategy = "replace" // same name: delete and create again
	Beside  Strategy = "beside"  // a new function, triggers moved over
)

// Choices are what the user decided.
type Choices struct {
	Strategy   Strategy
	Repository string   // ECR repository name; "" is the function's name in lower case
	Base       string   // "" picks by runtime
	Accept     []string // ids of warnings or blockers the user accepts by name
	Events     []string // files with events for the rehearsal
}

// Action is what a step does to its target, in terraform's sense.
type Action string

// The actions of steps.
const (
	Create Action = "create"
	Delete Action = "delete"
	Change Action = "change"
	Keep   Action = "keep"
)

// Step is one thing that will be done.
type Step struct {
	ID     string `json:"id"` // stable: "create-function", "alias:live"
	Action Action `json:"action"`
	Call   string `json:"call"`   // API operation, or "local" for work on this machine
	Target string `json:"target"` // ARN, UUID, reference
	Undo   string `json:"undo"`   // what takes it back, "" when nothing needs to
}

// Notice is a blocker, a warning or a loss, with a stable id.
type Notice struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// Plan is an ordered list of steps and what stands against it. It holds no
// secret and can be printed and saved.
type Plan struct {
	Schema     int      `json:"schema"`
	Function   string   `json:"function"`
	ARN        string   `json:"arn"`
	Strategy   Strategy `json:"strategy"`
	RevisionID string   `json:"revisionId"` // of the function it was made for
	CodeSHA256 string   `json:"codeSha256"`
	Blockers   []Notice `json:"blockers"`
	Warnings   []Notice `json:"warnings"`
	Lost       []Notice `json:"lost"`
	Steps      []Step   `json:"steps"`
}

// Capture reads a function and everything attached to it.
func (s *Switcher) Capture(ctx context.Context, function string) (*Snapshot, error) {
	panic("not written yet")
}

// PlanFor makes the plan; it asks nobody and changes nothing.
func PlanFor(snap *Snapshot, c Choices) *Plan { panic("not written yet") }

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
