package bulk

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/table"
)

// Fleets plans, runs and takes back the switch of many functions.
type Fleets interface {
	PlanFleet(ctx context.Context, functions []fleet.Function, o fleet.Options, progress func(done, total int)) (*fleet.Plan, error)
	RunFleet(ctx context.Context, p *fleet.Plan, emit func(fleet.Event)) (*fleet.Report, error)
	ResumeFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error)
	RollbackFleet(ctx context.Context, id string, emit func(fleet.Event)) (*fleet.Report, error)
	// Fleet reads one from the journal.
	Fleet(id string) (*fleet.Entry, error)
	// Explain turns an error into one line for people.
	Explain(err error) string
}

// Claim is asked before a screen changes the account; it answers why it can't
// now, "" when it can.
type Claim func(*Screen) string

// phase is how far the screen is.
type phase uint8

const (
	planning phase = iota
	planned
	unplanned // the plan could not be made
	running
	ended // or read from the journal
)

// Screen is the switch of many functions.
type Screen struct {
	keys.Hints
	jobs   *job.Group
	fleets Fleets
	claim  Claim

	phase     phase
	functions []fleet.Function
	strategy  switchover.Strategy
	wave      int // functions at once
	plan      *fleet.Plan
	counted   *job.Stream[count] // how many are planned
	count     count
	failed    string // why planning, reading or the run failed
	pager     list.Pager

	id      string // of the fleet, once there is one
	confirm string // what is typed to change the account
	verb    string // what runs
	back    bool   // it is the rollback
	rows    []row
	table   table.Table
	above   int // lines above the table, as drawn last
	job     *job.Job
	events  *job.Stream[fleet.Event]
	started time.Time // of the run, by the ticks
	now     time.Time
	state   string // how it ended
	message string
	report  *fleet.Report
}

type count struct{ done, total int }

// row is one function and where it stands.
type row struct {
	fleet.Outcome
	arn   string
	steps int // of its plan, 0 where that is not known
	done  int
	step  *switchover.Event // the last one
}

func (r *row) key() string { return r.Region + " " + r.Name }

func newScreen(jobs *job.Group, f Fleets, c Claim) *Screen {
	s := &Screen{jobs: jobs, fleets: f, claim: c, strategy: switchover.Replace, wave: 1}
	s.table.Columns = []table.Column{
		{ID: "function", Title: "FUNCTION", Width: 18, Flex: true, Max: 36},
		{ID: "wave", Title: "WAVE", Width: 4, Right: true},
		{ID: "state", Title: "STATE", Width: 13},
		{ID: "step", Title: "STEP", Width: 24, Flex: true, Max: 90},
		{ID: "region", Title: "REGION", Width: 14, Rank: 2},
		{ID: "gap", Title: "GAP", Width: 7, Right: true, Rank: 1},
	}
	s.table.Sort = -1
	return s
}

// New returns the screen that plans the switch of some functions; Plan begins.
func New(functions []fleet.Function, jobs *job.Group, f Fleets, c Claim) *Screen {
	s := newScreen(jobs, f, c)
	s.functions = functions
	return s
}

// Open returns the screen of a fleet in the journal; Start reads it again.
func Open(e fleet.Entry, jobs *job.Group, f Fleets, c Claim) *Screen {
	s := newScreen(jobs, f, c)
	s.enter(e)
	return s
}

// enter takes in what the journal says.
func (s *Screen) enter(e fleet.Entry) {
	s.phase, s.id, s.state, s.message = ended, e.ID, e.State, ""
	s.confirm = e.Confirmation()
	s.rows = nil
	for _, o := range e.Functions {
		s.rows = append(s.rows, row{Outcome: o, arn: o.Name})
	}
	s.sync()
}

// Start reads the fleet from the journal.
func (s *Screen) Start() screen.Effect {
	f, id := s.fleets, s.id
	j, cmd := s.jobs.Start("reading the journal", false, func(context.Context) (any, error) {
		e, err := f.Fleet(id)
		if err != nil {
			return nil, explain(f, err)
		}
		return e, nil
	})
	s.job, s.failed = j, ""
	return screen.Effect{Cmd: cmd}
}

// Plan makes the plan, or makes it again.
func (s *Screen) Plan() screen.Effect {
	if s.job != nil {
		s.job.Cancel() // other choices than now
	}
	s.phase, s.failed, s.plan = planning, "", nil
	s.pager.Top()
	counted := &job.Stream[count]{Merge: func(last *count, c count) bool { *last = c; return true }}
	s.counted, s.count = counted, count{total: len(s.functions)}
	f, functions := s.fleets, slices.Clone(s.functions)
	o := fleet.Options{Choices: switchover.Choices{Strategy: s.strategy}, Wave: s.wave}
	j, cmd := s.jobs.Start("planning the switch of many functions", false, func(ctx context.Context) (any, error) {
		p, err := f.PlanFleet(ctx, functions, o, func(done, total int) { counted.Put(count{done, total}) })
		if err != nil {
			return nil, explain(f, err)
		}
		return p, nil
	})
	s.job = j
	return screen.Effect{Cmd: cmd}
}

func explain(f Fleets, err error) error { return errors.New(f.Explain(err)) }

// apply runs the plan on screen, once.
func (s *Screen) apply() screen.Effect {
	f, p := s.fleets, s.plan
	rows := make([]row, 0, len(p.Members))
	for _, m := range p.Members {
		r := row{Outcome: fleet.Outcome{Function: m.Function, State: fleet.Waiting}, arn: m.Name}
		if m.Plan != nil {
			r.arn, r.steps = m.Plan.ARN, len(m.Plan.Steps)
		}
		if !m.Ready() {
			b := m.Blockers()[0]
			r.State, r.Message = fleet.Blocked, b.ID+": "+b.Message
		}
		rows = append(rows, r)
	}
	for w, wave := range p.Waves() {
		for _, m := range wave {
			if i := slices.IndexFunc(rows, func(r row) bool { return r.Function == m.Function }); i >= 0 {
				rows[i].Wave = w + 1
			}
		}
	}
	return s.run("Switching", false, rows, func(ctx context.Context, emit func(fleet.Event)) (*fleet.Report, error) {
		return f.RunFleet(ctx, p, emit)
	})
}

func (s *Screen) resume() screen.Effect {
	f, id := s.fleets, s.id
	return s.run("Going on with", false, s.again(), func(ctx context.Context, emit func(fleet.Event)) (*fleet.Report, error) {
		return f.ResumeFleet(ctx, id, emit)
	})
}

func (s *Screen) rollback() screen.Effect {
	f, id := s.fleets, s.id
	return s.run("Rolling back", true, s.again(), func(ctx context.Context, emit func(fleet.Event)) (*fleet.Report, error) {
		return f.RollbackFleet(ctx, id, emit)
	})
}

// again are the rows for another run: what they did in the last one is gone.
func (s *Screen) again() []row {
	rows := slices.Clone(s.rows)
	for i := range rows {
		rows[i].done, rows[i].steps, rows[i].step = 0, 0, nil
	}
	return rows
}

func (s *Screen) run(verb string, back bool, rows []row, work func(context.Context, func(fleet.Event)) (*fleet.Report, error)) screen.Effect {
	if why := s.claim(s); why != "" {
		return screen.Say(screen.Warn, why)
	}
	// Progress inside a step folds into one event; where a function stands never does.
	events := &job.Stream[fleet.Event]{Merge: func(last *fleet.Event, e fleet.Event) bool {
		if last.Step == nil || last.Step.Image == nil || e.Step == nil || e.Step.Image == nil || last.Function != e.Function || last.Step.Step.ID != e.Step.Step.ID {
			return false
		}
		*last = e
		return true
	}}
	s.events, s.verb, s.back, s.phase, s.rows = events, verb, back, running, rows
	s.report, s.failed, s.state, s.message = nil, "", "", ""
	s.started, s.now = time.Time{}, time.Time{}
	s.sync()
	f := s.fleets
	j, cmd := s.jobs.Start(verb+" many functions", true, func(ctx context.Context) (any, error) {
		report, err := work(ctx, events.Put)
		events.Close()
		if err != nil {
			// The report tells where things stand even when there is an error.
			return report, explain(f, err)
		}
		return report, nil
	})
	s.job = j
	return screen.Effect{Cmd: cmd}
}

func (s *Screen) sync() {
	s.table.Sync(len(s.rows), func(i int) string { return s.rows[i].key() })
}

// Running reports whether the account is being changed.
func (s *Screen) Running() bool { return s.phase == running }

// Progress counts the functions that are where the run takes them.
func (s *Screen) Progress() (done, of int, run bool) {
	goes := switchover.StateDone
	if s.back {
		goes = switchover.StateRolledBack
	}
	for i := range s.rows {
		switch r := &s.rows[i]; {
		case r.State == goes:
			done, of = done+1, of+1
		case r.State == fleet.Blocked, s.back && r.State == fleet.Waiting:
		default:
			of++
		}
	}
	return done, of, s.phase == running
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case screen.Tick:
		switch s.phase {
		case planning:
			for _, c := range s.counted.Take() {
				s.count = c
			}
		case running:
			if s.started.IsZero() {
				s.started = msg.Now
			}
			s.now = msg.Now
			return screen.Effect{Reread: s.drain()}
		}
	case job.Done:
		if s.job != nil && msg.ID == s.job.ID {
			return s.done(msg)
		}
	}
	return screen.Effect{}
}

// drain takes in what the run has told, and returns the functions that changed.
func (s *Screen) drain() []string {
	if s.events == nil {
		return nil
	}
	var changed []string
	for _, e := range s.events.Take() {
		if arn := s.take(e); arn != "" {
			changed = append(changed, arn)
		}
	}
	return changed
}

// take enters an event. It returns the function whose switch has ended with it.
func (s *Screen) take(e fleet.Event) (changed string) {
	if e.Fleet != "" {
		s.id = e.Fleet
	}
	i := slices.IndexFunc(s.rows, func(r row) bool { return r.Function == e.Function })
	if i < 0 {
		return ""
	}
	r := &s.rows[i]
	if e.Wave > 0 {
		r.Wave = e.Wave
	}
	if e.Step != nil {
		if e.Step.State == switchover.Done || e.Step.State == switchover.Skipped {
			r.done++
		}
		r.step = e.Step
	}
	if e.State == "" {
		return ""
	}
	r.State, r.Message = e.State, e.Message
	if e.State == switchover.StateRunning {
		r.done, r.step = 0, nil
		return ""
	}
	return r.arn
}

func (s *Screen) done(msg job.Done) screen.Effect {
	cancelled := s.job.Cancelled()
	s.job = nil
	switch s.phase {
	case planning:
		p, _ := msg.Value.(*fleet.Plan)
		if msg.Err != nil || p == nil {
			s.phase = unplanned
			if msg.Err == nil || cancelled {
				return screen.Effect{}
			}
			s.failed = msg.Err.Error()
			return screen.Say(screen.Bad, s.failed)
		}
		s.phase, s.plan, s.confirm = planned, p, p.Confirmation()
		return screen.Effect{}
	case ended:
		if msg.Err != nil {
			s.failed = msg.Err.Error()
			return screen.Say(screen.Bad, s.failed)
		}
		if e, _ := msg.Value.(*fleet.Entry); e != nil {
			s.enter(*e)
		}
		return screen.Effect{}
	}
	effect := screen.Effect{Reread: s.drain(), Level: screen.Good}
	s.phase = ended
	s.report, _ = msg.Value.(*fleet.Report)
	s.state = switchover.StateFailed
	if r := s.report; r != nil {
		s.id, s.state, s.message = r.Fleet, r.State, r.Message
		for _, o := range r.Functions {
			if i := slices.IndexFunc(s.rows, func(r row) bool { return r.Function == o.Function }); i >= 0 {
				s.rows[i].Outcome = o
			}
		}
	}
	effect.Note = "the fleet is " + s.state
	switch {
	case msg.Err != nil && !(cancelled && s.report != nil):
		// Stopping is what was asked for; the report says where things stand.
		s.failed = msg.Err.Error()
		effect.Note, effect.Level = s.failed, screen.Bad
	case s.state != switchover.StateDone && s.state != switchover.StateRolledBack:
		effect.Level = screen.Warn
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
