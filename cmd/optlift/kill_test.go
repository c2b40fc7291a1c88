package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/aws/switchover/snapshot/snapshottest"
)

// How often and what TestKilledAtRandomMoments kills. It mostly waits, for AWS's
// rates and states, and so is no part of a plain go test: .ci/kills runs it ten
// times, and the long form is
//
//	go test ./cmd/optlift -run TestKilledAtRandomMoments -kills 200 -v -timeout 60m
var (
	kills      = flag.Int("kills", 0, "random moments of a migration at which the program is killed")
	killWith   = flag.String("kill-program", "optlift", "the program that is killed and recovers; by default the one under test")
	killAtOnce = flag.Int("kill-workers", 6, "how many functions are migrated at once")
)

// TestKilledAtRandomMoments kills the real process at random moments of a
// migration, and of a rollback, on an account in a process of its own, and lets
// the real program resume or roll back: there is exactly the old function or the
// new one then, with everything attached, and nothing else in the account.
func TestKilledAtRandomMoments(t *testing.T) {
	if *kills == 0 {
		t.Skip("kills nothing unless -kills says how often; .ci/kills does")
	}
	k := &killer{t: t, scratch: t.TempDir(), seen: map[string]int{}}
	account := k.serve()
	workers := min(*killAtOnce, *kills)
	victims := make(chan *victim, workers)
	for n := range workers {
		v := &victim{killer: k, name: fmt.Sprintf("shop%d", n)}
		v.furnish(account)
		victims <- v
	}
	first := <-victims
	first.measure()
	victims <- first
	g := errgroup.Group{}
	g.SetLimit(workers)
	for n := range *kills {
		g.Go(func() error {
			v := <-victims
			defer func() { victims <- v }()
			if err := v.cycle(n%2 == 0, n%4 < 2); err != nil {
				return fmt.Errorf("kill %d, function %s: %w", n, v.name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if err := k.nothingElse(); err != nil {
		t.Error(err)
	}
	moments := make([]string, 0, len(k.seen))
	for m, n := range k.seen {
		moments = append(moments, fmt.Sprintf("%3d %s", n, m))
	}
	slices.Sort(moments)
	t.Logf("killed at:\n%s", strings.Join(moments, "\n"))
}

// killer is what the victims share.
type killer struct {
	t       *testing.T
	scratch string
	api     *lambda.Client
	session *session.Session

	migration, rollback time.Duration // what an undisturbed one takes

	mu   sync.Mutex
	seen map[string]int // how often which step was hit
}

// serve starts the account and opens a session on it.
func (k *killer) serve() *sessiontest.Account {
	k.t.Helper()
	cmd := exec.Command(*killWith, "emulator", "--functions", "0")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	var environ []string
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "# ready"; {
		environ = append(environ, strings.TrimPrefix(lines.Text(), "export "))
	}
	a := sessiontest.At(k.t, environ)
	k.session, k.api = a.Session, a.Lambda
	return a
}

// victim is one function and the machine from which it is migrated.
type victim struct {
	*killer
	name   string
	before *snapshot.Snapshot
}

// furnish makes the function, with two versions that differ.
func (v *victim) furnish(a *sessiontest.Account) {
	v.t.Helper()
	a.Furnish(v.name)
	ctx := v.t.Context()
	check := func(err error) {
		v.t.Helper()
		if err != nil {
			v.t.Fatal(err)
		}
	}
	wait := lambda.NewFunctionUpdatedV2Waiter(v.api, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 50 * time.Millisecond })
	_, err := v.api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &v.name, MemorySize: aws.Int32(512)})
	check(err)
	check(wait.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &v.name}, time.Minute))
	out, err := v.api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &v.name, Description: aws.String("second")})
	check(err)
	_, err = v.api.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: &v.name, Name: aws.String("next"), FunctionVersion: out.Version,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.25}}})
	check(err)
	v.before, err = v.settled()
	check(err)
}

// settled captures the function once nothing is under way.
func (v *victim) settled() (*snapshot.Snapshot, error) {
	ctx := v.t.Context()
	for {
		snap, err := snapshot.Capture(ctx, v.api, v.session.Account, sessiontest.Region, v.name)
		if err != nil {
			return nil, err
		}
		busy := false
		for _, a := range snap.All(snapshot.KindMapping) {
			m, err := snapshot.Decode[types.EventSourceMappingConfiguration](a.Value)
			if err != nil {
				return nil, err
			}
			busy = busy || strings.HasSuffix(aws.ToString(m.State), "ing")
		}
		for _, a := range snap.All(snapshot.KindProvisioned) {
			p, err := snapshot.Decode[types.ProvisionedConcurrencyConfigListItem](a.Value)
			if err != nil {
				return nil, err
			}
			busy = busy || p.Status == types.ProvisionedConcurrencyStatusEnumInProgress
		}
		if !busy {
			return snap, nil
		}
	}
}

// is compares the function with what it was, field by field.
func (v *victim) is(kind types.PackageType) error {
	after, err := v.settled()
	if err != nil {
		return err
	}
	c, err := after.ConfigOf("")
	if err != nil {
		return err
	}
	image := kind == types.PackageTypeImage
	want, err := snapshottest.Portrait(v.before, image)
	if err != nil {
		return err
	}
	got, err := snapshottest.Portrait(after, image)
	if err != nil {
		return err
	}
	switch d := cmp.Diff(want, got); {
	case c.PackageType != kind:
		return fmt.Errorf("it is of type %s, not %s", c.PackageType, kind)
	case d != "":
		return fmt.Errorf("it is not what it was (-before +after):\n%s", d)
	case !image && after.CodeSHA256 != v.before.CodeSHA256:
		return errors.New("it runs other code")
	}
	return nil
}

// command is the program, on the machine of this function.
func (v *victim) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	home := filepath.Join(v.scratch, v.name)
	cmd := exec.Command(*killWith, args...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(v.scratch, "cache"),
		"XDG_STATE_HOME="+filepath.Join(home, "state"), "TMPDIR="+v.scratch)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// run runs the program to its end.
func (v *victim) run(args ...string) error {
	cmd, out := v.command(args...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("optlift %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// kill runs the program and kills it at a random moment of the time that it
// takes undisturbed.
func (v *victim) kill(takes time.Duration, args ...string) error {
	cmd, out := v.command(args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(takes))), func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case err == nil:
		v.note(args[0] + ": after its end")
		return nil
	case !errors.As(err, &exit) || exit.Exited(): // not by a signal
		return fmt.Errorf("optlift %s ended by itself: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (k *killer) note(moment string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen[moment]++
}

func (v *victim) migrate() []string {
	return []string{"migrate", v.name, "--accept", "function-url", "--write", "--confirm", v.name}
}

// journal is the newest migration; "" for none.
func (v *victim) journal() (id string, err error) {
	cmd, out := v.command("journal", "-o", "json")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("optlift journal: %w\n%s", err, out)
	}
	var entries []struct{ ID string }
	if err := json.Unmarshal(out.Bytes(), &entries); err != nil || len(entries) == 0 {
		return "", err
	}
	return entries[0].ID, nil
}

// hit notes which step a kill has hit.
func (v *victim) hit(what, id string) error {
	cmd, out := v.command("journal", "show", id, "-o", "json")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("optlift journal show: %w\n%s", err, out)
	}
	var entry struct {
		State string
		Steps []struct {
			State string
			Step  struct{ ID string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &entry); err != nil {
		return err
	}
	moment := what + ": before the first step"
	if n := len(entry.Steps); n > 0 {
		last := entry.Steps[n-1]
		id, undo := strings.CutPrefix(last.Step.ID, "undo:")
		step, _, _ := strings.Cut(id, ":") // without what it is about
		if undo {
			step = "undo " + step
		}
		moment = fmt.Sprintf("%s: %s %s", what, step, last.State)
	}
	if entry.State == "running" {
		return fmt.Errorf("migration %s counts as running after the process was killed", id)
	}
	if entry.State == "stopped" {
		v.note(moment)
	}
	return nil
}

// measure learns how long an undisturbed migration and rollback take.
func (v *victim) measure() {
	v.t.Helper()
	timed := func(args ...string) time.Duration {
		v.t.Helper()
		start := time.Now()
		if err := v.run(args...); err != nil {
			v.t.Fatal(err)
		}
		return time.Since(start)
	}
	v.killer.migration = timed(v.migrate()...)
	id, err := v.journal()
	if err != nil || id == "" {
		v.t.Fatalf("no journal: %v", err)
	}
	v.killer.rollback = timed("rollback", id, "--write", "--confirm", v.name)
	if err := v.is(types.PackageTypeZip); err != nil {
		v.t.Fatal(err)
	}
	v.t.Logf("a migration takes %v, a rollback %v", v.killer.migration, v.killer.rollback)
}

// cycle kills a migration, lets it recover, and where it went on to its end
// kills the rollback and lets that recover.
func (v *victim) cycle(resume, resumeRollback bool) error {
	last, err := v.journal()
	if err != nil {
		return err
	}
	if err := v.kill(v.migration, v.migrate()...); err != nil {
		return err
	}
	id, err := v.journal()
	switch {
	case err != nil:
		return err
	case id == last:
		v.note("migrate: before the journal")
		return v.is(types.PackageTypeZip)
	}
	if err := v.hit("migrate", id); err != nil {
		return err
	}
	arm := []string{id, "--write", "--confirm", v.name}
	if !resume {
		return errors.Join(v.run(append([]string{"rollback"}, arm...)...), v.is(types.PackageTypeZip))
	}
	if err := v.run(append([]string{"resume"}, arm...)...); err != nil {
		return err
	}
	if err := v.is(types.PackageTypeImage); err != nil {
		return fmt.Errorf("resumed: %w", err)
	}
	if err := v.kill(v.rollback, append([]string{"rollback"}, arm...)...); err != nil {
		return err
	}
	if err := v.hit("rollback", id); err != nil {
		return err
	}
	verb := "rollback"
	if state, err := v.mode(id); err != nil {
		return err
	} else if resumeRollback && state == "stopped" {
		verb = "resume" // goes on with the rollback, once that was begun
	}
	if err := v.run(append([]string{verb}, arm...)...); err != nil {
		return err
	}
	if err := v.is(types.PackageTypeZip); err != nil {
		return fmt.Errorf("%s after a rollback that was killed: %w", verb, err)
	}
	return nil
}

// mode is the state of a migration.
func (v *victim) mode(id string) (string, error) {
	cmd, out := v.command("journal", "show", id, "-o", "json")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("optlift journal show: %w\n%s", err, out)
	}
	var entry struct{ State string }
	err := json.Unmarshal(out.Bytes(), &entry)
	return entry.State, err
}

// nothingElse checks that the account holds the functions and their mappings only.
func (k *killer) nothingElse() error {
	ctx := k.t.Context()
	var names []string
	functions := lambda.NewListFunctionsPaginator(k.api, &lambda.ListFunctionsInput{})
	for functions.HasMorePages() {
		page, err := functions.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	slices.Sort(names)
	want := make([]string, min(*killAtOnce, *kills))
	for n := range want {
		want[n] = fmt.Sprintf("shop%d", n)
	}
	if !slices.Equal(names, want) {
		return fmt.Errorf("the account holds %v, want %v", names, want)
	}
	mappings := 0
	pages := lambda.NewListEventSourceMappingsPaginator(k.api, &lambda.ListEventSourceMappingsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		mappings += len(page.EventSourceMappings)
	}
	if mappings != 2*len(want) {
		return fmt.Errorf("the account holds %d event source mappings, want %d", mappings, 2*len(want))
	}
	return nil
}
