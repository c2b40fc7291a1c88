package main

import (
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/optlift/optlift/aws/switchover"
)

// interrupts are the user's two ways to stop: the first signal cancels the
// command's context, which lets a migration finish its running step and stop at a
// safe place; the second ends the process where it is.
type interrupts struct {
	io   *streams
	mu   sync.Mutex
	work func() standing // of a run that changes the account; nil while there is none
}

// standing is where a run stands, in words for people.
type standing struct {
	step  string   // what is under way
	where string   // the migration or fleet, and what may be half done
	next  []string // commands that can be typed next
}

// during says who knows where things stand until end is called. Until then a
// reader of the output that goes away (| head) does not end the process: a
// migration must not be killed by that.
func (i *interrupts) during(work func() standing) (end func()) {
	set := func(w func() standing) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.work = w
	}
	set(work)
	signal.Ignore(syscall.SIGPIPE)
	return func() {
		set(nil)
		signal.Reset(syscall.SIGPIPE)
	}
}

func (i *interrupts) standing() (standing, bool) {
	i.mu.Lock()
	work := i.work
	i.mu.Unlock()
	if work == nil {
		return standing{}, false
	}
	return work(), true
}

// watch handles signals until done is closed.
func (i *interrupts) watch(signals <-chan os.Signal, done <-chan struct{}, cancel func(), exit func(code int)) {
	for n := 0; ; n++ {
		select {
		case <-done:
			return
		case <-signals:
		}
		s, working := i.standing()
		switch {
		case n == 0 && working:
			fmt.Fprintf(i.io.err, "\noptlift: interrupted: %s is finished, and the run stops at the next safe place; interrupt again to stop at once\n", printable(s.step))
			fallthrough
		case n == 0:
			cancel()
		case working:
			fmt.Fprintf(i.io.err, "\noptlift: stopped at once, in %s of %s\n", printable(s.step), printable(s.where))
			for k, next := range s.next {
				fmt.Fprintf(i.io.err, "%-5s %s\n", []string{"next:", "or:"}[min(k, 1)], next)
			}
			exit(exitInterrupted)
			return
		default:
			exit(exitInterrupted)
			return
		}
	}
}

// tracker follows a run's events, to tell where it stands. It is safe for
// concurrent use.
type tracker struct {
	mu       sync.Mutex
	verbs    []string // commands that take the run up again
	function string
	id, step string
	steps    map[string]switchover.StepState
}

func newTracker(function string, verbs ...string) *tracker {
	return &tracker{function: function, verbs: verbs, steps: map[string]switchover.StepState{}}
}

func (t *tracker) event(e switchover.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.Step.ID == "journal" {
		t.id = e.Step.Target
		return
	}
	t.step = e.Step.ID
	t.steps[e.Step.ID] = e.State
}

// standing tells what the last call may have left, in the order in which it
// matters to callers.
func (t *tracker) standing() standing {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.id == "" {
		return standing{step: "the preparation", where: "the migration of " + t.function + "; nothing was changed"}
	}
	s := standing{step: "step " + t.step, where: "migration " + t.id + ": whether its last call took effect is not known"}
	begun := func(step string) bool { return t.steps[step] != "" }
	ended := func(step string) bool { return t.steps[step] == switchover.Done || t.steps[step] == switchover.Skipped }
	paused, home := 0, 0
	for id := range t.steps {
		id = strings.TrimPrefix(id, "undo:")
		if strings.HasPrefix(id, "mapping-off:") {
			paused++
		}
		if strings.HasPrefix(id, "mapping-on:") {
			home++
		}
	}
	for _, prefix := range []string{"", "undo:"} {
		switch {
		case begun(prefix+"delete-function") && !ended(prefix+"create-function"):
			s.where += "; " + t.function + " may not exist right now, and callers get errors until you go on"
		case begun(prefix+"delete-function") && !ended(prefix+"verify"):
			s.where += "; " + t.function + " exists, but not everything is attached to it yet"
		}
	}
	if paused > home {
		s.where += "; event source mappings are paused"
	}
	if begun("rehearse") && !ended("rehearse-clean") || begun("undo:rehearse") && !ended("undo:rehearse-end") {
		s.where += "; a temporary function may be left, which going on deletes"
	}
	for _, verb := range t.verbs {
		s.next = append(s.next, "optlift "+verb+" "+t.id+" --write --confirm "+t.function)
	}
	return s
}
