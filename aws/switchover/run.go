package switchover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/image"
)

// run is one process's work on one journal.
type run struct {
	s       *Switcher
	api     *lambda.Client
	snap    *Snapshot
	choices Choices
	j       *journal
	scrub   scrubber

	// name and arn are of the function that is made, as images or from zips.
	name, arn string
	image     bool
	// prefix keeps a rollback's steps and facts apart.
	prefix string

	emitting sync.Mutex // also guards over
	emit     func(Event)
	over     bool // the run has ended: nothing is told any more
	step     Step // the running one
	// activeAfter says how long a temporary function took to become Active.
	activeAfter string
	watch       sync.Once
}

func (s *Switcher) newRun(snap *Snapshot, c Choices, j *journal, emit func(Event)) *run {
	if emit == nil {
		emit = func(Event) {}
	}
	return &run{
		s: s, api: s.api(), snap: snap, choices: c, j: j,
		scrub: newScrubber(snap.Secrets(), publicText(snap)), name: snap.Function, arn: snap.ARN, image: true, emit: emit,
	}
}

// tell emits an event that is not kept.
func (r *run) tell(e Event) {
	e.At = time.Now().UTC()
	e.Message = r.scrub.text(e.Message)
	r.emitting.Lock()
	defer r.emitting.Unlock()
	if !r.over {
		r.emit(e)
	}
}

// progress tells how far a long step is.
func (r *run) progress(p image.Progress) {
	r.tell(Event{Step: r.step, State: Running, Image: &p})
}

// mark keeps a step's state and tells it.
func (r *run) mark(step Step, state StepState, message string, facts ...Fact) error {
	message = r.scrub.text(message)
	for i := range facts {
		facts[i].Value = session.Clean(r.scrub.text(facts[i].Value))
	}
	err := r.j.write(record{Kind: "step", Step: &step, State: state, Message: message, Facts: facts})
	r.tell(Event{Step: step, State: state, Message: message, Facts: facts})
	return err
}

// walk takes the tasks in order. Before the deletion every task is taken again
// in a new run, because the account may have changed meanwhile; each looks
// before it acts. After it, finished ones are left alone.
func (r *run) walk(ctx context.Context, tasks []task) error {
	for _, t := range tasks {
		if r.deleted() {
			if r.j.finished(t.ID) {
				continue
			}
			ctx = r.undisturbed(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if pause := r.s.config.Pause; pause != nil && t.NoReturn && !r.deleted() {
			if err := pause(ctx, t.Step); err != nil {
				return err
			}
		}
		r.step = t.Step
		if err := r.mark(t.Step, Running, ""); err != nil {
			return err
		}
		out, err := t.run(ctx, r)
		if err != nil {
			err = r.scrub.fault(err)
			state := Broken
			if ctx.Err() != nil && errors.Is(err, context.Canceled) {
				state = Pending // stopped, not failed
			}
			return errors.Join(err, r.mark(t.Step, state, err.Error()))
		}
		state := Done
		if out.skipped {
			state = Skipped
		}
		if err := r.mark(t.Step, state, out.note, out.facts...); err != nil {
			return err
		}
	}
	return nil
}

// undisturbed is ctx without its end. When ctx ends, the user is told why the
// run goes on.
func (r *run) undisturbed(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return ctx
	}
	r.watch.Do(func() {
		step := r.step
		context.AfterFunc(ctx, func() {
			r.tell(Event{Step: step, State: Running, Message: "asked to stop, but " + r.name +
				" is being replaced and callers would be left without it: the run goes on until it is whole"})
		})
	})
	return context.WithoutCancel(ctx)
}

// mutate makes one call that changes something, with a line on disk before and
// after it. A call that has begun is not cut off by the user's stop.
func (r *run) mutate(ctx context.Context, call, target string, act func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.j.write(record{Kind: "before", In: r.step.ID, Call: call, Target: target}); err != nil {
		return err
	}
	callCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.s.callTimeout)
	defer cancel()
	began := time.Now()
	return r.after(call, target, began, act(callCtx))
}

// upload is mutate for what is long and may be cut off anywhere: what a transfer
// has sent belongs to nothing until it is done.
func (r *run) upload(ctx context.Context, call, target string, act func(context.Context) error) error {
	if err := r.j.write(record{Kind: "before", In: r.step.ID, Call: call, Target: target}); err != nil {
		return err
	}
	began := time.Now()
	return r.after(call, target, began, act(ctx))
}

func (r *run) after(call, target string, began time.Time, err error) error {
	told := &Call{Operation: call, Target: session.Clean(target), Took: time.Since(began)}
	rec := record{Kind: "after", In: r.step.ID, Call: call, Target: target}
	if err != nil {
		rec.Error = r.scrub.fault(err).Error()
		told.Error = rec.Error
	}
	r.tell(Event{Step: r.step, State: Running, Call: told})
	return errors.Join(err, r.j.write(rec))
}

// Patience with calls that AWS refuses because another operation is going on.
const conflictPatience = time.Minute

// ensure makes one thing so: look says whether it is, act makes it. When act
// fails, look decides, because a call whose answer was lost may have been done.
func (r *run) ensure(ctx context.Context, call, target string, look func(context.Context) (bool, error), act func(context.Context) error) (outcome, error) {
	if so, err := look(ctx); err != nil || so {
		return outcome{skipped: so}, err
	}
	var after error
	err := poll(ctx, conflictPatience, func(ctx context.Context) (bool, error) {
		err := r.mutate(ctx, call, target, act)
		if err == nil {
			return true, nil
		}
		lookCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.s.callTimeout)
		defer cancel()
		so, lookErr := look(lookCtx)
		if lookErr == nil && so {
			return true, nil
		}
		after = err
		if lookErr == nil && passing(err) {
			return false, nil
		}
		return false, errors.Join(err, lookErr)
	})
	if errors.Is(err, errPatience) {
		err = after
	}
	if err != nil {
		return outcome{}, fmt.Errorf("%s %s: %w", call, target, err)
	}
	return outcome{}, nil
}

// passing tells the errors that say "not now".
func passing(err error) bool {
	var conflict *types.ResourceConflictException
	var inUse *types.ResourceInUseException
	var notReady *types.ResourceNotReadyException
	return errors.As(err, &conflict) || errors.As(err, &inUse) || errors.As(err, &notReady) ||
		session.KindOf(err) == session.Throttled
}

var errPatience = errors.New("it took too long")

// poll asks until the answer is yes. It begins fast, because the name may not
// answer meanwhile, and slows down to one question a second.
func poll(ctx context.Context, patience time.Duration, ask func(context.Context) (bool, error)) error {
	deadline := time.Now().Add(patience)
	for delay := 25 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		if yes, err := ask(ctx); err != nil || yes {
			return err
		}
		if time.Now().After(deadline) {
			return errPatience
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
