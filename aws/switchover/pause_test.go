package switchover

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// The run pauses once, before the first step that callers notice; stopped there,
// nothing was touched, and it can be gone on with.
func TestPause(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("shop")
	before := b.capture("shop")
	plan := PlanFor(before, Choices{})
	at := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.NoReturn })
	if at < 0 || !strings.HasPrefix(plan.Steps[at].ID, "mapping-off:") {
		t.Fatalf("the point of no return is step %d of %+v", at, plan.Steps)
	}
	if slices.ContainsFunc(plan.Steps[at+1:], func(s Step) bool { return s.NoReturn }) {
		t.Fatalf("there are several: %+v", plan.Steps)
	}
	var asked []string
	pausing := func(answer error) *Switcher {
		return b.s.Pausing(func(ctx context.Context, before Step) error {
			asked = append(asked, before.ID)
			for _, e := range b.events {
				if e.Step.ID == before.ID {
					t.Errorf("%s had begun", before.ID)
				}
			}
			return answer
		})
	}
	no := errors.New("not now")
	res, err := pausing(no).Apply(b.ctx, before, plan, Choices{}, b.emit)
	if err == nil || res == nil || res.State != StateFailed {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	res, err = pausing(nil).Resume(b.ctx, res.Journal, b.emit)
	if err != nil || res.State != StateDone {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, true)
	want := []string{plan.Steps[at].ID, plan.Steps[at].ID}
	if !slices.Equal(asked, want) {
		t.Fatalf("asked before %v, want %v", asked, want)
	}
	// The way back has its own.
	b.events = nil
	asked = nil
	if res, err := pausing(no).Rollback(b.ctx, res.Journal, b.emit); err == nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, true)
	b.events = nil
	if res, err := pausing(nil).Rollback(b.ctx, res.Journal, b.emit); err != nil || res.State != StateRolledBack {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	if len(asked) != 2 || !strings.HasPrefix(asked[0], undoing) {
		t.Fatalf("asked before %v", asked)
	}
}

// Steps tell what they found out, in events and in the journal, and which calls
// they made; a run without mappings turns at the deletion.
func TestFactsAndCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	plan := PlanFor(snap, Choices{})
	if at := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.NoReturn }); at < 0 || plan.Steps[at].ID != "delete-function" {
		t.Fatalf("the point of no return is step %d of %+v", at, plan.Steps)
	}
	res, err := b.apply("shop", Choices{})
	if err != nil {
		t.Fatal(err)
	}
	facts := func(events []Event, step string) map[string]string {
		found := map[string]string{}
		for _, e := range events {
			for _, f := range e.Facts {
				if e.Step.ID == step {
					found[f.Name] += f.Value + "\n"
				}
			}
		}
		return found
	}
	for name, events := range map[string][]Event{"events": b.events, "journal": must(ReadJournal(b.state, res.Journal)).Steps} {
		image := facts(events, "image:$LATEST")
		for fact, want := range map[string]string{"base": "@sha256:", "lint": "every rule", "proof": "below /opt and /var/task equal to the merged zips", "layer": "code of shop", "platform": "linux/"} {
			if !strings.Contains(image[fact], want) {
				t.Errorf("%s: %s is %q", name, fact, image[fact])
			}
		}
		if got := facts(events, "backup")["archive"]; !strings.Contains(got, "sha256:") {
			t.Errorf("%s: archive is %q", name, got)
		}
		if got := facts(events, "rehearse")["event"]; !strings.Contains(got, "none was given") {
			t.Errorf("%s: event is %q", name, got)
		}
	}
	calls := map[string]bool{}
	for _, e := range b.events {
		if e.Call != nil {
			calls[e.Step.ID+" "+e.Call.Operation] = true
		}
	}
	for _, want := range []string{"image:$LATEST PutImage", "delete-function DeleteFunction", "create-function CreateFunction"} {
		if !calls[want] {
			t.Errorf("%s was not told: %v", want, calls)
		}
	}
	b.noSecrets()
}
