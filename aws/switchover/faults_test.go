package switchover

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// allFaults runs every combination, 2,754 of them, which takes half an hour on two
// cores, and says how many of each scenario and of each blow passed:
//
//	go test ./aws/switchover -run TestFaultMatrix -faults -timeout 120m -v
//
// By default each call of a replacement fails before and after its effect, and
// each of these is resumed and rolled back; the other combinations are sampled.
var allFaults = flag.Bool("faults", false, "run the whole fault matrix")

// mutating tells the calls that change something in the account.
func mutating(r emulator.Record) bool {
	switch r.Service {
	case "lambda":
		return !strings.HasPrefix(r.Operation, "Get") && !strings.HasPrefix(r.Operation, "List")
	case "ecr":
		return r.Operation == "CreateRepository" || r.Operation == "SetRepositoryPolicy"
	case "registry":
		return strings.HasPrefix(r.Operation, "Put") || r.Operation == "StartUpload" || r.Operation == "PatchUpload"
	}
	return false
}

// nth is one mutating call of a run: the n-th of its operation, from 0.
type nth struct {
	operation string
	n         int
}

func (c nth) String() string { return fmt.Sprintf("%s#%d", c.operation, c.n+1) }

// callsOf lists the mutating calls that the account has answered since it was
// told to forget.
func callsOf(records []emulator.Record) []nth {
	seen := map[string]int{}
	var calls []nth
	for _, r := range records {
		if mutating(r) && r.Fault == "" {
			calls = append(calls, nth{r.Operation, seen[r.Operation]})
			seen[r.Operation]++
		}
	}
	return calls
}

// blow is what hits a run at one call.
type blow struct {
	name  string
	kind  emulator.Failure
	after bool // the effect happens all the same
	kill  bool // the process ends there
	count int
}

var (
	hard = []blow{
		{name: "error before", kind: emulator.AccessDenied},
		{name: "error after", kind: emulator.AccessDenied, after: true},
		{name: "killed before", kind: emulator.AccessDenied, kill: true},
		{name: "killed after", kind: emulator.AccessDenied, after: true, kill: true},
	}
	soft = []blow{
		{name: "reset before", kind: emulator.Reset, count: 1},
		{name: "reset after", kind: emulator.Reset, after: true, count: 1},
		{name: "throttled", kind: emulator.Throttle, count: 2},
		{name: "stalled before", kind: emulator.Stall},
		{name: "stalled after", kind: emulator.Stall, after: true},
	}
)

// scenario is a run that is hit, and what brings the function into a whole state
// again.
type scenario struct {
	name string
	// ready leaves the account as the run finds it and returns what runs.
	ready func(b *bench, name string) func() (*Result, error)
	// image is what the function must be after recovery by resume or roll back.
	resumed, rolledBack bool
	calls               int // it makes at least so many that change something
}

var scenarios = []scenario{
	{name: "replace", resumed: true, calls: 40, ready: func(b *bench, name string) func() (*Result, error) {
		c := accepted
		c.Events = []string{b.event()}
		return func() (*Result, error) { return b.apply(name, c) }
	}},
	{name: "beside", calls: 30, ready: func(b *bench, name string) func() (*Result, error) {
		return func() (*Result, error) { return b.apply(name, Choices{Strategy: Beside}) }
	}},
	{name: "rollback", calls: 25, ready: func(b *bench, name string) func() (*Result, error) {
		res, err := b.apply(name, accepted)
		if err != nil {
			b.t.Fatal(err)
		}
		return func() (*Result, error) { return b.s.Rollback(b.ctx, res.Journal, b.emit) }
	}},
	{name: "rollback of beside", calls: 5, ready: func(b *bench, name string) func() (*Result, error) {
		res, err := b.apply(name, Choices{Strategy: Beside})
		if err != nil {
			b.t.Fatalf("%+v: %v", res, err)
		}
		return func() (*Result, error) { return b.s.Rollback(b.ctx, res.Journal, b.emit) }
	}},
}

// event is a file with an event for a rehearsal.
func (b *bench) event() string {
	b.t.Helper()
	file := b.state + "-event.json"
	if err := os.WriteFile(file, []byte(`{"order": 7}`), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// strike makes the account hit the call, and returns what ends the calamity: it
// puts the journal back to what was on disk when the process was killed.
func (b *bench) strike(call nth, bl blow) (over func()) {
	var once sync.Once
	files := map[string][]byte{}
	f := emulator.Fault{Operation: call.operation, Skip: call.n, Kind: bl.kind, After: bl.after, Count: bl.count}
	if bl.kill {
		f.Hook = func(emulator.Record) {
			once.Do(func() {
				for _, e := range must(os.ReadDir(b.state + "/" + journalDir)) {
					name := b.state + "/" + journalDir + "/" + e.Name()
					files[name] = must(os.ReadFile(name))
				}
				b.server.Inject(emulator.Fault{Kind: emulator.AccessDenied, Count: -1})
			})
		}
	}
	b.server.Inject(f)
	return func() {
		b.server.ClearFaults()
		for name, data := range files {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				b.t.Error(err)
			}
		}
	}
}

type matrixCase struct {
	scenario scenario
	call     nth
	blow     blow
	resume   bool
}

func (c matrixCase) String() string {
	how := "roll back"
	if c.resume {
		how = "resume"
	}
	return fmt.Sprintf("%s/%s/%s/%s", c.scenario.name, c.call, c.blow.name, how)
}

// Whatever call fails, before or after its effect, with or without the process:
// afterwards there is exactly the old function or the new one, with everything
// attached, and nothing else.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	var cases []matrixCase
	for _, s := range scenarios {
		b := newBench(t)
		b.rich("shop")
		run := s.ready(b, "shop")
		b.server.ForgetCalls()
		if _, err := run(); err != nil {
			t.Fatal(err)
		}
		calls := callsOf(b.server.Calls())
		if len(calls) < s.calls {
			t.Fatalf("%s made only %v", s.name, calls)
		}
		for i, call := range calls {
			for k, bl := range hard {
				for r, resume := range []bool{true, false} {
					if *allFaults || !testing.Short() && sampled(s.name, i, k, r) || sampled(s.name, i, k, r) && i%6 == 0 {
						cases = append(cases, matrixCase{s, call, bl, resume})
					}
				}
			}
			for k, bl := range soft {
				for _, resume := range []bool{true, false} {
					if *allFaults || s.name == "replace" && k < 2 && i%8 == k && resume == (i%2 == 0) {
						cases = append(cases, matrixCase{s, call, bl, resume})
					}
				}
			}
		}
	}
	// Each worker has an account, and uses it for one case after the other. Most of
	// them wait: for a state, or for an endpoint that is silent.
	workers := 8
	if *allFaults {
		workers = 12
	}
	benches := make(chan *bench, workers)
	for range workers {
		benches <- newBench(t)
	}
	g := errgroup.Group{}
	g.SetLimit(workers)
	passed := make([]bool, len(cases))
	for i, c := range cases {
		g.Go(func() error {
			b := <-benches
			passed[i] = t.Run(c.String(), func(t *testing.T) { b.on(t).endure(c, fmt.Sprintf("shop%d", i)) })
			benches <- b
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Log(totals(cases, passed))
}

// totals says how many cases of each scenario, and of each blow in it, passed.
func totals(cases []matrixCase, passed []bool) string {
	type count struct{ passed, all int }
	counts := map[string]*count{}
	var names []string
	for i, c := range cases {
		for _, name := range []string{c.scenario.name, c.scenario.name + ", " + c.blow.name, "all"} {
			if counts[name] == nil {
				counts[name] = &count{}
				names = append(names, name)
			}
			counts[name].all++
			if passed[i] {
				counts[name].passed++
			}
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("cases passed:\n")
	for _, name := range names {
		fmt.Fprintf(&b, "  %-40s %d of %d\n", name, counts[name].passed, counts[name].all)
	}
	return b.String()
}

// sampled picks, for each call, errors and kills in turn, so that each call of a
// replacement is hit before and after and is resumed and rolled back.
func sampled(scenario string, call, blow, recovery int) bool {
	if scenario == "replace" {
		return blow/2 == (call+recovery)%2
	}
	return blow == (call/2)%4 && recovery == call/8%2 && call%2 == 0
}

// hung ends a case that no deadline of the program's own has ended: it fails by
// name, and the others go on.
const hung = 10 * time.Minute

// on lends the bench to a test, with a state directory of its own.
func (b *bench) on(t *testing.T) *bench {
	s := *b.s
	ctx, cancel := context.WithTimeout(b.ctx, hung)
	t.Cleanup(cancel)
	lent := &bench{t: t, ctx: ctx, server: b.server, api: b.api, s: &s, state: t.TempDir() + "/state"}
	lent.s.config.StateDir = lent.state
	return lent
}

// endure runs one case of the matrix.
func (b *bench) endure(c matrixCase, name string) {
	b.server.ClearFaults()
	others := b.names()
	b.rich(name)
	before := b.capture(name)
	run := c.scenario.ready(b, name)
	if c.blow.kind == emulator.Stall {
		b.s.callTimeout = 2 * time.Second
	}
	over := b.strike(c.call, c.blow)
	res, err := run()
	b.hear(res, err)
	over()
	b.s.callTimeout = time.Minute
	if err != nil && res == nil && !c.blow.kill {
		b.t.Fatalf("the run failed without a result: %v", err)
	}
	if err != nil && c.blow.count == 1 {
		b.t.Logf("a passing fault stopped the run: %v", err)
	}
	entries := must(Journals(b.state))
	if len(entries) != 1 {
		b.t.Fatalf("journals %+v", entries)
	}
	image := c.scenario.rolledBack
	if c.resume {
		image = c.scenario.resumed
		res, err = b.s.Resume(b.ctx, entries[0].ID, b.emit)
		if err != nil && entries[0].State == StateRolledBack {
			err = nil
		}
	} else {
		res, err = b.s.Rollback(b.ctx, entries[0].ID, b.emit)
	}
	b.hear(res, err)
	if err != nil {
		b.t.Fatalf("recovery: %+v: %v", res, err)
	}
	if c.scenario.name == "beside" && c.resume {
		b.movedBeside(before, name)
		others = append(others, besideName(name))
	} else {
		b.sameAs(before, image)
	}
	left := b.names()
	want := append(slices.Clone(others), name)
	slices.Sort(left)
	slices.Sort(want)
	if !slices.Equal(left, want) {
		b.t.Errorf("the account holds %v, want %v", left, want)
	}
	b.noSecrets()
	b.forget(name, besideName(name))
}

// forget makes room for the next case: an account has only so much concurrency.
func (b *bench) forget(names ...string) {
	b.t.Helper()
	for _, name := range names {
		for _, a := range b.mappingsOf(name) {
			_, err := b.api.DeleteEventSourceMapping(b.ctx, &lambda.DeleteEventSourceMappingInput{UUID: &a})
			ok(b, 0, err)
		}
		_, err := absent(b.api.DeleteFunction(b.ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))
		ok(b, 0, err)
	}
}

// mappingsOf lists the mappings of a function, if there is one.
func (b *bench) mappingsOf(name string) []string {
	b.t.Helper()
	snap, err := b.s.Capture(b.ctx, name)
	if err != nil {
		return nil
	}
	var uuids []string
	for _, a := range snap.All(snapshot.KindMapping) {
		uuids = append(uuids, a.Name)
	}
	return uuids
}

// movedBeside checks that the mappings moved and the old function stayed.
func (b *bench) movedBeside(before *Snapshot, name string) {
	b.t.Helper()
	old, now := b.capture(name), b.capture(besideName(name))
	if old.RevisionID != before.RevisionID {
		b.t.Error("the old function was changed")
	}
	if len(old.All(snapshot.KindMapping)) != 0 || len(now.All(snapshot.KindMapping)) != len(before.All(snapshot.KindMapping)) {
		b.t.Errorf("%d mappings stayed, %d moved, of %d", len(old.All(snapshot.KindMapping)), len(now.All(snapshot.KindMapping)), len(before.All(snapshot.KindMapping)))
	}
	for _, kind := range []string{snapshot.KindAlias, snapshot.KindPolicy, snapshot.KindURL, snapshot.KindReserved, snapshot.KindProvisioned, snapshot.KindAsync} {
		if len(now.All(kind)) != len(before.All(kind)) {
			b.t.Errorf("%d of %s, want %d", len(now.All(kind)), kind, len(before.All(kind)))
		}
	}
}

// The journal has a line for every call that changes something before the
// account sees the call.
func TestJournalIsAheadOfTheAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	check := func(run func() (*Result, error)) {
		var late []error
		b.server.Inject(emulator.Fault{Kind: emulator.None, Count: -1, Hook: func(r emulator.Record) {
			if r.Service != "lambda" || !mutating(r) {
				return
			}
			for _, e := range must(os.ReadDir(b.state + "/" + journalDir)) {
				data := string(must(os.ReadFile(b.state + "/" + journalDir + "/" + e.Name())))
				lines := strings.Split(strings.TrimSpace(data), "\n")
				if last := lines[len(lines)-1]; strings.Contains(last, `"kind":"before"`) && strings.Contains(last, `"call":"`+r.Operation+`"`) {
					return
				}
				// A step may create or update: its name says one of both.
				if last := lines[len(lines)-1]; strings.Contains(last, `"kind":"before"`) {
					late = append(late, fmt.Errorf("%s went out as %s", r.Operation, last))
					return
				}
			}
			late = append(late, fmt.Errorf("%s went out without a line", r.Operation))
		}})
		if _, err := run(); err != nil {
			t.Fatal(err)
		}
		b.server.ClearFaults()
		if err := errors.Join(late...); err != nil {
			t.Error(err)
		}
	}
	var journal string
	check(func() (*Result, error) {
		res, err := b.apply("shop", accepted)
		if res != nil {
			journal = res.Journal
		}
		return res, err
	})
	check(func() (*Result, error) { return b.s.Rollback(b.ctx, journal, b.emit) })
}
