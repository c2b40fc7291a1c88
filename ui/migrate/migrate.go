package migrate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
)

// Switcher plans, applies and takes back.
type Switcher interface {
	// Plan captures a function and plans its switch.
	Plan(ctx context.Context, arn string, c switchover.Choices) (*switchover.Snapshot, *switchover.Plan, error)
	Apply(ctx context.Context, snap *switchover.Snapshot, plan *switchover.Plan, c switchover.Choices, w Watch) (*switchover.Result, error)
	Resume(ctx context.Context, journal string, w Watch) (*switchover.Result, error)
	Rollback(ctx context.Context, journal string, w Watch) (*switchover.Result, error)
	// CompareLayer holds an image against a layer version's zip, for the function's
	// architecture, and returns the image's name with its digest.
	CompareLayer(ctx context.Context, function, layer, image string) (pinned string, err error)
	// PublishLayer makes an image of a layer version alone, proves it against the
	// zip and pushes it to "REPOSITORY:TAG" of the function's region.
	PublishLayer(ctx context.Context, function, layer, to string, progress func(image.Progress)) (reference string, err error)
	// Explain turns an error into one line for people.
	Explain(err error) string
}

// Watch follows a run.
type Watch struct {
	Emit func(switchover.Event)
	// Pause, which may be nil, is asked before the step from which callers notice.
	Pause func(ctx context.Context, before switchover.Step) error
}

// phase is how far the screen is.
type phase uint8

const (
	planning phase = iota
	planned
	unplanned // the plan could not be made
	running
	ended
)

// Screen is one migration.
type Screen struct {
	keys.Hints
	name, arn string
	jobs      *job.Group
	switcher  Switcher

	phase   phase
	choices switchover.Choices
	snap    *switchover.Snapshot
	plan    *switchover.Plan
	failed  string // why planning or the run failed

	verb    string // what runs: "Migrating", "Resuming", "Rolling back"
	journal string
	steps   []step
	list    list.List
	pager   list.Pager
	above   int  // lines above the steps, as drawn last
	follow  bool // the list keeps the running step in sight
	job     *job.Job
	events  *job.Stream[switchover.Event]
	started time.Time // of the run, by the ticks
	now     time.Time
	result  *switchover.Result

	layers    []string          // of the function, by ARN
	published map[string]string // images made here, by layer
	pausing   bool              // before the step from which callers notice
	gate      *gate
	waiting   *switchover.Step // the gate is before it
	gap       gap
}

// step is a step of the plan and where it stands.
type step struct {
	switchover.Step
	state   switchover.StepState
	message string
	image   *imageProgress
	facts   []switchover.Fact
	calls   []switchover.Call
	began   time.Time
	ended   time.Time
}

// keepCalls bounds what is kept of a step's calls.
const keepCalls = 200

// New returns the screen that plans the switch of a function with these layers.
func New(name, arn string, layers []string, jobs *job.Group, s Switcher) *Screen {
	return &Screen{
		name: name, arn: arn, layers: layers, jobs: jobs, switcher: s, pausing: true, published: map[string]string{},
		choices: switchover.Choices{Strategy: switchover.Replace},
	}
}

// Plan makes the plan, or makes it again.
func (s *Screen) Plan() screen.Effect {
	arn, choices, sw := s.arn, s.choices, s.switcher
	choices.Accept = slices.Clone(choices.Accept)
	choices.LayerImages = maps.Clone(choices.LayerImages)
	if s.job != nil && s.phase == planning {
		s.job.Cancel() // other choices than now
	}
	s.phase, s.failed = planning, ""
	s.plan, s.snap = nil, nil
	s.pager.Top()
	j, cmd := s.jobs.Start("planning the switch of "+s.name, false, func(ctx context.Context) (any, error) {
		snap, plan, err := sw.Plan(ctx, arn, choices)
		if err != nil {
			return nil, explain(sw, err)
		}
		return planMade{snap, plan}, nil
	})
	s.job = j
	return screen.Effect{Cmd: cmd}
}

type planMade struct {
	snap *switchover.Snapshot
	plan *switchover.Plan
}

func explain(s Switcher, err error) error { return errors.New(s.Explain(err)) }

// Resume goes on with a journal.
func Resume(e switchover.Entry, jobs *job.Group, sw Switcher) (*Screen, screen.Effect) {
	s := ofEntry(e, jobs, sw)
	return s, s.run("Resuming", func(ctx context.Context, w Watch) (*switchover.Result, error) {
		return sw.Resume(ctx, e.ID, w)
	})
}

// Rollback takes a journal back.
func Rollback(e switchover.Entry, jobs *job.Group, sw Switcher) (*Screen, screen.Effect) {
	s := ofEntry(e, jobs, sw)
	s.steps = nil
	return s, s.run("Rolling back", func(ctx context.Context, w Watch) (*switchover.Result, error) {
		return sw.Rollback(ctx, e.ID, w)
	})
}

func ofEntry(e switchover.Entry, jobs *job.Group, sw Switcher) *Screen {
	s := &Screen{name: e.Function, arn: e.Function, jobs: jobs, switcher: sw, journal: e.ID, pausing: true}
	for _, event := range e.Steps {
		s.take(event)
	}
	return s
}

// apply runs the plan on screen, once.
func (s *Screen) apply() screen.Effect {
	snap, plan, choices, sw := s.snap, s.plan, s.choices, s.switcher
	s.steps = nil
	for _, p := range plan.Steps {
		s.steps = append(s.steps, step{Step: p, state: switchover.Pending})
	}
	return s.run("Migrating", func(ctx context.Context, w Watch) (*switchover.Result, error) {
		return sw.Apply(ctx, snap, plan, choices, w)
	})
}

func (s *Screen) run(verb string, work func(context.Context, Watch) (*switchover.Result, error)) screen.Effect {
	// Progress inside a step folds into one event; where a step stands never does.
	events := &job.Stream[switchover.Event]{Merge: func(last *switchover.Event, e switchover.Event) bool {
		if last.Image == nil || last.Call != nil || e.Image == nil || last.Step.ID != e.Step.ID || last.State != e.State || last.Image.Item != e.Image.Item {
			return false
		}
		*last = e
		return true
	}}
	sw := s.switcher
	w := Watch{Emit: events.Put}
	if s.gate = nil; s.pausing {
		s.gate = &gate{open: make(chan struct{})}
		w.Pause = s.gate.wait
	}
	s.gap, s.waiting = gap{}, nil
	s.events, s.verb, s.phase, s.result, s.failed = events, verb, running, nil, ""
	s.started, s.now, s.follow = time.Time{}, time.Time{}, true
	j, cmd := s.jobs.Start(verb+" "+s.name, true, func(ctx context.Context) (any, error) {
		result, err := work(ctx, w)
		events.Close()
		if err != nil {
			// The result tells where things stand even when there is an error.
			return result, explain(sw, err)
		}
		return result, nil
	})
	s.job = j
	return screen.Effect{Cmd: cmd}
}

// Running reports whether the account is being changed.
func (s *Screen) Running() bool { return s.phase == running }

// ARN is the function on screen; a journal's is its name.
func (s *Screen) ARN() string { return s.arn }

// Progress counts finished steps.
func (s *Screen) Progress() (done, of int, run bool) {
	for i := range s.steps {
		if s.steps[i].finished() {
			done++
		}
	}
	return done, len(s.steps), s.phase == running
}

func (x *step) finished() bool {
	return x.state == switchover.Done || x.state == switchover.Skipped
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case screen.Tick:
		if s.phase == running {
			if s.started.IsZero() {
				s.started = msg.Now
			}
			s.now = msg.Now
			// What had been told when the run began to wait is drained after that.
			waiting := s.gate.waiting()
			s.drain()
			s.waiting = waiting
		}
	case job.Done:
		if s.job != nil && msg.ID == s.job.ID {
			return s.done(msg)
		}
	}
	return screen.Effect{}
}

func (s *Screen) drain() {
	if s.events == nil {
		return
	}
	for _, e := range s.events.Take() {
		s.take(e)
	}
}

// take enters an event into the steps; a step that the plan does not name comes
// after those that have begun.
func (s *Screen) take(e switchover.Event) {
	i := slices.IndexFunc(s.steps, func(x step) bool { return x.ID == e.Step.ID })
	if i < 0 {
		i = 0
		for j := range s.steps {
			if !s.steps[j].began.IsZero() {
				i = j + 1
			}
		}
		s.steps = slices.Insert(s.steps, i, step{Step: e.Step})
	}
	x := &s.steps[i]
	if e.Call != nil {
		if len(x.calls) < keepCalls {
			x.calls = append(x.calls, *e.Call)
		}
		return
	}
	if e.Step.Call != "" {
		x.Step = e.Step
	}
	x.state = e.State
	if e.Facts != nil {
		x.facts = e.Facts
	}
	s.gap.take(e)
	if e.Message != "" || e.Image == nil {
		x.message = e.Message
	}
	switch {
	case e.State != switchover.Running:
		x.image = nil
	case e.Image != nil:
		x.image = x.image.take(*e.Image, e.At)
	}
	if x.began.IsZero() {
		x.began = e.At
	}
	x.ended = e.At
	s.list.Sync(len(s.steps), func(i int) string { return s.steps[i].ID })
	if s.follow {
		s.list.Select(i, x.ID)
	}
}

func (s *Screen) done(msg job.Done) screen.Effect {
	cancelled := s.job.Cancelled()
	s.job = nil
	if s.phase == planning {
		made, ok := msg.Value.(planMade)
		if msg.Err != nil || !ok {
			s.phase = unplanned
			if msg.Err != nil && !cancelled {
				s.failed = msg.Err.Error()
				return screen.Say(screen.Bad, s.failed)
			}
			return screen.Effect{}
		}
		s.phase, s.snap, s.plan = planned, made.snap, made.plan
		return screen.Effect{}
	}
	s.drain()
	s.phase, s.gate, s.waiting = ended, nil, nil
	effect := screen.Effect{Reread: []string{s.arn}}
	s.result, _ = msg.Value.(*switchover.Result)
	if s.result != nil && s.result.Journal != "" {
		s.journal = s.result.Journal
	}
	switch {
	case msg.Err != nil && cancelled && s.result != nil:
		// Stopping is what was asked for; the result says where things stand.
		effect.Note, effect.Level = s.name+": "+s.result.State, screen.Warn
	case msg.Err != nil:
		s.failed = msg.Err.Error()
		effect.Note, effect.Level = s.failed, screen.Bad
	case s.result == nil:
	case s.result.State == "stopped" || s.result.State == "failed":
		effect.Note, effect.Level = s.name+": "+s.result.State, screen.Warn
	default:
		effect.Note, effect.Level = s.name+": "+s.result.State, screen.Good
	}
	return effect
}

// Close implements screen.Screen. Work that changes the account goes on.
func (s *Screen) Close() {
	if s.job != nil && s.phase == planning {
		s.job.Cancel()
	}
}

// Settle takes in how a run ended whose last message the screen did not live to see.
func (s *Screen) Settle() {
	if s.job == nil {
		return
	}
	if d, ok := s.job.Result(); ok {
		s.done(d)
	}
}

// Farewell is what should be said once the screen is gone: how the run ended and
// what to type next; "" when there is nothing to say.
func (s *Screen) Farewell() []string {
	if s.result == nil {
		return nil
	}
	out := []string{s.name + ": " + s.result.State + ". " + s.result.Message}
	for i, line := range s.next() {
		if i == 0 {
			out = append(out, "next: "+line)
		} else {
			out = append(out, "or:   "+line)
		}
	}
	return out
}

// next are the commands that can be typed next.
func (s *Screen) next() []string {
	if s.result == nil {
		return nil
	}
	return s.result.Next
}
