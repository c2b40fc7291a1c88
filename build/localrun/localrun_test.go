package localrun_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/build/localrun"
)

// TestMain lets this binary stand in for a container engine.
func TestMain(m *testing.M) {
	if os.Getenv("STAND_IN_ENGINE") == "" {
		os.Exit(m.Run())
	}
	os.Exit(engine(os.Args[1:]))
}

// engine answers "info", "load" and "run" as docker would, and serves the port that
// is published.
func engine(args []string) int {
	switch {
	case os.Getenv("STAND_IN_ENGINE") == "dead":
		fmt.Println("Cannot connect to the daemon")
		return 1
	case args[0] != "run":
		return 0
	case os.Getenv("STAND_IN_ENGINE") == "ends":
		fmt.Println("exec format error")
		return 3
	}
	fmt.Println("START", strings.Join(args, " "))
	i := slices.Index(args, "-p")
	address := strings.TrimSuffix(args[i+1], ":8080")
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"path":%q,"event":%s}`, r.URL.Path, body)
	}))
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	<-interrupted
	fmt.Println("END")
	return 0
}

// standIn makes this binary the only engine of the PATH.
func standIn(t *testing.T, name, behaviour string) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Skipf("no stand-in for an engine can be made here: %v", err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("STAND_IN_ENGINE", behaviour)
}

func TestInvoke(t *testing.T) {
	standIn(t, "finch", "works")
	name, err := localrun.Find(t.Context())
	if err != nil || name != "finch" {
		t.Fatalf("%s %v", name, err)
	}
	if err := localrun.Load(t.Context(), name, "x.tar"); err != nil {
		t.Fatal(err)
	}
	port, err := localrun.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := localrun.Run{Engine: name, Image: "optlift/shop:latest", Platform: "linux/arm64", Port: port, Function: "shop", MemoryMB: 256, Timeout: 7, EnvFile: "my.env"}
	var log bytes.Buffer
	got, err := r.Invoke(t.Context(), []byte(`{"a":1}`), &log)
	if err != nil || string(got) != `{"path":"/2015-03-31/functions/function/invocations","event":{"a":1}}` {
		t.Errorf("%s %v", got, err)
	}
	want := fmt.Sprintf("run --rm --platform linux/arm64 -p 127.0.0.1:%d:8080 -e AWS_LAMBDA_FUNCTION_NAME=shop "+
		"-e AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256 -e AWS_LAMBDA_FUNCTION_TIMEOUT=7 --env-file my.env optlift/shop:latest", port)
	if !strings.Contains(log.String(), "START "+want) || !strings.Contains(log.String(), "END") {
		t.Errorf("the engine says:\n%s", log.String())
	}
}

func TestAContainerThatEnds(t *testing.T) {
	standIn(t, "docker", "ends")
	port, err := localrun.FreePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	_, err = localrun.Run{Engine: "docker", Image: "i", Platform: "linux/amd64", Port: port}.Invoke(t.Context(), nil, &log)
	if err == nil || !strings.Contains(err.Error(), "ended before it answered: exit status 3") || !strings.Contains(log.String(), "exec format error") {
		t.Errorf("%v %s", err, log.String())
	}
}

func TestNoEngine(t *testing.T) {
	standIn(t, "docker", "dead")
	if _, err := localrun.Find(t.Context()); err == nil || !strings.Contains(err.Error(), "docker is installed, but does not answer") {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := localrun.Find(t.Context()); err == nil || !strings.Contains(err.Error(), "is installed") {
		t.Error(err)
	}
}
