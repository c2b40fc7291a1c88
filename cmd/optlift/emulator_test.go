package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// served is an embedded account in a process of its own.
type served struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// exportLine is one line that a shell can eval as it stands.
var exportLine = regexp.MustCompile(`^export ([A-Z0-9_]+)=([A-Za-z0-9_:/.-]+)$`)

// cmdEmulator serves an account until it is told to stop, and puts what it
// prints into the environment: emulator start --functions 3, emulator stop INT
func cmdEmulator(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: emulator start FLAG... | emulator stop INT|TERM")
	}
	account, ok := ts.Value(emulatorKey{}).(**served)
	if !ok {
		ts.Fatalf("the script has no place for an account")
	}
	if args[0] == "start" {
		*account = startEmulator(ts, args[1:])
		return
	}
	if *account == nil || len(args) != 2 {
		ts.Fatalf("there is nothing to stop, or no signal")
	}
	signal := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[1]]
	ts.Check((*account).cmd.Process.Signal(signal))
	if err := (*account).cmd.Wait(); err != nil {
		ts.Fatalf("stopped by SIG%s: %v", args[1], err)
	}
	if log := (*account).stderr.String(); log != "" {
		ts.Fatalf("it logged: %s", log)
	}
	*account = nil
}

// emulatorKey is where a script keeps its account.
type emulatorKey struct{}

func startEmulator(ts *testscript.TestScript, flags []string) *served {
	var program string
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if path := filepath.Join(dir, "optlift"); program == "" {
			if _, err := os.Stat(path); err == nil {
				program = path
			}
		}
	}
	s := &served{cmd: exec.Command(program, append([]string{"emulator"}, flags...)...)}
	s.cmd.Dir, s.cmd.Stderr = ts.MkAbs("."), &s.stderr
	s.cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() }) // says that it has ended, when it has
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "# ready" {
			return s
		}
		m := exportLine.FindStringSubmatch(lines.Text())
		if m == nil {
			ts.Fatalf("no shell line: %s", lines.Text())
		}
		ts.Setenv(m[1], m[2])
	}
	_ = s.cmd.Wait()
	ts.Fatalf("it ended before it was ready: %s", s.stderr.String())
	return nil
}

// cmdThrottled checks that an account answers at least one of forty quick calls
// with 429.
func cmdThrottled(ts *testscript.TestScript, neg bool, _ []string) {
	refused := 0
	for range 40 {
		req, err := http.NewRequest(http.MethodGet, ts.Getenv("AWS_ENDPOINT_URL")+"/2018-10-31/layers", nil)
		ts.Check(err)
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+ts.Getenv("AWS_ACCESS_KEY_ID")+"/20260101/"+ts.Getenv("AWS_REGION")+"/lambda/aws4_request")
		res, err := http.DefaultClient.Do(req)
		ts.Check(err)
		ts.Check(res.Body.Close())
		if res.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if (refused > 0) == neg {
		ts.Fatalf("%d of 40 calls were refused", refused)
	}
}

// cmdPort sets PORT to that of the account.
func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	_, port, ok := strings.Cut(ts.Getenv("AWS_ENDPOINT_URL"), "http://localhost:")
	if neg || len(args) != 0 || !ok {
		ts.Fatalf("the endpoint is %q", ts.Getenv("AWS_ENDPOINT_URL"))
	}
	ts.Setenv("PORT", port)
}

// cmdFunctions checks how many functions an audit has found: functions 3 audit.json
func cmdFunctions(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: functions N FILE.json")
	}
	var report struct{ Functions []json.RawMessage }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &report))
	if got := strconv.Itoa(len(report.Functions)); got != args[0] {
		ts.Fatalf("%s functions, want %s", got, args[0])
	}
}

// cmdSame compares two texts.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] != args[1] {
		ts.Fatalf("not the same: %q", args)
	}
}

// cmdEmpty checks that a directory holds nothing.
func cmdEmpty(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if neg || len(entries) != 0 {
		ts.Fatalf("%s holds %v", args[0], entries)
	}
}
