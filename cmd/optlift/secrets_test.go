package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adrg/xdg"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"github.com/optlift/optlift/ui"
)

// plantedEvent is in an event that a function is rehearsed with.
const plantedEvent = "planted-event-payload"

// notToBeSeen is what no screen may show: values of the environment, the token of
// a policy, credentials, an event, and what makes a link to an archive a password.
var notToBeSeen = []string{sessiontest.PlantedValue, sessiontest.PlantedToken, plantedEvent,
	"planted-secret-key", "planted-session-token", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token"}

// leakyAccount has a function with everything attached, and one that tells its
// secrets to whoever invokes it, which a rehearsal has done already.
func leakyAccount(t *testing.T) (*sessiontest.Account, *workspace) {
	t.Helper()
	a := sessiontest.Start(t)
	a.Furnish("shop")
	a.Function("leaky", []ziptest.Entry{ziptest.File("index.js", `exports.handler = async (event) => {
  console.log(process.env.SECRET, event); // shown-because-it-is-code
  return {event, secret: process.env.SECRET, at: Math.random()};
}`)}, func(in *lambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"SECRET": sessiontest.PlantedValue}}
		in.Layers = []string{a.Layer("deps", ziptest.File("nodejs/node_modules/dep/index.js", "module.exports = 2"), ziptest.File("extensions/agent", "#!/bin/sh\n").Perm(0o755))}
	})
	machine(t)
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	xdg.Reload()
	event := filepath.Join(dir, "event.json")
	if err := os.WriteFile(event, []byte(`{"card": "`+plantedEvent+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	rehearse := []string{"rehearse", "leaky", "--event", event, "--write", "--confirm", "leaky"}
	program(t, exitFailed, rehearse...) // the answers differ
	program(t, exitDone, append(rehearse, "--accept", "rehearsal-differs")...)
	t.Chdir(t.TempDir()) // where exports go

	program := newApp(&streams{in: strings.NewReader(""), out: os.Stdout, err: os.Stderr})
	program.baseRegistry = os.Getenv("OPTLIFT_BASE_REGISTRY")
	t.Cleanup(func() {
		if err := program.close(); err != nil {
			t.Error(err)
		}
	})
	program.session = a.Open(session.Options{Unlimited: true}) // of AWS's rates
	return a, &workspace{app: program}
}

// TestScreensShowNoSecret visits every screen of the real program on an account
// with planted secrets, from the audit to the migration and back, and looks at
// every frame, at what is copied, at what is exported and kept.
func TestScreensShowNoSecret(t *testing.T) {
	a, w := leakyAccount(t)
	v := view(t, w, ui.Options{}, notToBeSeen)
	v.settle().see("shop", "leaky")

	// The account.
	v.press("y", "O").settle()
	v.press("L").settle().see("dep").press("y")

	// What its layers hold, and differ in.
	save := func(name string) {
		v.press("e").see("Export").press("ctrl+u").write(name).press("enter").settle().see("wrote ")
	}
	v.press("p").settle().see("packages").press("y", "esc")
	v.press("space", "space", "d").settle().see("diff dep:1 → deps:1", "paths: ").press("y", "t", "t", "G", "enter").settle().see("(old)").press("esc")
	save("diff.json")
	v.press("esc", "w").see("Find in the layers").write("node_modules").press("enter").settle().see("find node_modules", "2 layer versions looked into").press("y", "enter").settle().press("esc")
	save("found.json")
	v.press("esc", "esc")
	v.press("F").settle().press("esc")
	v.press("c").see("columns").press("y", "esc")
	v.press("?").settle().press("esc")
	for _, name := range []string{"all.csv", "all.json", "all.md"} {
		v.press("e").see("Export").press("ctrl+u").write(name).press("enter").settle().see("wrote ")
	}

	// A function, its versions, its files. What is in an archive is shown: that is
	// what looking into it is for, and proves that frames are looked at.
	filter := func(name string) { v.press("/").write("name:" + name).press("enter") }
	filter("shop")
	v.press("enter").settle().see("ANOTHER", "SECRET").press("y", "r").settle().press("v").settle().see("live").press("esc")
	v.press("esc")
	filter("leaky")
	v.press("o").settle().see("/opt").press("E", "y", "X", "X", "b", "b", "x", "x", "t").settle().press("E")
	v.see("index.js").press("/").write("index.js").press("enter", "down", "enter").settle()
	v.see("shown-because-it-is-code").press("x").settle().see("73 68 6f 77").press("esc", "esc")
	v.press("e").settle().press("ctrl+u").write("unpacked").press("enter").settle().press("esc", "esc")

	// What earlier rehearsals have compared.
	v.press("J").settle().see("leaky").press("y", "enter").settle().see("rehearse", "the payloads differ at $.at", "log  event.json: the logs have the same shape").press("y", "esc")
	v.press("down", "enter").settle().see("go on with --accept rehearsal-differs").press("esc", "esc")

	// A switch that is accepted, armed, confirmed, paused and let go on; the way back.
	filter("shop")
	v.press("m").settle().see("function-url").press("y", "x").write("function-url").press("enter").settle()
	v.press("v").settle().press("esc").settle()
	v.press("a").see("Allow changes to this account?").write("123456789012").press("enter").see("Apply 23 steps?").write("shop").press("enter")
	v.see("POINT OF NO RETURN").press("c").write("shop").press("enter").settle().see("shop now runs from a container image")
	v.press("y").walk("CreateFunction")
	v.press("u").see("Roll shop back").write("shop").press("enter").see("POINT OF NO RETURN").press("c").write("shop").press("enter").settle().see("is back as it was")
	v.walk("DeleteFunction").press("esc", "esc")

	// Many at once, of which one is blocked and one is refused on the way.
	v.press("esc", "ctrl+a", "M").settle().see("leaky", "shop")
	for _, id := range []string{"gap", "async-events"} {
		v.press("x").write(id).press("enter")
	}
	a.Inject(emulator.Fault{Operation: "CreateFunction", Target: "leaky", Kind: emulator.AccessDenied, Count: -1})
	v.press("a").see("@123456789012").write("1@123456789012").press("enter").settle().see("failed", "lambda:CreateFunction")
	v.press("y").walk("optlift resume").press("esc", "esc")

	// What was asked of AWS, and the journal of all.
	v.press("!").settle().see("CreateFunction").press("x").settle().press("esc")
	v.press("J").settle().walk("policy:live")

	// Links to archives that are refused, in the audit and in a switch.
	a.ClearFaults()
	a.Inject(emulator.Fault{Operation: "GetObject", Kind: emulator.AccessDenied, Count: -1})
	cache := filepath.Join(xdg.CacheHome, "optlift")
	if err := os.RemoveAll(cache); err != nil {
		t.Fatal(err)
	}
	v.press("esc", "esc", "r").settle().see("?")
	filter("leaky")
	v.press("enter").settle().see("code-denied").press("y", "r").settle()
	v.press("o").settle().see("could not be opened")
	v.press("esc", "p").settle().see("The packages could not be listed").press("esc")
	v.press("w").press(":").write("find node_modules").press("enter").settle().see("▲ not looked into").press("t").settle().walk("used by").press("esc")
	v.press("m").settle().press("a").write("leaky").press("enter").settle().see("Migrating leaky failed").walk("back up ")

	kept := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		kept++
		body, err := os.ReadFile(path)
		v.look(path, string(body))
		return err
	})
	if err != nil || kept < 4 {
		t.Errorf("%d files were exported: %v", kept, err)
	}
	for _, place := range []string{"functions", "columns", "layers", "layers from", "dep:1 packages", "diff dep:1 → deps:1", "find node_modules", "findings", "help", "log", "journal", "index.js",
		"leaky", "plan shop", "migrate shop", "rehearse", "plan 2 functions", "policy:live"} {
		if !v.places[place] {
			t.Errorf("%s was not visited, only %v", place, v.places)
		}
	}
	if v.copied < 8 || v.frames < 300 {
		t.Errorf("%d texts were copied, %d frames seen: this proves little", v.copied, v.frames)
	}
}
