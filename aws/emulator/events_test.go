package emulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/emulator/events"
)

// event invokes asynchronously.
func (a account) event(function, qualifier, payload string) {
	a.Helper()
	in := &lambda.InvokeInput{FunctionName: &function, InvocationType: types.InvocationTypeEvent, Payload: []byte(payload)}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	if out := must(a.lambda.Invoke(a.Context(), in))(a.T); out.StatusCode != 202 || len(out.Payload) > 0 {
		a.Fatalf("an event is answered with %d %s", out.StatusCode, out.Payload)
	}
}

// events are those of a function, in the order they were queued.
func (a account) events(function string) []events.Event {
	a.Helper()
	var out []events.Event
	for _, e := range must(a.server.Events(a.Context()))(a.T) {
		if e.Function == function {
			out = append(out, e)
		}
	}
	return out
}

const throwing = "exports.handler = async (e) => { if (e.fail) throw new TypeError('no ' + e.fail); return {seen: e} }"

// Function errors are tried again after one and two minutes, then the record goes
// to the destination and the event to the dead-letter queue, as they are
// configured for what was called.
func TestEventsAreTriedAgain(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.Publish = true
		in.Code.ZipFile = zipped(t, "index.js", throwing)
		in.DeadLetterConfig = &types.DeadLetterConfig{TargetArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:dead")}
	})
	a.pass()
	must(a.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	must(a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("live"), MaximumRetryAttempts: aws.Int32(1),
		DestinationConfig: &types.DestinationConfig{
			OnSuccess: &types.OnSuccess{Destination: aws.String("arn:aws:events:eu-central-1:123456789012:event-bus/default")},
			OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sns:eu-central-1:123456789012:failed")},
		},
	}))(t)
	a.event("f", "", `{"fail":"1"}`)
	a.event("f", "live", `{"fail":"2"}`)
	a.event("f", "live", `{"fine":3}`)
	counts := func() (out [3]int) {
		for _, e := range a.events("f") {
			i := map[string]int{`{"fail":"1"}`: 0, `{"fail":"2"}`: 1, `{"fine":3}`: 2}[string(e.Payload)]
			out[i] = e.Invocations
			if e.Condition != "" {
				out[i] += 10
			}
		}
		return out
	}
	for _, step := range []struct {
		move time.Duration
		want [3]int // attempts, and 10 when it has ended
	}{{0, [3]int{1, 1, 11}}, {59 * time.Second, [3]int{1, 1, 11}}, {time.Minute, [3]int{2, 12, 11}}, {time.Minute, [3]int{2, 12, 11}}, {time.Minute, [3]int{13, 12, 11}}} {
		a.server.Advance(step.move)
		if got := counts(); got != step.want {
			t.Fatalf("after another %s: %v, want %v", step.move, got, step.want)
		}
	}
	want := map[string][]string{
		`{"fail":"1"}`: {"RetriesExhausted", "dead-letter dead", ":f:$LATEST"},
		`{"fail":"2"}`: {"RetriesExhausted", "on-failure failed", "dead-letter dead", ":f:live"},
		`{"fine":3}`:   {"Success", "on-success default", ":f:live"},
	}
	for _, e := range a.events("f") {
		got := []string{e.Condition}
		for _, d := range e.Deliveries {
			i := strings.LastIndexAny(d.To, ":/")
			got = append(got, string(d.Kind)+" "+d.To[i+1:])
		}
		got = append(got, e.ARN[strings.Index(e.ARN, ":f:"):])
		if strings.Join(got, ", ") != strings.Join(want[string(e.Payload)], ", ") {
			t.Errorf("%s: %q, want %q", e.Payload, got, want[string(e.Payload)])
		}
	}
	// What a queue would get is there for any client to see.
	res, body := fetch(t, "GET", a.server.URL()+"/_optlift/events")
	var seen []events.Event
	if err := json.Unmarshal(body, &seen); err != nil || res.StatusCode != 200 || len(seen) != 3 {
		t.Fatal(res.StatusCode, err, string(body))
	}
	for _, e := range seen {
		if string(e.Payload) == `{"fail":"2"}` && (!strings.Contains(string(e.Deliveries[0].Message), `"errorMessage":"no 2"`) || e.Deliveries[1].Attributes["ErrorMessage"] != "no 2") {
			t.Errorf("%s, %v", e.Deliveries[0].Message, e.Deliveries[1].Attributes)
		}
	}
}

// A function that has no concurrency left is no reason to refuse an event; one
// that has none at all gives it up at once.
func TestThrottledEvents(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped(t, "index.js", throwing) })
	a.pass()
	must(a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("f"), MaximumEventAgeInSeconds: aws.Int32(600),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:eu-central-1:123456789012:failed")}},
	}))(t)
	reserve := func(n int32) {
		must(a.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: &n}))(t)
	}
	reserve(0)
	a.event("f", "", "1")
	if e := a.events("f"); len(e) != 1 || e[0].Condition != events.ZeroReservedConcurrency || e[0].Invocations != 0 || len(e[0].Deliveries) != 1 {
		t.Fatalf("%+v", e)
	}
	reserve(1)
	a.event("f", "", `{"fail":"yes"}`)
	if e := a.events("f"); e[1].Invocations != 1 || e[1].Condition != "" {
		t.Fatalf("%+v", e[1])
	}
	reserve(0)
	a.server.Advance(time.Minute)
	if e := a.events("f"); e[1].Condition != events.ZeroReservedConcurrency || e[1].Invocations != 1 {
		t.Fatalf("%+v", e[1])
	}
}

// Functions and buckets of the account do get what is sent to them; a circle ends.
func TestEventDestinations(t *testing.T) {
	a := open(t, emulator.Options{})
	for _, name := range []string{"f", "next"} {
		a.create(name, func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped(t, "index.js", throwing) })
	}
	a.pass()
	a.bucket("PUT", "/records", []byte(here))
	send := func(from string, success, failure *string) {
		must(a.lambda.PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
			FunctionName: &from, MaximumRetryAttempts: aws.Int32(0),
			DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: success}, OnFailure: &types.OnFailure{Destination: failure}},
		}))(t)
	}
	send("f", aws.String(prefix+"function:next"), aws.String("arn:aws:s3:::records"))
	send("next", nil, aws.String("arn:aws:s3:::none"))
	a.event("f", "", `{"fine":1}`)
	a.events("f")
	got := a.events("next")
	if len(got) != 1 || got[0].Condition != events.Success || got[0].Depth != 1 || !strings.Contains(string(got[0].Payload), `"responsePayload":{"seen":{"fine":1}}`) {
		t.Fatalf("%+v", got)
	}
	a.event("f", "", `{"fail":"it"}`)
	a.events("f")
	_, list := a.bucket("GET", "/records?list-type=2", nil)
	_, key, _ := strings.Cut(list, "<Key>")
	key, _, _ = strings.Cut(key, "<")
	if _, text := a.bucket("GET", "/records/"+key, nil); !strings.HasPrefix(key, "aws/lambda/async/f/") || !strings.Contains(text, `"errorMessage":"no it"`) {
		t.Errorf("%s: %s", key, text)
	}
	a.event("next", "", `{"fail":"it"}`)
	if e := a.events("next")[1]; !strings.Contains(e.Deliveries[0].Error, "NoSuchBucket") {
		t.Errorf("%+v", e.Deliveries)
	}

	for _, name := range []string{"f", "next"} {
		must(a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: zipped(t, "index.js", "exports.handler = async () => 1")}))(t)
	}
	a.pass()
	send("f", aws.String(prefix+"function:next"), nil)
	send("next", aws.String(prefix+"function:f"), nil)
	a.event("f", "", `{"round":1}`)
	all := must(a.server.Events(t.Context()))(t)
	if last := all[len(all)-1]; last.Condition != events.Dropped || !strings.Contains(last.Note, "recursive loop") {
		t.Errorf("the circle ended with %s %s", last.Condition, last.Note)
	}
}

// Events that wait are part of the state; those of a function that is gone are
// dropped, and those that can't be run say so.
func TestEventsAreKept(t *testing.T) {
	dir := t.TempDir()
	a := open(t, emulator.Options{State: dir})
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped(t, "index.js", throwing) })
	a.create("g", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped(t, "index.js", throwing) })
	a.create("python", func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimePython313 })
	a.pass()
	a.event("python", "", "1")
	if e := a.events("python"); e[0].Condition != events.NotRun || !strings.Contains(e[0].Note, "python3.13") {
		t.Errorf("%+v", e[0])
	}
	a.event("f", "", `{"fail":"once"}`)
	a.event("g", "", `{"fail":"once"}`)
	a.events("f")
	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("g")}))(t)
	must(a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipped(t, "index.js", "exports.handler = async () => 'mended'")}))(t)
	if err := a.server.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, emulator.Options{State: dir})
	again.server.Advance(a.server.Now().Sub(again.server.Now()) + time.Minute)
	if e := again.events("f"); len(e) != 1 || e[0].Condition != events.Success || e[0].Invocations != 2 {
		t.Errorf("%+v", e)
	}
	if e := again.events("g"); len(e) != 1 || e[0].Condition != events.Dropped {
		t.Errorf("%+v", e)
	}
}
