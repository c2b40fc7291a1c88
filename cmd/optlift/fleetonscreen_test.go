package main

import (
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/aws/switchover/snapshot/snapshottest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"github.com/optlift/optlift/ui"
)

// TestFleetOnScreen marks three functions of an embedded account in the terminal,
// reads their plan, accepts its warnings, arms the session, switches them and
// takes them back from the journal's screen: they are what they were then.
func TestFleetOnScreen(t *testing.T) {
	acct := sessiontest.Start(t)
	machine(t)
	names := []string{"orders", "billing", "search"}
	shared := acct.Layer("shared", ziptest.File("nodejs/node_modules/shared/index.js", "module.exports = 1"))
	for _, name := range append(names, "left-alone") {
		acct.Function(name, []ziptest.Entry{ziptest.File("index.js", "exports.handler = async () => '"+name+"'")}, func(in *lambda.CreateFunctionInput) {
			in.Description = aws.String("the " + name)
			in.Layers = []string{shared}
			in.Tags = map[string]string{"team": name}
			in.Environment = &types.Environment{Variables: map[string]string{"WHO": name}}
		})
	}
	app := newApp(&streams{in: strings.NewReader(""), out: os.Stdout, err: os.Stderr})
	app.baseRegistry = os.Getenv("OPTLIFT_BASE_REGISTRY")
	app.session = acct.Open(session.Options{Unlimited: true})
	t.Cleanup(func() {
		if err := app.close(); err != nil {
			t.Error(err)
		}
	})
	portraits := func(of types.PackageType) map[string]any {
		out := map[string]any{}
		for _, name := range append(names, "left-alone") {
			snap, err := snapshot.Capture(t.Context(), acct.Lambda, app.session.Account, sessiontest.Region, name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := snapshottest.Portrait(snap, false)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = []any{p, snap.CodeSHA256}
			config, err := snap.ConfigOf("")
			if err != nil {
				t.Fatal(err)
			}
			if want := of; name != "left-alone" && config.PackageType != want {
				t.Errorf("%s is of type %s, not %s", name, config.PackageType, want)
			}
		}
		return out
	}
	before := portraits(types.PackageTypeZip)

	v := view(t, &workspace{app: app}, ui.Options{}, nil)
	v.settle().see("orders", "left-alone")
	for _, name := range names {
		v.press("/").write("name:"+name).press("enter", "space", "esc")
	}
	v.see("3 marked", "migrate 3").press("M").settle().see("Switch 3 functions of account "+app.session.Account, "2 of 2 to be accepted")
	v.press("a").see("not now: 2 warnings to be accepted first: gap")
	v.press("x").write("gap").press("enter", "x").write("async-events").press("enter").see("all accepted")
	v.press("a").see("Allow changes to this account?").write(app.session.Account).press("enter").see("Switch 3 functions?")
	v.write("3@"+app.session.Account).press("enter").settle().see("is switched to container images", "3 of 3 functions")
	portraits(types.PackageTypeImage)

	v.press("J").settle().see("▌", "3 functions", "└ search").press("u").see("Roll ").write("3@" + app.session.Account).press("enter").settle()
	v.see("is rolled back: the Zip functions are as they were")
	if diff := cmp.Diff(before, portraits(types.PackageTypeZip)); diff != "" {
		t.Errorf("they are not what they were (-before +after):\n%s", diff)
	}
	v.press("esc").settle().see("rolled-back")
}
