package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/adrg/xdg"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

// process is the real program at work on the account of the test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *bufio.Reader
	said   strings.Builder // what was read of stderr
}

// machine prepares directories of their own for the program.
func machine(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(xdg.Reload)
	for _, name := range []string{"XDG_CACHE_HOME", "XDG_STATE_HOME", "TMPDIR"} {
		path := filepath.Join(dir, strings.ToLower(name))
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv(name, path)
	}
	xdg.Reload()
	t.Setenv("AWS_SECRET_ACCESS_KEY", "planted-secret-key")
	t.Setenv("AWS_SESSION_TOKEN", "planted-session-token")
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command("optlift", args...)}
	p.cmd.Stdout = &p.stdout
	stderr, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.stderr = bufio.NewReader(stderr)
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // says that it has ended, when it has
	return p
}

// until reads stderr up to a line that holds text.
func (p *process) until(text string) {
	p.t.Helper()
	for {
		line, err := p.stderr.ReadString('\n')
		p.said.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			p.t.Fatalf("never said %q: %s%s", text, p.stdout.String(), p.said.String())
		}
	}
}

// end waits for the process, and returns its exit code and all that it printed.
func (p *process) end() (code int, text string) {
	p.t.Helper()
	if _, err := io.Copy(&p.said, p.stderr); err != nil {
		p.t.Error(err)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	text = p.stdout.String() + p.said.String()
	for _, secret := range []string{sessiontest.PlantedValue, sessiontest.PlantedToken, "planted-secret-key", "planted-session-token", "X-Amz-Signature", "X-Amz-Credential"} {
		if strings.Contains(text, secret) {
			p.t.Errorf("it printed %s", secret)
		}
	}
	return p.cmd.ProcessState.ExitCode(), text
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// at calls hit when the account gets a call, from outside of the call's handler.
func at(a *sessiontest.Account, f emulator.Fault, hit func()) {
	met := make(chan struct{}, 1)
	f.Hook = func(emulator.Record) { met <- struct{}{} }
	a.Inject(f)
	<-met
	hit()
}

func packageType(t *testing.T, a *sessiontest.Account, name string) types.PackageType {
	t.Helper()
	got, err := a.Lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	var gone *types.ResourceNotFoundException
	if errors.As(err, &gone) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.PackageType
}

func contains(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

var migrateShop = []string{"migrate", "shop", "--accept", "function-url", "--write", "--confirm", "shop"}

// The first interrupt finishes the step and stops at a safe place; past the
// deletion the run goes on until the function is whole. It says so at once.
func TestFirstInterrupt(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	machine(t)
	p := start(t, migrateShop...)
	at(a, emulator.Fault{Operation: "CreateFunction", Kind: emulator.None}, func() { p.signal(os.Interrupt) })
	code, text := p.end()
	if code != exitInterrupted || packageType(t, a, "shop") != types.PackageTypeZip {
		t.Errorf("exits %d, the function is %s", code, packageType(t, a, "shop"))
	}
	contains(t, text, "step rehearse is finished", "interrupt again to stop at once", "stopped: shop is still the Zip function, untouched",
		"next: optlift resume ", "or:   optlift rollback ", "optlift: interrupted")
	if strings.Contains(text, "does not take it") {
		t.Errorf("the stop reads as a refusal:\n%s", text)
	}
	p = start(t, "resume", journalID(t), "--write", "--confirm", "shop")
	at(a, emulator.Fault{Operation: "DeleteFunction", Target: "shop", Skip: 1, Kind: emulator.None}, func() { p.signal(syscall.SIGTERM) })
	code, text = p.end()
	if code != exitDone || packageType(t, a, "shop") != types.PackageTypeImage {
		t.Errorf("exits %d, the function is %s\n%s", code, packageType(t, a, "shop"), text)
	}
	contains(t, text, "step delete-function is finished", "the run goes on until it is whole", "done: shop is a container image now")
}

// The second interrupt ends the process where it is, and says what may be half
// done; what it says to type next brings the function into a whole state.
func TestSecondInterrupt(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	machine(t)
	p := start(t, migrateShop...)
	at(a, emulator.Fault{Operation: "DeleteFunction", Target: "shop", Skip: 1, Kind: emulator.Stall, After: true}, func() { p.signal(os.Interrupt) })
	p.until("interrupt again")
	p.signal(os.Interrupt)
	code, text := p.end()
	a.ClearFaults()
	if code != exitInterrupted || packageType(t, a, "shop") != "" {
		t.Errorf("exits %d, the function is %q", code, packageType(t, a, "shop"))
	}
	contains(t, text, "stopped at once, in step delete-function", "shop may not exist right now", "event source mappings are paused")
	_, next, _ := strings.Cut(text, "next: optlift ")
	next, _, _ = strings.Cut(next, "\n")
	if !strings.HasPrefix(next, "resume ") {
		t.Fatalf("next is %q\n%s", next, text)
	}
	p = start(t, strings.Fields(next)...)
	if code, text := p.end(); code != exitDone || packageType(t, a, "shop") != types.PackageTypeImage {
		t.Errorf("exits %d\n%s", code, text)
	}
}

// A reader that goes away in the middle (| head) ends no migration.
func TestReaderThatGoesAway(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	machine(t)
	cmd := exec.Command("optlift", migrateShop...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "done     backup") {
		continue
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || packageType(t, a, "shop") != types.PackageTypeImage {
		t.Errorf("%v, the function is %q", err, packageType(t, a, "shop"))
	}
}

// What the runtime prints of every goroutine when the process crashes in the
// middle of a migration, with the environment and the credentials in its memory,
// holds no secret.
func TestCrashOutputHoldsNoSecret(t *testing.T) {
	a := sessiontest.Start(t)
	a.Furnish("shop")
	machine(t)
	t.Setenv("GOTRACEBACK", "all")
	for _, operation := range []string{"GetObject", "CreateFunction"} { // with a presigned URL, and with the environment, under way
		p := start(t, migrateShop...)
		at(a, emulator.Fault{Operation: operation, Kind: emulator.Stall}, func() { p.signal(syscall.SIGQUIT) })
		code, text := p.end()
		a.ClearFaults()
		if code != 2 || strings.Count(text, "goroutine ") < 5 {
			t.Errorf("%s: exits %d, no crash output:\n%s", operation, code, text)
		}
	}
}
