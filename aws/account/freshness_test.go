package account_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

var day = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// calls are the control plane's, counted by operation.
func calls(acct *sessiontest.Account) map[string]int {
	n := map[string]int{}
	for _, c := range acct.Calls() {
		if c.Service == "lambda" || c.Operation == "GetObject" {
			n[c.Operation]++
		}
	}
	acct.ForgetCalls()
	return n
}

func TestAnswersOfAnEarlierRun(t *testing.T) {
	acct := sessiontest.Start(t)
	var arns []string
	for i := range 25 {
		arns = append(arns, acct.Layer(fmt.Sprintf("l%d", i), ziptest.File("nodejs/node_modules/x.js", fmt.Sprint(i))))
	}
	const functions = 120
	for i := range functions {
		acct.Function(fmt.Sprintf("f%03d", i), []ziptest.Entry{ziptest.File("index.js", fmt.Sprint(i))}, func(in *lambda.CreateFunctionInput) {
			in.Layers, in.Tags = []string{arns[i%len(arns)]}, map[string]string{"lambda:createdBy": "SAM"}
		})
	}
	// What was denied is asked for by every run, what is gone is not.
	acct.DeleteLayer(arns[3])
	for _, op := range []string{"GetLayerVersionByArn", "GetLayerVersion"} {
		acct.Inject(emulator.Fault{Operation: op, Target: arns[4], Kind: emulator.AccessDenied, Count: -1})
	}
	s, cache := acct.Open(session.Options{Unlimited: true}), t.TempDir()
	fresh := account.Freshness{Answers: t.TempDir(), MaxAge: time.Hour}
	run := func(now time.Time, f account.Freshness) result {
		t.Helper()
		a := newAuditor(s, cache)
		a.SetNow(now)
		a.Freshness = f
		return audit(t, a)
	}
	acct.ForgetCalls()
	first := run(day, fresh)
	if got := calls(acct); got["GetFunction"] != functions || got["GetLayerVersionByArn"] != 25 || got["ListLayers"] != 1 {
		t.Error(got)
	}
	for _, f := range first.facts {
		if !f.Asked.IsZero() || !f.LayerFacts[0].Asked.IsZero() {
			t.Fatalf("%s was told from nowhere: %v", f.Name, f.Asked)
		}
	}
	warm := run(day.Add(59*time.Minute), fresh)
	if got := calls(acct); !maps.Equal(got, map[string]int{"ListFunctions": 3, "GetLayerVersionByArn": 1}) {
		t.Error(got)
	}
	states := map[account.State]int{}
	for name, f := range warm.facts {
		l, was := f.LayerFacts[0], first.facts[name].LayerFacts[0]
		states[l.State]++
		if !f.Asked.Equal(day) || f.Total != first.facts[name].Total || f.ManagedBy != "SAM" || f.TagsState != account.OK || f.Code.State != account.OK ||
			l.State != was.State || l.Unzipped != was.Unzipped || l.CodeSHA256 != was.CodeSHA256 || !slices.Equal(first.ids(name), warm.ids(name)) {
			t.Fatalf("%+v, then %+v with %+v", first.facts[name], f, l)
		}
		if old := !l.Asked.IsZero(); old != (l.State != account.Denied) {
			t.Errorf("%s is %s, as of %v", l.ARN, l.State, l.Asked)
		}
	}
	if states[account.Deleted] == 0 || states[account.Denied] == 0 || states[account.OK] == 0 {
		t.Error(states)
	}
	// The document says how old it is.
	report := account.NewReport("123456789012", []string{sessiontest.Region}, slices.Collect(valuesOf(warm.facts)), nil)
	if functions, layers, oldest := report.Stale(); functions != 120 || layers != 24 || oldest != "2026-06-01T00:00:00Z" {
		t.Error(functions, layers, oldest)
	}

	// What a listing tells is always new: other code, another layer, a new function, one that is gone.
	update := func(name string, entries ...ziptest.Entry) {
		if _, err := acct.Lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: ziptest.Bytes(entries...)}); err != nil {
			t.Fatal(err)
		}
	}
	update("f000", ziptest.File("index.js", "another"))
	another := acct.Layer("another", ziptest.File("a", "b"))
	acct.Function("new", hello, layers(another))
	if _, err := acct.Lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f119")}); err != nil {
		t.Fatal(err)
	}
	// What it does not tell is as it was.
	acct.DeleteLayer(arns[7])
	acct.ForgetCalls()
	third := run(day.Add(59*time.Minute), fresh)
	if got := calls(acct); got["GetFunction"] != 2 || got["GetLayerVersionByArn"] != 2 {
		t.Error(got)
	}
	if f := third.facts["f000"]; !f.Asked.IsZero() || f.Code.Unzipped != int64(len("another")) || third.facts["f119"] != nil || !third.facts["new"].Known {
		t.Errorf("%+v", f)
	}
	if l := third.facts["f007"].LayerFacts[0]; l.State != account.OK || !l.Asked.Equal(day) {
		t.Errorf("%s as of %v", l.State, l.Asked)
	}

	// Asked again behind the rows, it is told anew, with everything else.
	behind := fresh
	behind.Behind = true
	times := map[string][]account.State{}
	a := newAuditor(s, cache)
	a.SetNow(day.Add(59 * time.Minute))
	a.Freshness = behind
	acct.ForgetCalls()
	if err := a.Audit(t.Context(), func(e account.Event) {
		if e.Facts != nil {
			times[e.Facts.Name] = append(times[e.Facts.Name], e.Facts.LayerFacts[0].State)
			if second := len(times[e.Facts.Name]) == 2; second && (!e.Facts.Asked.IsZero() || !e.Facts.LayerFacts[0].Asked.IsZero()) {
				t.Errorf("%s is still old: %+v", e.Facts.Name, e.Facts)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(times["f007"], []account.State{account.OK, account.Deleted}) || len(times) != functions {
		t.Error(times["f007"], len(times))
	}
	if got := calls(acct); got["GetFunction"] < functions-2 || got["GetObject"] != 0 {
		t.Error(got)
	}

	// Old answers, and none wanted.
	for name, f := range map[string]result{
		"expired":         run(day.Add(2*time.Hour), fresh),
		"nothing allowed": run(day.Add(2*time.Hour), account.Freshness{Answers: fresh.Answers}),
		"of the future":   run(day.Add(-time.Hour), fresh),
	} {
		if l := f.facts["f007"].LayerFacts[0]; l.State != account.Deleted || !l.Asked.IsZero() || !f.facts["f050"].Asked.IsZero() {
			t.Errorf("%s: %s as of %v", name, l.State, l.Asked)
		}
	}
	// Archives that are not at hand any more are located again.
	lost := t.TempDir()
	a = newAuditor(s, lost)
	a.Freshness = fresh
	calls(acct)
	r := audit(t, a)
	if got := calls(acct); got["GetFunction"] != functions || got["GetLayerVersionByArn"] < 23 {
		t.Error(got)
	}
	if f := r.facts["f050"]; !f.Known || !f.Asked.IsZero() {
		t.Errorf("%+v", f)
	}
}

// Where it takes a second, everything is asked for.
func TestSmallAccountsAreAlwaysFresh(t *testing.T) {
	acct := sessiontest.Start(t)
	layer := acct.Layer("l", ziptest.File("a", "b"))
	for i := range 60 {
		acct.Function(fmt.Sprintf("f%d", i), hello, layers(layer))
	}
	s, cache, kept := acct.Open(session.Options{Unlimited: true}), t.TempDir(), t.TempDir()
	run := func() result {
		a := newAuditor(s, cache)
		a.Freshness = account.Freshness{Answers: kept, MaxAge: time.Hour}
		return audit(t, a)
	}
	run()
	acct.DeleteLayer(layer)
	acct.ForgetCalls()
	for name, f := range run().facts {
		if f.LayerFacts[0].State != account.Deleted || !f.Asked.IsZero() {
			t.Fatalf("%s: %+v", name, f.LayerFacts[0])
		}
	}
	if got := calls(acct); got["GetFunction"] != 60 {
		t.Error(got)
	}
}

func TestNewestLayers(t *testing.T) {
	acct := sessiontest.Start(t)
	first := acct.Layer("l", ziptest.File("a", "1"))
	acct.Layer("l", ziptest.File("a", "2"))
	acct.Function("f", hello, layers(first))
	var newest []*account.NewestLayers
	listen := func(e account.Event) {
		if e.Newest != nil {
			newest = append(newest, e.Newest)
		}
	}
	a := newAuditor(acct.Open(session.Options{Unlimited: true}), "")
	if err := a.Audit(t.Context(), listen); err != nil {
		t.Fatal(err)
	}
	name, _ := strings.CutSuffix(first, ":1")
	if len(newest) != 1 || newest[0].Versions[name] != 2 || newest[0].State != account.OK || newest[0].Region != sessiontest.Region {
		t.Fatalf("%+v", newest)
	}
	acct.Inject(emulator.Fault{Operation: "ListLayers", Kind: emulator.AccessDenied, Count: -1})
	newest = nil
	if err := a.Audit(t.Context(), listen); err != nil {
		t.Fatal(err)
	}
	if len(newest) != 1 || newest[0].State != account.Denied || newest[0].Versions != nil || !strings.Contains(newest[0].Message, "lambda:ListLayers") {
		t.Fatalf("%+v", newest[0])
	}
}
