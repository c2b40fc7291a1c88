package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// bench is an account with functions that share a layer.
type bench struct {
	*sessiontest.Account
	t     *testing.T
	fleet *Fleet
	state string
	layer string
}

var accepted = switchover.Choices{Accept: []string{"gap", "async-events"}}

func newBench(t *testing.T, names ...string) *bench {
	t.Helper()
	b := &bench{Account: sessiontest.Start(t), t: t, state: filepath.Join(t.TempDir(), "state")}
	b.layer = b.Layer("dep", ziptest.File("nodejs/node_modules/dep/index.js", strings.Repeat("module.exports = 1\n", 1000)))
	for _, name := range names {
		b.Function(name, []ziptest.Entry{ziptest.File("index.js", "exports.handler = async () => '"+name+"'")}, func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{b.layer}
		})
		wait := lambda.NewFunctionActiveV2Waiter(b.Lambda, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
		if err := wait.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, patience); err != nil {
			t.Fatal(err)
		}
	}
	b.fleet = open(t, b.Session, b.state, filepath.Join(t.TempDir(), "layers"))
	return b
}

func open(t testing.TB, s *session.Session, state, layers string) *Fleet {
	store, err := layer.OpenStore(layers, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Session: s, Store: store, BaseRegistry: os.Getenv("OPTLIFT_BASE_REGISTRY"), StateDir: state})
}

func (b *bench) plan(wave int, c switchover.Choices, names ...string) *Plan {
	b.t.Helper()
	var functions []Function
	for _, n := range names {
		functions = append(functions, Function{n, sessiontest.Region})
	}
	p, err := b.fleet.Plan(b.t.Context(), functions, Options{Choices: c, Wave: wave, Where: "shop"}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// types are the functions' package types, "" for a function that is not there.
func (b *bench) types(names ...string) string {
	b.t.Helper()
	var out []string
	for _, n := range names {
		got, err := b.Lambda.GetFunction(b.t.Context(), &lambda.GetFunctionInput{FunctionName: &n})
		var gone *types.ResourceNotFoundException
		switch {
		case errors.As(err, &gone):
			out = append(out, "-")
		case err != nil:
			b.t.Fatal(err)
		default:
			out = append(out, string(got.Configuration.PackageType))
		}
	}
	// No temporary function is ever left.
	all, err := b.Lambda.ListFunctions(b.t.Context(), &lambda.ListFunctionsInput{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range all.Functions {
		if !slices.Contains(names, aws.ToString(f.FunctionName)) {
			out = append(out, "and "+aws.ToString(f.FunctionName))
		}
	}
	return strings.Join(out, " ")
}

func states(r *Report) string {
	var out []string
	for _, o := range r.Functions {
		out = append(out, o.State)
	}
	return strings.Join(out, " ")
}

var names = []string{"shop-a", "shop-b", "shop-c"}

// All of them, a shared layer once, and all of them back.
func TestThereAndBack(t *testing.T) {
	b := newBench(t, names...)
	p := b.plan(2, accepted, append(names, "shop-a", "gone")...)
	if len(p.Members) != 4 || len(p.Ready()) != 3 || p.Members[3].Problem == "" || p.Confirmation() != "3@123456789012" {
		t.Fatalf("%+v", p)
	}
	b.ForgetCalls()
	var order []string
	fleetID := ""
	rep, err := b.fleet.Run(t.Context(), p, func(e Event) {
		if fleetID == "" {
			fleetID = e.Fleet
			if _, err := Read(b.state, fleetID); err != nil {
				t.Errorf("told before it was on disk: %v", err)
			}
		}
		if e.Name != "" && (e.State == switchover.StateRunning || e.State == switchover.StateDone) {
			order = append(order, fmt.Sprint(e.Wave, e.State))
		}
	})
	if err != nil || rep.State != switchover.StateDone || states(rep) != "done done done blocked" {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := strings.Join(order, " "); got != "1running 1running 1done 1done 2running 2done" {
		t.Errorf("waves went %s", got)
	}
	if got := b.types(names...); got != "Image Image Image" {
		t.Error(got)
	}
	// The base's layers, the shared layer, three codes, three configurations: what
	// is shared was sent once.
	sent, shared := map[string]int{}, 0
	for _, r := range b.Calls() {
		if r.Operation == "PutUpload" {
			sent[r.Target]++
			shared++
		}
	}
	base := len(baseLayers(t))
	if want := base + 1 + 3 + 3; shared != want {
		t.Errorf("%d blobs were sent, want %d (%d of the base, 1 shared layer, 3 codes, 3 configurations): %v", shared, want, base, sent)
	}
	for _, o := range rep.Functions[:3] {
		if !strings.Contains(o.Image, "/"+DefaultRepository+"@sha256:") || o.Gap <= 0 || o.Journal == "" {
			t.Errorf("%+v", o)
		}
	}
	entries, err := List(b.state)
	if err != nil || len(entries) != 1 || entries[0].ID != rep.Fleet || entries[0].State != switchover.StateDone || len(entries[0].Functions) != 4 {
		t.Errorf("%+v, %v", entries, err)
	}
	// A finished fleet has nothing to go on with, and comes back as a whole.
	if again, err := b.fleet.Resume(t.Context(), rep.Fleet, nil); err != nil || states(again) != "done done done blocked" || again.Functions[0].Gap != rep.Functions[0].Gap {
		t.Errorf("%+v, %v", again, err)
	}
	back, err := b.fleet.Rollback(t.Context(), rep.Fleet, nil)
	if err != nil || back.State != switchover.StateRolledBack || states(back) != "rolled-back rolled-back rolled-back blocked" {
		t.Fatalf("%+v, %v", back, err)
	}
	if got := b.types(names...); got != "Zip Zip Zip" {
		t.Error(got)
	}
	if _, err := b.fleet.Resume(t.Context(), rep.Fleet, nil); err == nil {
		t.Error("a fleet that was rolled back went on")
	}
	closed(t, b.state)
}

// baseLayers are the layers of the base image.
func baseLayers(t *testing.T) []string {
	t.Helper()
	var manifest struct{ Layers []struct{ Digest string } }
	out := get(t, "http://"+strings.Replace(os.Getenv("OPTLIFT_BASE_REGISTRY"), "/", "/v2/", 1)+"/nodejs/manifests/22")
	var index struct {
		Manifests []struct {
			Digest   string
			Platform struct{ Architecture string }
		}
	}
	if err := json.Unmarshal(out, &index); err != nil {
		t.Fatal(err)
	}
	for _, m := range index.Manifests {
		if m.Platform.Architecture == "amd64" {
			if err := json.Unmarshal(get(t, "http://"+strings.Replace(os.Getenv("OPTLIFT_BASE_REGISTRY"), "/", "/v2/", 1)+"/nodejs/manifests/"+m.Digest), &manifest); err != nil {
				t.Fatal(err)
			}
		}
	}
	var all []string
	for _, l := range manifest.Layers {
		all = append(all, l.Digest)
	}
	if len(all) == 0 {
		t.Fatal("the base has no layers")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Warnings need a word each; nothing happens before.
func TestWarningsNeedAcceptance(t *testing.T) {
	b := newBench(t, "shop-a")
	p := b.plan(1, switchover.Choices{Accept: []string{"gap"}}, "shop-a")
	if _, err := b.fleet.Run(t.Context(), p, nil); err == nil || !strings.Contains(err.Error(), "--accept async-events") || strings.Contains(err.Error(), "--accept gap") {
		t.Errorf("%v", err)
	}
	if entries, err := List(b.state); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	reading := open(t, b.Open(session.Options{}), b.state, t.TempDir())
	if _, err := reading.Run(t.Context(), b.plan(1, accepted, "shop-a"), nil); !errors.Is(err, session.ErrReadOnly) {
		t.Errorf("%v", err)
	}
	other := b.plan(1, accepted, "shop-a")
	other.Account = "210987654321"
	if _, err := b.fleet.Run(t.Context(), other, nil); err == nil {
		t.Error("another account's plan ran")
	}
}

// What the account can tell counts as in a single function's plan: one that the
// caller may not create is left alone.
func TestPlanLooksAround(t *testing.T) {
	b := newBench(t, names...)
	b.Inject(emulator.Fault{Operation: "CreateFunction", Target: "shop-b", Kind: emulator.AccessDenied})
	p := b.plan(1, accepted, names...)
	for _, m := range p.Members {
		denied := slices.ContainsFunc(m.Blockers(), func(n switchover.Notice) bool { return n.ID == "permissions" })
		if denied != (m.Name == "shop-b") {
			t.Errorf("%s has blockers %+v", m.Name, m.Blockers())
		}
	}
}

// The second function fails: its wave is finished, the next does not begin.
// Resumed, the whole is done.
func TestFirstFailureStops(t *testing.T) {
	b := newBench(t, append(names, "shop-d")...)
	all := append(names, "shop-d")
	plan := b.plan(2, accepted, all...) // before the fault: IAM's simulation would tell of it
	b.Inject(emulator.Fault{Operation: "CreateFunction", Target: "shop-b-optlift-", Kind: emulator.AccessDenied})
	rep, err := b.fleet.Run(t.Context(), plan, nil)
	if err == nil || rep == nil || rep.State != switchover.StateFailed || states(rep) != "done failed waiting waiting" {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := b.types(all...); got != "Image Zip Zip Zip" {
		t.Error(got)
	}
	tail := " " + rep.Fleet + " --write --confirm 4@123456789012"
	if !slices.Equal(rep.Next, []string{"optlift resume" + tail, "optlift rollback" + tail}) {
		t.Errorf("next is %q", rep.Next)
	}
	again, err := b.fleet.Resume(t.Context(), rep.Fleet, nil)
	if err != nil || states(again) != "done done done done" {
		t.Fatalf("%+v, %v", again, err)
	}
	if got := b.types(all...); got != "Image Image Image Image" {
		t.Error(got)
	}
}

// A function that somebody changes between plan and run is left alone.
func TestChangedBetweenPlanAndRun(t *testing.T) {
	b := newBench(t, names...)
	p := b.plan(3, accepted, names...)
	if _, err := b.Lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("shop-b"), Timeout: aws.Int32(9)}); err != nil {
		t.Fatal(err)
	}
	wait := lambda.NewFunctionUpdatedV2Waiter(b.Lambda, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := wait.Wait(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("shop-b")}, patience); err != nil {
		t.Fatal(err)
	}
	rep, err := b.fleet.Run(t.Context(), p, nil)
	if err == nil || states(rep) != "done failed done" || !strings.Contains(rep.Functions[1].Message, "changed since the plan") {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := b.types(names...); got != "Image Zip Image" {
		t.Error(got)
	}
	// Brought back, the function that was never begun stays as somebody left it.
	back, err := b.fleet.Rollback(t.Context(), rep.Fleet, nil)
	if err != nil || back.State != switchover.StateRolledBack || states(back) != "rolled-back failed rolled-back" {
		t.Fatalf("%+v, %v", back, err)
	}
	if got := b.types(names...); got != "Zip Zip Zip" {
		t.Error(got)
	}
}

// Asked to stop, every function ends at a safe place and nothing new begins.
func TestStop(t *testing.T) {
	b := newBench(t, names...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rep, err := b.fleet.Run(ctx, b.plan(2, accepted, names...), func(e Event) {
		if e.Step != nil && e.Step.Step.ID == "rehearse" && e.Step.State == switchover.Done {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || rep.State != switchover.StateStopped || rep.Functions[2].State != Waiting {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := b.types(names...); strings.Contains(got, "-") {
		t.Error(got)
	}
	again, err := b.fleet.Resume(t.Context(), rep.Fleet, nil)
	if err != nil || states(again) != "done done done" {
		t.Fatalf("%+v, %v", again, err)
	}
}

// killAt is where the process of TestKilledInAWave is killed.
var killAt = flag.String("fleet.child", "", "run a fleet's plan as a process of its own, for the test that kills it")

// The process is killed in the middle of a wave: one function is away, another
// being built. Whatever the moment, the fleet resumes, or comes back, whole.
func TestKilledInAWave(t *testing.T) {
	if *killAt != "" {
		runChild(t)
		return
	}
	for i, at := range []string{"backup", "image:$LATEST", "delete-function", "create-function", "verify"} {
		t.Run(at, func(t *testing.T) {
			b := newBench(t, names...)
			file := filepath.Join(t.TempDir(), "plan.json")
			if err := b.plan(2, accepted, names...).Save(file); err != nil {
				t.Fatal(err)
			}
			id := kill(t, at, file, b.state)
			e, err := Read(b.state, id)
			if err != nil || e.State != switchover.StateStopped {
				t.Fatalf("%+v, %v", e, err)
			}
			if i%2 == 0 {
				rep, err := b.fleet.Resume(t.Context(), id, nil)
				if err != nil || states(rep) != "done done done" {
					t.Fatalf("%+v, %v", rep, err)
				}
				if got := b.types(names...); got != "Image Image Image" {
					t.Error(got)
				}
			}
			rep, err := b.fleet.Rollback(t.Context(), id, nil)
			if err != nil || rep.State != switchover.StateRolledBack {
				t.Fatalf("%+v, %v", rep, err)
			}
			if got := b.types(names...); got != "Zip Zip Zip" {
				t.Error(got)
			}
		})
	}
}

// kill runs a plan in a process and kills that when a step begins; it returns the
// fleet's id.
func kill(t *testing.T, at, plan, state string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledInAWave$", "-fleet.child="+plan)
	cmd.Env = append(os.Environ(), "FLEET_STATE="+state, "FLEET_LAYERS="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	id, killed := "", false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fleet, step, _ := strings.Cut(lines.Text(), " ")
		if !IsID(fleet) {
			continue
		}
		if id = fleet; step == at && !killed {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if !killed {
		t.Fatalf("it never came to %s", at)
	}
	return id
}

func runChild(t *testing.T) {
	s, err := session.Open(t.Context(), session.Options{Write: true, Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	p, err := LoadPlan(*killAt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = open(t, s, os.Getenv("FLEET_STATE"), os.Getenv("FLEET_LAYERS")).Run(t.Context(), p, func(e Event) {
		if e.Step != nil && e.Step.State == switchover.Running {
			fmt.Println(e.Fleet, e.Step.Step.ID)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
