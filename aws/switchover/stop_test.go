package switchover

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// small makes a function with one alias and one mapping.
func (b *bench) small(name string) {
	b.t.Helper()
	b.plain(name)
	out, err := b.api.PublishVersion(b.ctx, &lambda.PublishVersionInput{FunctionName: &name})
	version := ok(b, out, err).Version
	_, err = b.api.CreateAlias(b.ctx, &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: version})
	ok(b, 0, err)
	_, err = b.api.CreateEventSourceMapping(b.ctx, &lambda.CreateEventSourceMappingInput{FunctionName: &name,
		EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:" + name)})
	ok(b, 0, err)
	b.settled(name)
}

// Stopped at any step, the run ends at a safe place: before the deletion with
// the old function as it was, after it with the new one whole.
func TestStopAtEveryStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("model")
	plan := PlanFor(b.capture("model"), Choices{})
	cut := slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == "create-function" })
	for i, step := range plan.Steps {
		name := "shop" + strings.NewReplacer(":", "-", "$", "").Replace(step.ID)
		name = name[:min(len(name), 40)]
		t.Run(step.ID, func(t *testing.T) {
			b := b.on(t)
			b.small(name)
			before := b.capture(name)
			ids := PlanFor(before, Choices{}).Steps
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			told := false
			res, err := b.s.Apply(ctx, before, PlanFor(before, Choices{}), Choices{}, func(e Event) {
				b.emit(e)
				if e.Step.ID == ids[i].ID && e.State == Running && e.Image == nil {
					cancel()
				}
				told = told || strings.Contains(e.Message, "asked to stop")
			})
			if i >= cut {
				if err != nil || res.State != StateDone {
					t.Fatalf("after the deletion: %+v, %v", res, err)
				}
				b.sameAs(before, true)
				return
			}
			if !errors.Is(err, context.Canceled) || res == nil || res.State != StateStopped {
				t.Fatalf("%+v, %v", res, err)
			}
			for _, want := range []string{"optlift resume " + res.Journal + " --write --confirm " + name, "optlift rollback " + res.Journal} {
				if !slices.ContainsFunc(res.Next, func(next string) bool { return strings.HasPrefix(next, want) }) {
					t.Errorf("next is %q", res.Next)
				}
			}
			b.sameAs(before, false)
			if slices.ContainsFunc(b.names(), func(n string) bool { return strings.Contains(n, "-optlift-") }) {
				t.Errorf("a rehearsal is left: %v", b.names())
			}
			if i%2 == 0 {
				if res, err := b.s.Resume(b.ctx, res.Journal, b.emit); err != nil {
					t.Fatalf("resume: %+v, %v", res, err)
				}
				b.sameAs(before, true)
				return
			}
			if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
				t.Fatalf("roll back: %+v, %v", res, err)
			}
			b.sameAs(before, false)
		})
	}
}

// The loudest message: the function does not exist.
func TestAStopWithoutAFunctionIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Target: "shop", Skip: 1, Kind: emulator.AccessDenied})
	res, err := b.apply("shop", Choices{})
	if err == nil || res == nil || res.State != StateFailed || !strings.Contains(res.Message, "DOES NOT EXIST") {
		t.Fatalf("%+v, %v", res, err)
	}
	if len(res.Next) == 0 {
		t.Error("says not what to do next")
	}
}

// What hangs on a function does not change its revision, and is noticed all the same.
func TestAttachmentAddedMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("shop")
	snap := b.capture("shop")
	res, err := b.s.Apply(b.ctx, snap, PlanFor(snap, Choices{}), Choices{}, func(e Event) {
		if e.Step.ID == "rehearse-clean" && e.State == Done {
			_, err := b.api.PutFunctionEventInvokeConfig(b.ctx, &lambda.PutFunctionEventInvokeConfigInput{FunctionName: &snap.Function, MaximumRetryAttempts: aws.Int32(1)})
			ok(b, 0, err)
		}
	})
	if err == nil || res.State != StateFailed || !strings.Contains(err.Error(), "async config was not there before") {
		t.Fatalf("%+v, %v", res, err)
	}
	now := b.capture("shop")
	if now.RevisionID != snap.RevisionID {
		t.Error("the function was touched")
	}
	for _, a := range now.All(snapshot.KindMapping) {
		if m := must(snapshot.Decode[types.EventSourceMappingConfiguration](a.Value)); aws.ToString(m.State) != "Enabled" {
			t.Errorf("mapping %s is left %s", a.Name, aws.ToString(m.State))
		}
	}
}

// The way back refuses, with nothing changed, when it can't be walked to its end.
func TestRollbackRefuses(t *testing.T) {
	t.Parallel()
	migrated := func(t *testing.T) (*bench, *Result) {
		b := newBench(t)
		b.rich("shop")
		res, err := b.apply("shop", accepted)
		return b, ok(b, res, err)
	}
	refused := func(t *testing.T, b *bench, res *Result, want string) {
		t.Helper()
		before := b.capture("shop")
		res, err := b.s.Rollback(b.ctx, res.Journal, b.emit)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("%+v, %v; want %q", res, err, want)
		}
		if now := b.capture("shop"); now.RevisionID != before.RevisionID {
			t.Error("the function was changed")
		}
	}
	t.Run("damaged backup", func(t *testing.T) {
		b, res := migrated(t)
		files := must(filepath.Glob(filepath.Join(b.state, backupDir, res.Journal, "*.zip")))
		data := must(os.ReadFile(files[0]))
		data[len(data)/2] ^= 1
		if err := os.WriteFile(files[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, b, res, "the way back is broken")
	})
	t.Run("deleted layer", func(t *testing.T) {
		b, res := migrated(t)
		_, err := b.api.DeleteLayerVersion(b.ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("deps"), VersionNumber: aws.Int64(1)})
		ok(b, 0, err)
		refused(t, b, res, "was deleted since")
	})
	t.Run("runtime that can't be created", func(t *testing.T) {
		b := newBench(t)
		b.plain("shop")
		res, err := b.apply("shop", Choices{})
		ok(b, res, err)
		b.server.Inject(emulator.Fault{Operation: "CreateFunction", Target: "-optlift-", Kind: emulator.AccessDenied})
		refused(t, b, res, "not taken by Lambda any more")
		if got := b.names(); !slices.Equal(got, []string{"shop"}) {
			t.Errorf("functions %v", got)
		}
		b.server.ClearFaults()
		if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
			t.Fatalf("%+v, %v", res, err)
		}
	})
	t.Run("another function under the name", func(t *testing.T) {
		b, res := migrated(t)
		_, err := b.api.DeleteFunction(b.ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("shop")})
		ok(b, 0, err)
		b.plain("shop")
		refused(t, b, res, "not the one that this migration made")
	})
}

// Two runs never work on one function.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	var second error
	res, err := b.s.Apply(b.ctx, snap, PlanFor(snap, Choices{}), Choices{}, func(e Event) {
		if e.Step.ID == "rehearse" && e.State == Running {
			_, second = b.s.Apply(b.ctx, snap, PlanFor(snap, Choices{}), Choices{}, nil)
		}
	})
	if err != nil || res.State != StateDone {
		t.Fatalf("%+v, %v", res, err)
	}
	if second == nil || !strings.Contains(second.Error(), "another optlift") {
		t.Errorf("a second run: %v", second)
	}
}

// What can't be read is neither taken for nothing nor hides the rest.
func TestCaptureKeepsDeniedAndAbsentApart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	b.server.Inject(emulator.Fault{Operation: "ListAliases", Kind: emulator.AccessDenied})
	b.server.Inject(emulator.Fault{Operation: "GetFunctionCodeSigningConfig", Kind: emulator.AccessDenied})
	snap := b.capture("shop")
	if a, _ := snap.One(snapshot.KindAlias, ""); a.Reading != snapshot.Denied || a.Message == "" {
		t.Errorf("aliases: %+v", a)
	}
	if a, _ := snap.One(snapshot.KindCodeSigning, ""); a.Reading != snapshot.Denied {
		t.Errorf("code signing: %+v", a)
	}
	if a, _ := snap.One(snapshot.KindDurable, ""); a.Reading != snapshot.Absent {
		t.Errorf("durable executions: %+v", a)
	}
	got := ids(PlanFor(snap, accepted).Blockers)
	slices.Sort(got)
	if !slices.Equal(got, []string{"denied:alias", "denied:code-signing"}) {
		t.Errorf("blockers %v", got)
	}
	b.server.Inject(emulator.Fault{Operation: "GetResourcePolicy", Kind: emulator.AccessDenied, Count: -1})
	if a, _ := b.capture("shop").One(snapshot.KindResourcePolicy, "live"); a.Reading != snapshot.Denied {
		t.Errorf("resource policy: %+v", a)
	}
	b.server.ClearFaults()
	for _, name := range []string{"shop:live", "arn:aws:lambda:us-east-1:123456789012:function:shop", "arn:aws:sqs:eu-central-1:123456789012:shop", "none"} {
		if _, err := b.s.Capture(b.ctx, name); err == nil {
			t.Errorf("%s is captured", name)
		}
	}
	if whole := b.capture(snap.ARN); whole.Function != "shop" {
		t.Errorf("by ARN: %+v", whole)
	}
}

// Reads that trail behind the changes neither leave a rehearsal behind nor make
// the switch give up.
func TestReadsThatLag(t *testing.T) {
	t.Parallel()
	b := newBenchWith(t, emulator.Options{Delay: time.Millisecond, Lag: 300 * time.Millisecond})
	b.s.lag = time.Minute
	b.small("shop")
	before := b.capture("shop")
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Kind: emulator.AccessDenied, After: true})
	res, err := b.apply("shop", Choices{})
	if err == nil {
		t.Fatalf("%+v", res)
	}
	for _, again := range []func(context.Context, string, func(Event)) (*Result, error){b.s.Resume, b.s.Rollback} {
		if res, err = again(b.ctx, res.Journal, b.emit); err != nil {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	b.sameAs(before, false)
	err = poll(b.ctx, time.Minute, func(context.Context) (bool, error) { return len(b.names()) == 1, nil })
	if err != nil {
		t.Errorf("functions %v", b.names())
	}
}

// A stop during a rehearsal reads as one, and not as a refusal of Lambda's; what an
// endpoint can't run says nothing about the image.
func TestRehearsalsThatTellNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Kind: emulator.None, Hook: func(emulator.Record) { cancel() }})
	res, err := b.s.Apply(ctx, snap, PlanFor(snap, Choices{}), Choices{}, b.emit)
	if err == nil || res.State != StateStopped || strings.Contains(res.Message+err.Error(), "does not take it") {
		t.Errorf("%+v, %v", res, err)
	}
	b.sameAs(snap, false)
	// The embedded account runs JavaScript only.
	event := b.event()
	_, err = b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("py"), Role: aws.String("arn:aws:iam::123456789012:role/r"),
		Runtime: types.RuntimePython313, Handler: aws.String("app.main"), Code: &types.FunctionCode{ZipFile: zipOf(map[string]string{"app.py": "def main(e, c): return 1"})}})
	ok(b, 0, err)
	b.wait("py")
	if res, err = b.apply("py", Choices{Events: []string{event}}); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	if !slices.ContainsFunc(b.events, func(e Event) bool { return strings.Contains(e.Message, "1 event not comparable") }) {
		t.Error("no event says that nothing was compared")
	}
}

// A rehearsal alone changes nothing, whether it works or not, and finds what a
// migration would not get past.
func TestRehearseAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	before := b.capture("shop")
	c := Choices{Strategy: Rehearse, Events: []string{b.event()}}
	plan := must(b.s.Plan(b.ctx, before, c))
	if len(plan.Blockers)+len(plan.Lost) > 0 || slices.ContainsFunc(plan.Steps, func(s Step) bool { return s.NoReturn }) {
		t.Errorf("%+v", plan)
	}
	res, err := b.apply("shop", c)
	if err != nil || res.State != StateDone || res.Gap != 0 || !strings.Contains(res.Message, "untouched") {
		t.Fatalf("%+v, %v", res, err)
	}
	check := func() {
		t.Helper()
		b.sameAs(before, false)
		if now := b.capture("shop"); now.RevisionID != before.RevisionID {
			t.Error("the function was changed")
		}
		if got := b.names(); !slices.Equal(got, []string{"shop"}) {
			t.Errorf("functions %v", got)
		}
	}
	check()
	b.server.Inject(emulator.Fault{Operation: "CreateFunction", Kind: emulator.AccessDenied})
	if res, err = b.apply("shop", c); err == nil || res.State != StateFailed {
		t.Fatalf("%+v, %v", res, err)
	}
	check()
	if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil || res.State != StateRolledBack {
		t.Fatalf("%+v, %v", res, err)
	}
	check()
}
