package switchover

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// Apply runs a plan for a snapshot. The journal entry exists before anything is
// changed; its id is the target of the first event, whose step is "journal". It
// refuses a plan with blockers, and when the live RevisionId or CodeSha256 has
// moved.
//
// Cancelling ctx stops after the running call, at a safe place: before the
// function is deleted, with everything switched on again, or else after it is
// whole. The result says where things stand; the error is then ctx's. A run that
// failed returns a result, too. No error holds a secret.
func (s *Switcher) Apply(ctx context.Context, snap *Snapshot, plan *Plan, c Choices, emit func(Event)) (*Result, error) {
	c = c.withDefaults()
	if err := s.may(snap.Account); err != nil {
		return nil, err
	}
	if len(plan.Blockers) > 0 {
		return nil, fmt.Errorf("function %s: the plan is blocked by %s: %s", snap.Function, plan.Blockers[0].ID, plan.Blockers[0].Message)
	}
	if err := plan.Matches(snap); err != nil {
		return nil, err
	}
	again := PlanFor(snap, c)
	if len(again.Blockers) > 0 || again.Strategy != plan.Strategy || !reflect.DeepEqual(again.Steps, plan.Steps) {
		return nil, fmt.Errorf("function %s: the plan was made with other choices or another state of its attachments: make a new plan", snap.Function)
	}
	tasks, err := tasksFor(snap, c)
	if err != nil {
		return nil, err
	}
	l, err := takeLock(s.config.StateDir, snap.Account, snap.Region, snap.Function)
	if err != nil {
		return nil, err
	}
	defer l.Release()
	r := s.newRun(snap, c, nil, emit)
	if err := r.unmoved(ctx); err != nil {
		return nil, r.scrub.fault(err)
	}
	id := newJournalID(time.Now())
	if err := saveSnapshot(s.config.StateDir, id, snap); err != nil {
		return nil, err
	}
	j, err := createJournal(s.config.StateDir, record{ID: id, Function: snap.Function, ARN: snap.ARN,
		Region: snap.Region, Account: snap.Account, Choices: &c, Fleet: s.config.Fleet})
	if err != nil {
		return nil, err
	}
	defer j.close()
	r.j = j
	return r.apply(ctx, tasks)
}

// may refuses a run that could not write, or that belongs to another account.
func (s *Switcher) may(account string) error {
	switch {
	case !s.config.Session.Armed():
		return fmt.Errorf("nothing was changed: %w", session.ErrReadOnly)
	case account != s.config.Session.Account:
		return fmt.Errorf("this belongs to account %s and the session is in %s: nothing was changed", account, s.config.Session.Account)
	}
	return nil
}

// Resume goes on with a journal where it stopped: with its switch, or with its
// rollback once that was begun.
func (s *Switcher) Resume(ctx context.Context, journal string, emit func(Event)) (*Result, error) {
	r, done, err := s.reopen(journal, emit)
	if err != nil {
		return nil, err
	}
	defer done()
	switch {
	case r.j.ended == StateDone:
		res := r.result(StateDone)
		res.Message = "the migration is finished already"
		return res, nil
	case r.j.ended == StateRolledBack:
		return nil, fmt.Errorf("migration %s was rolled back: begin a new one with optlift migrate %s", journal, r.snap.Function)
	case r.j.mode == modeRollback:
		return r.rollback(ctx)
	}
	tasks, err := tasksFor(r.snap, r.choices)
	if err != nil {
		return nil, err
	}
	return r.apply(ctx, tasks)
}

// reopen takes a journal up again, under its function's lock.
func (s *Switcher) reopen(id string, emit func(Event)) (r *run, done func(), err error) {
	before, err := readJournal(s.config.StateDir, id)
	if err != nil {
		return nil, nil, err
	}
	start := before.start
	if err := s.may(start.Account); err != nil {
		return nil, nil, err
	}
	if start.Region != s.config.Region {
		return nil, nil, fmt.Errorf("migration %s is in %s, not in %s", id, start.Region, s.config.Region)
	}
	l, err := takeLock(s.config.StateDir, start.Account, start.Region, start.Function)
	if err != nil {
		return nil, nil, err
	}
	snap, err := loadSnapshot(s.config.StateDir, id)
	if err == nil {
		err = sweep(s.config.StateDir, id)
	}
	if err != nil {
		return nil, nil, errors.Join(err, l.Release())
	}
	j, err := openJournal(s.config.StateDir, id) // again: it may have grown before the lock was ours
	if err != nil {
		return nil, nil, errors.Join(err, l.Release())
	}
	choices := *start.Choices
	if s.bucket != "" {
		choices.Bucket = s.bucket
	}
	r = s.newRun(snap, choices, j, emit)
	return r, func() { j.close(); l.Release() }, nil
}

// begin notes that a process works on the journal now.
func (r *run) begin(mode string) error {
	if err := r.j.write(record{Kind: "run", Mode: mode}); err != nil {
		return err
	}
	r.tell(Event{Step: Step{ID: "journal", Action: Create, Call: "local", Target: r.j.start.ID}, State: Done,
		Message: "journal " + r.j.start.ID})
	return nil
}

// apply walks a switch to its end, and cleans up when it ends early.
func (r *run) apply(ctx context.Context, tasks []task) (*Result, error) {
	if r.choices.Strategy == Beside {
		r.name = besideName(r.snap.Function)
		r.arn = r.snap.ARN[:len(r.snap.ARN)-len(r.snap.Function)] + r.name
	}
	if err := r.begin(modeApply); err != nil {
		return nil, err
	}
	err := r.survived(ctx)
	if err == nil && !r.deleted() {
		err = r.unmoved(ctx)
	}
	if err == nil {
		err = r.walk(ctx, tasks)
	}
	if err == nil {
		return r.end(StateDone, r.success(), nil, nil)
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.s.patience)
	defer cancel()
	where := ""
	if r.choices.Strategy == Refresh {
		where = r.whereRefresh(detached)
	} else {
		where = r.cleanUp(detached, tasks)
	}
	state := StateFailed
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		state = StateStopped
	}
	return r.end(state, where, r.next("resume", "rollback"), r.scrub.fault(err))
}

// success is the last word of a switch that went well.
func (r *run) success() string {
	if r.choices.Strategy == Refresh {
		return r.snap.Function + " runs the new image; the one before stays in its repository"
	}
	if r.choices.Strategy == Rehearse {
		return r.snap.Function + " is untouched; its image became Active under a temporary name, and stays in repository " + repositoryName(r.snap.Function, r.choices)
	}
	m := r.snap.Function + " is a container image now; the Zip function's code and layers are kept in the backup"
	if r.choices.Strategy == Beside {
		m = r.name + " runs beside " + r.snap.Function + ", which is untouched but for its event source mappings"
	}
	for _, q := range r.snap.Carried() {
		if now, err := r.version(q); err == nil && now != q {
			m += "; version " + q + " is version " + now
		}
	}
	return m
}

// next are the commands that take up the journal again.
func (r *run) next(verbs ...string) []string {
	commands := make([]string, len(verbs))
	for i, verb := range verbs {
		commands[i] = "optlift " + verb + " " + r.j.start.ID + " --write --confirm " + r.snap.Function
	}
	return commands
}

// cleanUp takes back, before the deletion, what must not stay when a run ends
// early: the temporary function and paused mappings. It says where things stand.
func (r *run) cleanUp(ctx context.Context, tasks []task) string {
	if r.choices.Strategy == Beside {
		return r.snap.Function + " is untouched; what was made beside it stays until you resume or roll back"
	}
	var problems []error
	if _, err := cleanRehearsal(ctx, r); err != nil {
		problems = append(problems, err)
	}
	if r.deleted() {
		return r.afterDeletion(ctx, problems)
	}
	mappings, err := mappingsOf(r.snap)
	problems = append(problems, err)
	for _, m := range mappings {
		// What this journal never touched stays as it is.
		if !m.on || !r.j.wasSent("mapping-off:"+m.uuid, "UpdateEventSourceMapping") {
			continue
		}
		if _, err := r.mapping(ctx, m.uuid, "Enabled", ""); err != nil {
			problems = append(problems, err)
			continue
		}
		for _, t := range tasks {
			if t.ID == "mapping-off:"+m.uuid {
				problems = append(problems, r.mark(t.Step, Pending, "switched on again"))
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Sprintf("%s was not deleted, but not everything is as it was: %s", r.snap.Function, r.scrub.fault(err))
	}
	return r.snap.Function + " is still the Zip function, untouched"
}

// afterDeletion tells loudly what callers meet.
func (r *run) afterDeletion(ctx context.Context, problems []error) string {
	got, err := r.live(ctx, r.name, "")
	tail := ""
	if e := errors.Join(problems...); e != nil {
		tail = "; also: " + r.scrub.fault(e).Error()
	}
	switch {
	case err != nil:
		return "WARNING: " + r.name + " was deleted, and whether it exists again could not be found out: " + r.scrub.fault(err).Error() + tail
	case got == nil:
		return "WARNING: " + r.name + " DOES NOT EXIST right now: callers get errors until you resume or roll back" + tail
	case got.Configuration.State == types.StateFailed:
		return "WARNING: " + r.name + " exists again but FAILED: callers get errors until you resume or roll back" + tail
	}
	return "WARNING: " + r.name + " exists again, but not everything is attached to it yet: resume or roll back" + tail
}

func (r *run) result(state string) *Result {
	res := &Result{Journal: r.j.start.ID, Function: r.snap.Function, State: state, Image: r.j.fact(imageFact(snapshot.Latest))}
	from, errFrom := time.Parse(time.RFC3339Nano, r.j.fact(r.prefix+gapStart))
	to, errTo := time.Parse(time.RFC3339Nano, r.j.fact(r.prefix+gapEnd))
	if errFrom == nil && errTo == nil {
		res.Gap = to.Sub(from)
	}
	return res
}

// end writes the last line of a run.
func (r *run) end(state, message string, next []string, cause error) (*Result, error) {
	res := r.result(state)
	res.Message, res.Next = r.scrub.text(message), next
	if cause != nil && state != StateStopped {
		res.Message += ": " + cause.Error()
	}
	err := r.j.write(record{Kind: "end", State: StepState(state), Message: res.Message})
	r.emitting.Lock()
	r.over = true
	r.emitting.Unlock()
	return res, errors.Join(cause, err)
}
