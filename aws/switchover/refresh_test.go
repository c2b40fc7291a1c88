package switchover

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/emulator"
)

// renewed are the choices of a refresh of a migrated function with other code.
func (b *bench) renewed(migration string) Choices {
	b.t.Helper()
	made, err := ReadMade(b.state, migration)
	ok(b, 0, err)
	dir, err := os.MkdirTemp(filepath.Dir(b.state), "code-")
	ok(b, 0, err)
	file := filepath.Join(dir, "code.zip")
	out, err := os.Create(file)
	ok(b, 0, err)
	w := zip.NewWriter(out)
	f, err := w.Create("index.js")
	ok(b, 0, err)
	_, err = f.Write([]byte("exports.handler = async (event) => ({ fresh: true, ...event })"))
	ok(b, 0, errors.Join(err, w.Close(), out.Close()))
	data, err := os.ReadFile(file)
	ok(b, 0, err)
	sum := sha256.Sum256(data)
	o := made.Origin
	o.Code = Archive{Name: file, SHA256: hex.EncodeToString(sum[:]), From: file}
	return Choices{Strategy: Refresh, Repository: repositoryName(made.Entry.Function, made.Choices), Origin: &o}
}

func (b *bench) refresh(name string, c Choices) (*Result, error) {
	b.t.Helper()
	snap := b.capture(name)
	plan := PlanFor(snap, c)
	if len(plan.Blockers) > 0 {
		b.t.Fatalf("blocked by %v", plan.Blockers)
	}
	return b.s.Apply(b.ctx, snap, plan, c, b.emit)
}

func (b *bench) runs(name string) string {
	b.t.Helper()
	got, err := b.api.GetFunction(b.ctx, &lambda.GetFunctionInput{FunctionName: &name})
	return digestOf(liveImage(ok(b, got, err)))
}

// Refreshed, the function runs the new image and is what it was in all else; the
// refresh comes back, and so does the switch beneath it.
func TestRefreshThereAndBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("shop")
	zip := b.capture("shop")
	first, err := b.apply("shop", Choices{})
	ok(b, 0, err)
	before := b.capture("shop")
	res, err := b.refresh("shop", b.renewed(first.Journal))
	if err != nil || res.State != StateDone || res.Image == first.Image || b.runs("shop") != digestOf(res.Image) || res.Gap != 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, true)
	out, err := b.api.Invoke(b.ctx, &lambda.InvokeInput{FunctionName: aws.String("shop"), Payload: []byte(`{"a":1}`)})
	if !strings.Contains(string(ok(b, out, err).Payload), `"fresh":true`) {
		t.Errorf("it answers %s", out.Payload)
	}
	if slices.ContainsFunc(b.names(), func(n string) bool { return strings.Contains(n, "-optlift-") }) {
		t.Errorf("a rehearsal is left: %v", b.names())
	}
	entry, err := ReadJournal(b.state, res.Journal)
	if err != nil || entry.Strategy != Refresh {
		t.Errorf("%+v, %v", entry, err)
	}
	// The next refresh starts from what this one was made from, without its file.
	made, err := ReadMade(b.state, res.Journal)
	if err != nil || made.Origin.Migration != first.Journal || made.Image != res.Image {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := os.Stat(made.Origin.Code.From); err != nil {
		t.Error(err)
	}
	back, err := b.s.Rollback(b.ctx, res.Journal, b.emit)
	if err != nil || back.State != StateRolledBack || b.runs("shop") != digestOf(first.Image) {
		t.Fatalf("%+v, %v", back, err)
	}
	b.sameAs(before, true)
	if res, err = b.refresh("shop", b.renewed(first.Journal)); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	// What a refresh has made is the migration's, too.
	if back, err := b.s.Rollback(b.ctx, first.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", back, err)
	}
	b.sameAs(zip, false)
}

// Whatever fails, the function runs the image it had, or the new one whole; and
// resumes to the new one, or comes back to the old one.
func TestRefreshUnderFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		fault   emulator.Fault
		updated bool
	}{
		{"the build", emulator.Fault{Operation: "PutManifest", Kind: emulator.AccessDenied, Count: -1}, false},
		{"the rehearsal", emulator.Fault{Operation: "CreateFunction", Target: "-optlift-", Kind: emulator.AccessDenied}, false},
		{"the update", emulator.Fault{Operation: "UpdateFunctionCode", Kind: emulator.AccessDenied}, false},
		{"the look at the update", emulator.Fault{Operation: "UpdateFunctionCode", Kind: emulator.Reset, After: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.small("shop")
			first, err := b.apply("shop", Choices{})
			ok(b, 0, err)
			before := b.capture("shop")
			b.server.Inject(c.fault)
			res, err := b.refresh("shop", b.renewed(first.Journal))
			b.server.ClearFaults()
			if c.updated {
				// The answer was lost, the call was not.
				if err != nil || b.runs("shop") != digestOf(res.Image) {
					t.Fatalf("%+v, %v", res, err)
				}
				return
			}
			if err == nil || res.State != StateFailed || !strings.Contains(res.Message, "still runs the image it had") || b.runs("shop") != digestOf(first.Image) {
				t.Fatalf("%+v, %v", res, err)
			}
			if slices.ContainsFunc(b.names(), func(n string) bool { return strings.Contains(n, "-optlift-") }) {
				t.Errorf("a rehearsal is left: %v", b.names())
			}
			again, err := b.s.Resume(b.ctx, res.Journal, b.emit)
			if err != nil || b.runs("shop") != digestOf(again.Image) || again.Image == first.Image {
				t.Fatalf("%+v, %v", again, err)
			}
			b.sameAs(before, true)
			if back, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil || b.runs("shop") != digestOf(first.Image) {
				t.Fatalf("%+v, %v", back, err)
			}
		})
	}
}

// New code that answers otherwise stays away from the function, unless the user
// says that it is meant so.
func TestRefreshAnswersOtherwise(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	first, err := b.apply("shop", Choices{})
	ok(b, 0, err)
	c := b.renewed(first.Journal)
	event := filepath.Join(filepath.Dir(b.state), "event.json")
	ok(b, 0, os.WriteFile(event, []byte(`{"a":1}`), 0o600))
	c.Events = []string{event}
	res, err := b.refresh("shop", c)
	if err == nil || !strings.Contains(err.Error(), acceptRehearsal) || b.runs("shop") != digestOf(first.Image) || !slices.Equal(b.names(), []string{"shop"}) {
		t.Fatalf("%+v, %v: %v", res, err, b.names())
	}
	c.Accept = []string{acceptRehearsal}
	if res, err = b.refresh("shop", c); err != nil || b.runs("shop") != digestOf(res.Image) {
		t.Fatalf("%+v, %v", res, err)
	}
}

// Killed or stopped at any step it resumes.
func TestRefreshStoppedAtEveryStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	first, err := b.apply("shop", Choices{})
	ok(b, 0, err)
	choices := b.renewed(first.Journal)
	for _, step := range PlanFor(b.capture("shop"), choices).Steps {
		ctx, cancel := context.WithCancel(b.ctx)
		snap := b.capture("shop")
		res, err := b.s.Apply(ctx, snap, PlanFor(snap, choices), choices, func(e Event) {
			if e.Step.ID == step.ID && e.State == Running && e.Image == nil {
				cancel()
			}
		})
		cancel()
		if err != nil {
			if !errors.Is(err, context.Canceled) || res.State != StateStopped {
				t.Fatalf("%s: %+v, %v", step.ID, res, err)
			}
			if res, err = b.s.Resume(b.ctx, res.Journal, b.emit); err != nil {
				t.Fatalf("resume after %s: %+v, %v", step.ID, res, err)
			}
		}
		if b.runs("shop") != digestOf(res.Image) {
			t.Errorf("%s: runs %s", step.ID, b.runs("shop"))
		}
		if back, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil || b.runs("shop") != digestOf(first.Image) {
			t.Fatalf("back after %s: %+v, %v", step.ID, back, err)
		}
	}
}

// Somebody else's change is noticed by Lambda itself, at the last moment.
func TestRefreshLosesTheRace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	first, err := b.apply("shop", Choices{})
	ok(b, 0, err)
	c := b.renewed(first.Journal)
	snap := b.capture("shop")
	res, err := b.s.Apply(b.ctx, snap, PlanFor(snap, c), c, func(e Event) {
		if e.Step.ID == "check-revision" && e.State == Done {
			_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("shop"), Timeout: aws.Int32(30)})
			ok(b, 0, err)
			wait := lambda.NewFunctionUpdatedV2Waiter(b.api, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
			ok(b, 0, wait.Wait(b.ctx, &lambda.GetFunctionInput{FunctionName: aws.String("shop")}, time.Minute))
		}
	})
	if err == nil || !strings.Contains(err.Error(), "somebody else changed the function") || b.runs("shop") != digestOf(first.Image) {
		t.Fatalf("%+v, %v", res, err)
	}
	if back, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", back, err)
	}
	// A source that changes between plan and run is noticed.
	c = b.renewed(first.Journal)
	ok(b, 0, os.WriteFile(c.Origin.Code.From, []byte("other"), 0o600))
	if res, err := b.refresh("shop", c); err == nil || !strings.Contains(err.Error(), "was changed since the plan was made") {
		t.Fatalf("%+v, %v", res, err)
	}
}
