package account_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

var hello = []ziptest.Entry{ziptest.File("index.js", "exports.handler = async () => 'hello'")}

// newAuditor lives in a time when none of the runtimes used here is near its end.
func newAuditor(s *session.Session, cache string) *account.Auditor {
	a := account.NewAuditor(s, cache)
	a.SetNow(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	return a
}

// result is an audit, taken down.
type result struct {
	listed []string
	facts  map[string]*account.Facts
	errs   []account.RegionError
	done   map[string]int
}

func audit(t *testing.T, a *account.Auditor) result {
	t.Helper()
	r := result{facts: map[string]*account.Facts{}, done: map[string]int{}}
	err := a.Audit(t.Context(), func(e account.Event) {
		switch {
		case e.Listed != nil:
			r.listed = append(r.listed, e.Listed.Name)
		case e.Facts != nil:
			if !slices.Contains(r.listed, e.Facts.Name) {
				t.Errorf("%s is measured before it is listed", e.Facts.Name)
			}
			r.facts[e.Facts.Name] = e.Facts
		case e.Region != nil:
			r.errs = append(r.errs, *e.Region)
		case e.Listing != nil && e.Listing.Done:
			r.done[e.Listing.Region] = e.Listing.Found
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r result) ids(name string) []string {
	ids := []string{}
	for _, f := range r.facts[name].Findings {
		ids = append(ids, f.ID)
	}
	return ids
}

func layers(arns ...string) func(*lambda.CreateFunctionInput) {
	return func(in *lambda.CreateFunctionInput) { in.Layers = arns }
}

func TestAuditReadsEveryPage(t *testing.T) {
	acct := sessiontest.Start(t)
	shared := acct.Layer("shared", ziptest.File("nodejs/node_modules/x/index.js", strings.Repeat("x", 1000)).Deflated())
	const functions = 123
	for i := range functions {
		acct.Function(fmt.Sprintf("f-%03d", i), hello, layers(shared))
	}
	acct.ForgetCalls()
	r := audit(t, newAuditor(acct.Open(session.Options{Unlimited: true}), t.TempDir()))
	if len(r.listed) != functions || len(r.facts) != functions || r.done[sessiontest.Region] != functions || len(r.errs) > 0 {
		t.Fatalf("%d listed, %d measured, %v, %v", len(r.listed), len(r.facts), r.done, r.errs)
	}
	size := int64(len("exports.handler = async () => 'hello'")) + 1000
	for name, f := range r.facts {
		if !f.Known || f.Total != size || !f.Complete || f.Region != sessiontest.Region || f.Code.State != account.OK || f.Code.Dir != nil ||
			len(f.LayerFacts) != 1 || f.LayerFacts[0].Unzipped != 1000 || f.LayerFacts[0].Dir != nil || len(f.Findings) != 0 {
			t.Fatalf("%s: %+v", name, f)
		}
	}
	calls := map[string]int{}
	for _, c := range acct.Calls() {
		calls[c.Operation]++
	}
	// The layer and the code, which are the same bytes everywhere, once each at most a few times in parallel.
	if calls["ListFunctions"] != 3 || calls["GetLayerVersionByArn"]+calls["GetLayerVersion"] != 1 || calls["GetFunction"] != functions {
		t.Error(calls)
	}
}

// What an earlier run has read is not read again.
func TestAuditFromCache(t *testing.T) {
	acct := sessiontest.Start(t)
	// What is started lies at the archive's beginning, far from its directory.
	layer := acct.Layer("l", ziptest.File("bin/tool", "#!/bin/sh\r\n").Perm(0o755), ziptest.Link("extensions/ext", "../bin/tool"),
		ziptest.File("padding", strings.Repeat("0123456789abcdef", 4<<20/16)))
	for i := range 5 {
		acct.Function(fmt.Sprintf("f%d", i), []ziptest.Entry{ziptest.File("index.js", fmt.Sprint(i))}, layers(layer))
	}
	cache := t.TempDir()
	s := acct.Open(session.Options{Unlimited: true})
	first := audit(t, newAuditor(s, cache))
	acct.ForgetCalls()
	second := audit(t, newAuditor(s, cache))
	for _, c := range acct.Calls() {
		if c.Operation == "GetObject" {
			t.Errorf("read again: %+v", c)
		}
	}
	for name, f := range first.facts {
		if g := second.facts[name]; g.Total != f.Total || !g.Known || len(g.Extensions) != 1 || g.Extensions[0] != f.Extensions[0] || !g.Extensions[0].Executable {
			t.Errorf("%s: %+v, then %+v", name, f, g)
		}
		for _, r := range []result{first, second} {
			if ids := r.ids(name); !slices.Equal(ids, []string{"extension-line-endings"}) {
				t.Errorf("%s: %v", name, ids)
			}
		}
	}
}

func TestOneFailureHidesNoOther(t *testing.T) {
	acct := sessiontest.Start(t)
	good := acct.Layer("good", ziptest.File("a", "aaaa"))
	deleted := acct.Layer("deleted", ziptest.File("b", "bb"))
	denied := acct.Layer("denied", ziptest.File("c", "c"))
	broken := acct.Layer("broken", ziptest.File("d", "dddd"), ziptest.File("d", "twice"))
	for i := range 10 {
		acct.Function(fmt.Sprintf("good-%d", i), hello, layers(good))
	}
	acct.Function("on-deleted", hello, layers(good, deleted))
	acct.Function("on-denied", hello, layers(denied, good))
	acct.Function("on-broken", hello, layers(broken))
	acct.Function("refused", hello, nil)
	acct.DeleteLayer(deleted)
	acct.Inject(emulator.Fault{Operation: "GetLayerVersionByArn", Target: denied, Kind: emulator.AccessDenied, Count: -1})
	acct.Inject(emulator.Fault{Operation: "GetLayerVersion", Target: denied, Kind: emulator.AccessDenied, Count: -1})
	acct.Inject(emulator.Fault{Operation: "GetFunction", Target: "refused", Kind: emulator.AccessDenied, Count: -1})
	r := audit(t, newAuditor(acct.Open(session.Options{Unlimited: true}), ""))
	if len(r.facts) != 14 || len(r.errs) != 0 {
		t.Fatalf("%d functions, %v", len(r.facts), r.errs)
	}
	for i := range 10 {
		if f := r.facts[fmt.Sprintf("good-%d", i)]; !f.Known || f.Total == 0 || len(f.Findings) != 0 {
			t.Errorf("%s: %+v", f.Name, f.Findings)
		}
	}
	for name, want := range map[string]struct {
		states []account.State
		code   account.State
		ids    []string
	}{
		"on-deleted": {[]account.State{account.OK, account.Deleted}, account.OK, []string{"size-unknown", "layer-deleted"}},
		"on-denied":  {[]account.State{account.Denied, account.OK}, account.OK, []string{"size-unknown", "layer-denied"}},
		"on-broken":  {[]account.State{account.Failed}, account.OK, []string{"size-unknown", "layer-unreadable"}},
		"refused":    {nil, account.Denied, []string{"size-unknown", "code-denied", "tags-unknown"}},
	} {
		f := r.facts[name]
		var states []account.State
		for _, l := range f.LayerFacts {
			states = append(states, l.State)
			if (l.Message == "") != (l.State == account.OK) {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if !slices.Equal(states, want.states) || f.Code.State != want.code || !slices.Equal(r.ids(name), want.ids) || f.Known {
			t.Errorf("%s: layers %v, code %v, findings %v, known %v", name, states, f.Code.State, r.ids(name), f.Known)
		}
	}
	report := account.NewReport("123456789012", []string{sessiontest.Region}, slices.Collect(valuesOf(r.facts)), r.errs)
	for _, f := range report.Functions {
		if known := r.facts[f.Name].Known; (f.UnzippedTotal != nil) != known || (f.Percent != nil) != known {
			t.Errorf("%s: %+v", f.Name, f)
		}
	}
}

func valuesOf(m map[string]*account.Facts) func(func(*account.Facts) bool) {
	return func(yield func(*account.Facts) bool) {
		for _, f := range m {
			if !yield(f) {
				return
			}
		}
	}
}

func TestRegionThatFails(t *testing.T) {
	acct := sessiontest.Start(t)
	for i := range 60 {
		acct.Function(fmt.Sprintf("f%d", i), hello, nil)
	}
	s := acct.Open(session.Options{Regions: []string{sessiontest.Region, "eu-west-1"}, Unlimited: true})
	acct.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.AccessDenied, Skip: 2, Count: -1})
	r := audit(t, newAuditor(s, ""))
	// Two pages came through, in whichever region; the third was refused.
	if len(r.errs) != 1 || !strings.Contains(r.errs[0].Message, "lambda:ListFunctions") || len(r.done) != 2 || len(r.facts) != len(r.listed) {
		t.Errorf("%v %v, %d measured of %d", r.errs, r.done, len(r.facts), len(r.listed))
	}
}

func TestAuditStopsWithItsContext(t *testing.T) {
	acct := sessiontest.Start(t)
	for i := range 20 {
		acct.Function(fmt.Sprintf("f%d", i), hello, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	acct.Inject(emulator.Fault{Operation: "GetFunction", Kind: emulator.Stall, Count: -1})
	err := newAuditor(acct.Open(session.Options{Unlimited: true}), "").Audit(ctx, func(e account.Event) {
		if e.Listing != nil {
			cancel()
		}
		if e.Facts != nil || e.Region != nil {
			t.Errorf("an interrupted audit says %+v", e)
		}
	})
	if err != context.Canceled {
		t.Error(err)
	}
}

// The first answer to a listing already makes rows, whatever else takes long.
func TestFirstRowsAfterOneRoundTrip(t *testing.T) {
	acct := sessiontest.Start(t)
	layer := acct.Layer("l", ziptest.File("a", "b"))
	for i := range 60 {
		acct.Function(fmt.Sprintf("f%d", i), hello, layers(layer))
	}
	ctx, cancel := context.WithCancel(t.Context())
	acct.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.Stall, Skip: 1, Count: -1})
	for _, op := range []string{"GetFunction", "GetLayerVersionByArn", "ListLayers"} {
		acct.Inject(emulator.Fault{Operation: op, Kind: emulator.Stall, Count: -1})
	}
	rows := 0
	err := newAuditor(acct.Open(session.Options{Unlimited: true}), "").Audit(ctx, func(e account.Event) {
		if e.Listed != nil {
			if rows++; rows == 50 {
				cancel()
			}
		}
	})
	if err != context.Canceled || rows != 50 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestMeasure(t *testing.T) {
	acct := sessiontest.Start(t)
	layer := acct.Layer("l", ziptest.File("a", "aaaa"))
	arn := acct.Function("one", hello, layers(layer))
	other := acct.Open(session.Options{Regions: []string{"us-east-1", sessiontest.Region}, Unlimited: true})
	a := newAuditor(other, "")
	for _, name := range []string{arn, arn + ":$LATEST", "one", "123456789012:function:one"} {
		f, err := a.Measure(t.Context(), name)
		if err != nil || f.ARN != arn || f.Region != sessiontest.Region || !f.Known || f.Code.Dir == nil || f.LayerFacts[0].Dir == nil {
			t.Errorf("%s: %+v %v", name, f, err)
		}
	}
	if _, err := a.Measure(t.Context(), "nobody"); session.KindOf(err) != session.NotFound {
		t.Error(err)
	}
	// The same name in two regions is not guessed at.
	if _, err := acct.Session.Lambda("us-east-1").CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: ptr("one"), Role: ptr(sessiontest.Role), Runtime: types.RuntimeNodejs22x, Handler: ptr("index.handler"),
		Code: &types.FunctionCode{ZipFile: ziptest.Bytes(hello...)},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Measure(t.Context(), "one"); err == nil || !strings.Contains(err.Error(), arn) || !strings.Contains(err.Error(), "us-east-1") {
		t.Error(err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestReport(t *testing.T) {
	acct := sessiontest.Start(t)
	layer := acct.Layer("l", ziptest.File("a", "aaaa"))
	gone := acct.Layer("gone", ziptest.File("a", "aaaa"))
	acct.Function("b-fine", hello, layers(layer))
	acct.Function("a-lost", hello, func(in *lambda.CreateFunctionInput) {
		in.Layers = []string{gone}
		in.Tags = map[string]string{"lambda:createdBy": "SAM"}
	})
	acct.DeleteLayer(gone)
	r := audit(t, newAuditor(acct.Open(session.Options{Unlimited: true}), ""))
	report := account.NewReport("123456789012", []string{sessiontest.Region}, slices.Collect(valuesOf(r.facts)), nil)
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema    int
		Errors    []any
		Functions []map[string]any
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	lost, fine := doc.Functions[0], doc.Functions[1]
	if doc.Schema != 1 || doc.Errors == nil || lost["name"] != "a-lost" || fine["name"] != "b-fine" {
		t.Fatal(string(b))
	}
	for _, field := range []string{"unzippedTotal", "percent", "headroom"} {
		if v, there := lost[field]; !there || v != nil {
			t.Errorf("%s of an unknown size is %v", field, v)
		}
	}
	l := lost["layers"].([]any)[0].(map[string]any)
	if l["state"] != "deleted" || l["unzipped"] != nil || l["message"] == "" || lost["managedBy"] != "SAM" {
		t.Error(l, lost["managedBy"])
	}
	if fine["unzippedTotal"] != float64(41) || fine["limit"] != float64(262144000) || fine["headroom"] != float64(262144000-1-41) || fine["runtimeDeprecated"] != "2027-04-30" || fine["managedBy"] != "" {
		t.Error(fine)
	}
	for _, field := range []string{"layers", "extensions", "findings"} {
		if fine[field] == nil {
			t.Errorf("%s is null", field)
		}
	}
	if strings.Contains(string(b), "X-Amz-") {
		t.Error("a presigned URL is in the report")
	}
	over, unknown := report.Over(0)
	if len(over) != 1 || len(unknown) != 1 || unknown[0].Name != "a-lost" {
		t.Error(over, unknown)
	}
}

// An account that enforces AWS's rates never has to refuse a call.
func TestAuditKeepsToTheRates(t *testing.T) {
	state := t.TempDir()
	acct := sessiontest.StartWith(t, emulator.Options{Delay: time.Millisecond, State: state})
	const functions, versions = 120, 25
	var arns []string
	for i := range versions {
		arns = append(arns, acct.Layer(fmt.Sprintf("l%d", i), ziptest.File("nodejs/node_modules/x.js", fmt.Sprint(i))))
	}
	for i := range functions {
		acct.Function(fmt.Sprintf("f%d", i), []ziptest.Entry{ziptest.File("index.js", fmt.Sprint(i))}, layers(arns[i%versions]))
	}
	if err := acct.Close(); err != nil {
		t.Fatal(err)
	}
	acct = sessiontest.StartWith(t, emulator.Options{Delay: time.Millisecond, State: state, Rates: true})
	limited := audit(t, newAuditor(acct.Open(session.Options{}), ""))
	throttled := func() (n int) {
		for _, c := range acct.Calls() {
			if c.Error == "TooManyRequestsException" {
				n++
			}
		}
		return n
	}
	if n := throttled(); n > 0 || len(limited.facts) != functions {
		t.Errorf("%d calls were throttled, %d functions measured", n, len(limited.facts))
	}
	for name, f := range limited.facts {
		if !f.Known {
			t.Errorf("%s: %+v", name, f.Findings)
		}
	}
	// The account does count: where its clock stands still, the second's worth
	// that it forgives is soon used up.
	still := time.Now()
	acct = sessiontest.StartWith(t, emulator.Options{Delay: time.Millisecond, Rates: true, Now: func() time.Time { return still }})
	for range 20 {
		_, _ = acct.Lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	}
	if throttled() != 5 {
		t.Errorf("%d of 20 calls at once were throttled", throttled())
	}
}
