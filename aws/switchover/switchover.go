package switchover

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go/middleware"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
)

// Config is what a Switcher works with.
type Config struct {
	Session      *session.Session
	Region       string
	Store        *layer.Store
	BaseRegistry string // "" is image.DefaultBaseRegistry
	BaseCache    string // directory for base images' layers; "" keeps none
	StateDir     string // journals and backups, 0700
	// Fleet is the id of the fleet that new migrations belong to, "" for none.
	Fleet string
	// Turn, which may be nil, is waited for before an image is built and pushed,
	// and given back afterwards: of runs that share layers one builds and sends
	// them, the others find them.
	Turn func(context.Context) (giveBack func(), err error)
	// Pause, which may be nil, is asked before a step from which callers notice
	// (Step.NoReturn). The run goes on when it returns nil; an error, such as
	// ctx's, ends the run there, with the function untouched.
	Pause func(ctx context.Context, before Step) error
}

// Switcher captures, applies and rolls back in one region of one account.
type Switcher struct {
	config Config
	// callTimeout bounds one call, its retries included, and a transfer's silence;
	// patience bounds each wait for a state, lag the time for which reads may
	// still tell what was before a change.
	callTimeout, patience, lag time.Duration
	bucket                     string // for runs that were begun without one
}

// New returns a Switcher; it asks nobody.
func New(c Config) *Switcher {
	return &Switcher{config: c, callTimeout: 3 * time.Minute, patience: 15 * time.Minute, lag: 15 * time.Second}
}

// WithBucket returns a Switcher that resumes and rolls back with a bucket
// (Choices.Bucket) in place of the one that the migration was begun with, or not.
// Zips that are in a bucket already are taken from where they are.
func (s *Switcher) WithBucket(bucket string) *Switcher {
	with := *s
	with.bucket = bucket
	return &with
}

// Pausing returns a Switcher that asks before the step from which callers notice;
// see Config.Pause.
func (s *Switcher) Pausing(pause func(ctx context.Context, before Step) error) *Switcher {
	out := *s
	out.config.Pause = pause
	return &out
}

// api is the region's client with a bound on each call: an endpoint that accepts
// a request and never answers must not hold a run for ever. An invocation takes
// as long as its function may.
func (s *Switcher) api() *lambda.Client {
	return lambda.New(s.config.Session.Lambda(s.config.Region).Options(), func(o *lambda.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			timeout := s.callTimeout
			if stack.ID() == "Invoke" {
				timeout = invokeTimeout
			}
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("optlift.timeout",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					ctx, cancel := context.WithTimeout(ctx, timeout)
					defer cancel()
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
		})
	})
}

// invokeTimeout is a little more than the longest timeout of a function, 900
// seconds (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const invokeTimeout = 16 * time.Minute

// Snapshot is all that a function is and has attached; see its package.
type Snapshot = snapshot.Snapshot

// Capture reads a function, by name or ARN, and everything attached to it.
func (s *Switcher) Capture(ctx context.Context, function string) (*Snapshot, error) {
	return snapshot.Capture(ctx, s.api(), s.config.Session.Account, s.config.Region, function)
}

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

// Event tells the progress of Apply, Resume and Rollback. Events come one at a
// time; what handles them must not take long.
type Event struct {
	Step    Step      `json:"step"`
	State   StepState `json:"state"`
	Message string    `json:"message,omitempty"`
	// Facts are what the step found out, such as the base image or what the
	// rehearsal compared; only the event that ends a step has them.
	Facts []Fact          `json:"facts,omitempty"`
	Image *image.Progress `json:"-"` // progress inside a building or pushing step
	Call  *Call           `json:"-"` // a call of the step that changed something
	At    time.Time       `json:"at"`
}

// Fact is one thing that a step found out. It holds no secret.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Call is one call to AWS that a step has made to change something.
type Call struct {
	Operation string
	Target    string
	Error     string // "" when it worked
	Took      time.Duration
}

// The states of a run; Result and Entry hold them.
const (
	StateRunning    = "running" // Entry only
	StateDone       = "done"
	StateStopped    = "stopped"
	StateFailed     = "failed"
	StateRolledBack = "rolled-back"
)

// Result is how a run ended.
type Result struct {
	Journal  string        `json:"journal"`
	Function string        `json:"function"`
	State    string        `json:"state"` // "done", "stopped", "failed", "rolled-back"
	Image    string        `json:"image,omitempty"`
	Gap      time.Duration `json:"gap"` // how long the name did not answer
	Message  string        `json:"message"`
	Next     []string      `json:"next,omitempty"` // commands that can be typed next, each by itself
}
