package switchover

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/aws/switchover/snapshot/snapshottest"
)

// accepted is what the rich function needs a word for.
var accepted = Choices{Accept: []string{"function-url"}}

func (b *bench) sameAs(before *Snapshot, image bool) {
	b.t.Helper()
	after := b.capture(before.Function)
	if d := cmp.Diff(must(snapshottest.Portrait(before, image)), must(snapshottest.Portrait(after, image))); d != "" {
		b.t.Errorf("%s is not what it was (-before +after):\n%s", before.Function, d)
	}
	c := must(after.ConfigOf(""))
	want := types.PackageTypeZip
	if image {
		want = types.PackageTypeImage
	}
	if c.PackageType != want {
		b.t.Errorf("%s is a %s, want %s", before.Function, c.PackageType, want)
	}
}

func (b *bench) apply(name string, c Choices) (*Result, error) {
	b.t.Helper()
	snap := b.capture(name)
	plan := PlanFor(snap, c)
	if len(plan.Blockers) > 0 {
		b.t.Fatalf("blocked by %v", plan.Blockers)
	}
	ctx, cancel := context.WithCancel(b.ctx)
	res, err := b.s.Apply(ctx, snap, plan, c, b.emit)
	b.hear(plan.Text(), res, err)
	told := len(b.events)
	cancel()
	if runtime.Gosched(); len(b.events) != told {
		b.t.Errorf("an event came after the end: %+v", b.events[told:])
	}
	return res, err
}

// noSecrets looks for planted values wherever a run leaves words.
func (b *bench) noSecrets() {
	b.t.Helper()
	var words strings.Builder
	for _, e := range b.events {
		fmt.Fprintf(&words, "%+v %+v\n", e, e.Call)
	}
	calls, _ := b.s.config.Session.Log().Calls()
	fmt.Fprintf(&words, "%+v\n", calls)
	for _, told := range b.told {
		words.WriteString(told + "\n")
	}
	err := filepath.WalkDir(filepath.Join(b.state, journalDir), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			words.Write(must(os.ReadFile(path)))
		}
		return err
	})
	if err != nil {
		b.t.Error(err)
	}
	err = filepath.WalkDir(b.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if mode := must(d.Info()).Mode().Perm(); mode&0o077 != 0 {
			b.t.Errorf("%s has mode %v", path, mode)
		}
		return nil
	})
	if err != nil {
		b.t.Error(err)
	}
	for _, secret := range []string{plantedEnv, plantedToken, "X-Amz-Signature"} {
		if strings.Contains(words.String(), secret) {
			b.t.Errorf("%s is in an event or a journal", secret)
		}
	}
}

func TestReplaceAndRollBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	before := b.capture("shop")
	res, err := b.apply("shop", accepted)
	if err != nil {
		t.Fatalf("%+v: %v", res, err)
	}
	if res.State != StateDone || res.Gap <= 0 || res.Image == "" || res.Next != nil {
		t.Errorf("result %+v", res)
	}
	if b.events[0].Step.ID != "journal" || b.events[0].Step.Target != res.Journal {
		t.Errorf("the first event is %+v", b.events[0])
	}
	b.sameAs(before, true)
	if got := b.names(); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("functions %v", got)
	}
	b.noSecrets()
	t.Log(res.Message)

	if again, err := b.s.Resume(b.ctx, res.Journal, b.emit); err != nil || again.State != StateDone {
		t.Errorf("resume of a finished migration: %+v, %v", again, err)
	}
	back, err := b.s.Rollback(b.ctx, res.Journal, b.emit)
	if err != nil {
		t.Fatalf("%+v: %v", back, err)
	}
	if back.State != StateRolledBack || back.Gap <= 0 {
		t.Errorf("result %+v", back)
	}
	b.sameAs(before, false)
	after := b.capture("shop")
	if after.CodeSHA256 != before.CodeSHA256 {
		t.Error("the code is another")
	}
	b.noSecrets()
	if _, err := b.s.Resume(b.ctx, res.Journal, b.emit); err == nil {
		t.Error("a migration that was rolled back is resumed")
	}
	if e := must(ReadJournal(b.state, res.Journal)); e.State != StateRolledBack || len(e.Steps) == 0 {
		t.Errorf("journal %+v", e)
	}
}

func TestBesideAndRollBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	before := b.capture("shop")
	res, err := b.apply("shop", Choices{Strategy: Beside})
	if err != nil {
		t.Fatalf("%+v: %v", res, err)
	}
	got := b.names()
	slices.Sort(got)
	if !slices.Equal(got, []string{"shop", "shop-image"}) {
		t.Errorf("functions %v", got)
	}
	now := b.capture("shop-image")
	if n, m := len(now.All(snapshot.KindMapping)), len(before.All(snapshot.KindMapping)); n != m {
		t.Errorf("%d mappings moved, want %d", n, m)
	}
	if n := len(b.capture("shop").All(snapshot.KindMapping)); n != 0 {
		t.Errorf("%d mappings stayed", n)
	}
	if _, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatal(err)
	}
	b.sameAs(before, false)
	if got := b.names(); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("functions %v", got)
	}
	b.noSecrets()
}

// A second writer between plan and apply, and between apply's steps.
func TestSecondWriter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	plan := PlanFor(snap, Choices{})
	change := func() {
		memory := int32(333)
		_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &snap.Function, MemorySize: &memory})
		ok(b, 0, err)
		b.wait("shop")
	}
	change()
	b.server.ForgetCalls()
	if res, err := b.s.Apply(b.ctx, snap, plan, Choices{}, b.emit); err == nil || res != nil {
		t.Errorf("a stale plan is applied: %+v, %v", res, err)
	}
	for _, c := range b.server.Calls() {
		if mutating(c) {
			t.Errorf("a stale plan led to %s", c.Operation)
		}
	}
	if list := must(Journals(b.state)); len(list) != 0 {
		t.Errorf("a refused plan left journals %v", list)
	}
	snap = b.capture("shop")
	res, err := b.s.Apply(b.ctx, snap, PlanFor(snap, Choices{}), Choices{}, func(e Event) {
		if e.Step.ID == "rehearse-clean" && e.State == Done {
			memory := int32(444)
			_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &snap.Function, MemorySize: &memory})
			ok(b, 0, err)
		}
	})
	if err == nil || res == nil || res.State != StateFailed || !strings.Contains(err.Error(), "somebody else") {
		t.Fatalf("%+v, %v", res, err)
	}
	if c := must(b.capture("shop").ConfigOf("")); c.PackageType != types.PackageTypeZip || *c.MemorySize != 444 {
		t.Errorf("the other writer's function is gone: %+v", c)
	}
}

func TestApplyNeedsAnArmedSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	snap := b.capture("shop")
	b.s.config.Session.Disarm()
	if _, err := b.s.Apply(b.ctx, snap, PlanFor(snap, Choices{}), Choices{}, b.emit); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("an unarmed session: %v", err)
	}
	if _, err := os.Stat(b.state); err == nil {
		t.Error("an unarmed session left files")
	}
}

// A rehearsal with events runs both functions and compares what they answer.
func TestRehearsalComparesAnswers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{"a":[1,{"b":2}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	create := func(name, handler string) {
		_, err := b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: &name,
			Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
			Code:   &types.FunctionCode{ZipFile: zipOf(map[string]string{"index.js": handler})},
			Layers: []string{b.layer(name, map[string]string{"nodejs/node_modules/dep/index.js": "exports.n = 41"})}})
		ok(b, 0, err)
		b.wait(name)
	}
	create("same", `const dep = require("dep"); exports.handler = async (e) => ({n: dep.n + 1, e})`)
	create("dice", `exports.handler = async () => ({a: 1, "n": Math.random()})`)
	res, err := b.apply("same", Choices{Events: []string{event}})
	if err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	noted := slices.ContainsFunc(b.events, func(e Event) bool { return strings.Contains(e.Message, "1 event compared") })
	if !noted {
		t.Error("no event says that answers were compared")
	}
	before := b.capture("dice")
	res, err = b.apply("dice", Choices{Events: []string{event}})
	if err == nil || !strings.Contains(err.Error(), "$.n") || res.State != StateFailed {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
	if got := b.names(); len(got) != 2 {
		t.Errorf("functions %v", got)
	}
	// A path that may differ does not count; one beside it does.
	if res, err = b.apply("dice", Choices{Events: []string{event}, Ignore: []string{"$.nn"}}); err == nil {
		t.Fatalf("%+v", res)
	}
	if got := b.names(); len(got) != 2 {
		t.Errorf("functions %v", got)
	}
	if res, err = b.apply("dice", Choices{Events: []string{event}, Ignore: []string{"$.n"}}); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	ran := slices.ContainsFunc(b.events, func(e Event) bool {
		return slices.ContainsFunc(e.Facts, func(f Fact) bool {
			return f.Name == "run" && strings.Contains(f.Value, " ms, with the new image ") && strings.Contains(f.Value, "log lines 0 and 0")
		})
	})
	if !ran {
		t.Error("no step tells how long both took")
	}
	if logged := b.facts(FactLog); !slices.Contains(logged, "event.json: the logs have the same shape") {
		t.Errorf("the logs: %q", logged)
	}
	if res, err = b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	if res, err = b.apply("dice", Choices{Events: []string{event}, Accept: []string{acceptRehearsal}}); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
}

// Two versions that are equal but for their description stay two versions, each
// with its own.
func TestVersionsThatAreTwins(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	publish := func(description string, memory int32) string {
		_, err := b.api.UpdateFunctionConfiguration(b.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("shop"), MemorySize: &memory})
		ok(b, 0, err)
		b.wait("shop")
		out, err := b.api.PublishVersion(b.ctx, &lambda.PublishVersionInput{FunctionName: aws.String("shop"), Description: &description})
		return *ok(b, out, err).Version
	}
	one, _, three := publish("one", 256), publish("nobody uses this one", 512), publish("three", 256)
	for name, version := range map[string]string{"a": one, "b": three} {
		_, err := b.api.CreateAlias(b.ctx, &lambda.CreateAliasInput{FunctionName: aws.String("shop"), Name: &name, FunctionVersion: &version})
		ok(b, 0, err)
	}
	before := b.capture("shop")
	res, err := b.apply("shop", Choices{})
	if err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, true)
	if res, err := b.s.Rollback(b.ctx, res.Journal, b.emit); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.sameAs(before, false)
}

// facts are the values of a fact that events have told.
func (b *bench) facts(name string) (values []string) {
	for _, e := range b.events {
		for _, f := range e.Facts {
			if f.Name == name {
				values = append(values, f.Value)
			}
		}
	}
	return values
}

// The shape of the log is compared, without its words. What the image alone logs
// as an error stops, unless that is ignored.
func TestRehearsalComparesLogs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"calm": `console.info("hello", Date.now(), process.env.AWS_REGION)`,
		"loud": `if (process.env.AWS_LAMBDA_FUNCTION_NAME != "loud") console.error(process.env.TOKEN); console.log(1)`,
	} {
		_, err := b.api.CreateFunction(b.ctx, &lambda.CreateFunctionInput{FunctionName: &name,
			Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
			Environment: &types.Environment{Variables: map[string]string{"TOKEN": plantedEnv}},
			Code:        &types.FunctionCode{ZipFile: zipOf(map[string]string{"index.js": "exports.handler = async () => {" + says + "}"})}})
		ok(b, 0, err)
		b.wait(name)
	}
	if res, err := b.apply("calm", Choices{Strategy: Rehearse, Events: []string{event}}); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	if got := b.facts(FactLog); !slices.Equal(got, []string{"event.json: the logs have the same shape"}) {
		t.Errorf("the logs of calm: %q", got)
	}
	res, err := b.apply("loud", Choices{Strategy: Rehearse, Events: []string{event}})
	if err == nil || !strings.Contains(err.Error(), "logs errors that the function does not: $log.text.ERROR: text lines at ERROR: 0, now 1") {
		t.Fatalf("%+v, %v", res, err)
	}
	b.hear(err)
	if res, err := b.apply("loud", Choices{Strategy: Rehearse, Events: []string{event}, Ignore: []string{"$log.text.ERROR"}}); err != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	b.noSecrets()
}
