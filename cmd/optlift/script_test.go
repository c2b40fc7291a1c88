package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/optlift/optlift/aws/emulator"
)

func TestMain(m *testing.M) {
	// Scripts wait for the embedded account more than they work: there are more of
	// them at once than processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"optlift": func() { os.Exit(run(context.Background(), os.Args[1:], systemStreams())) },
	})
}

// TestScripts runs the program as people do. Each script has an embedded account
// of its own in its environment, and directories of its own for cache and state.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			server, err := emulator.Start(context.Background(), emulator.Options{Functions: demoFunctions})
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := server.Close(); err != nil {
					t.Errorf("close the embedded account: %v", err)
				}
			})
			for _, line := range server.Environ() {
				name, value, _ := strings.Cut(line, "=")
				env.Setenv(name, value)
				if name == "OPTLIFT_BASE_REGISTRY" {
					env.Setenv("REGISTRY", strings.TrimSuffix(value, "/lambda"))
				}
			}
			for _, dir := range []string{"XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR"} {
				path := filepath.Join(env.WorkDir, "."+strings.ToLower(dir))
				if err := os.MkdirAll(path, 0o700); err != nil {
					return err
				}
				env.Setenv(dir, path)
			}
			for _, file := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				env.Setenv(file, os.DevNull)
			}
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Values[emulatorKey{}] = new(*served)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":   cmdExits,
			"mkzip":   cmdMkzip,
			"mode":    cmdMode,
			"closed":  cmdClosed,
			"firstid": cmdFirstID,

			"emulator":  cmdEmulator,
			"throttled": cmdThrottled,
			"port":      cmdPort,
			"functions": cmdFunctions,
			"same":      cmdSame,
			"empty":     cmdEmpty,
			"tlsfront":  cmdTLSFront,
			"proxy":     cmdProxy,
		},
	})
}

// cmdExits runs a program and checks its exit code: exits 2 optlift --bogus
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exits %d, want %d\nstdout: %sstderr: %s", strings.Join(args[1:], " "), got, want,
			ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// cmdMkzip packs a directory, modes included: mkzip layer.zip dir
func cmdMkzip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mkzip FILE.zip DIR")
	}
	out, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer out.Close()
	w := zip.NewWriter(out)
	ts.Check(w.AddFS(os.DirFS(ts.MkAbs(args[1]))))
	ts.Check(w.Close())
}

// cmdMode checks a file's permission bits: mode 0755 extensions/x
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if info.Mode().Perm() != fs.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %o", args[1], info.Mode().Perm(), want)
	}
}

// cmdFirstID sets ID to the first of a journal, or to the first with a prefix:
// firstid journal.json fleet-
func cmdFirstID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: firstid FILE.json [PREFIX]")
	}
	prefix := ""
	if len(args) == 2 {
		prefix = args[1]
	}
	var entries []struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &entries))
	for _, e := range entries {
		if e.ID != "" && strings.HasPrefix(e.ID, prefix) {
			ts.Setenv("ID", e.ID)
			return
		}
	}
	ts.Fatalf("%s lists no such migration", args[0])
}

// cmdClosed checks that everything below a directory is for its owner only:
// files 0600, directories 0700.
func cmdClosed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: closed DIR")
	}
	seen := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		if info.Mode().Perm()&0o077 != 0 {
			ts.Fatalf("%s has mode %o: others may look", path, info.Mode().Perm())
		}
		return nil
	}))
	if seen < 2 {
		ts.Fatalf("%s holds nothing", args[0])
	}
}
