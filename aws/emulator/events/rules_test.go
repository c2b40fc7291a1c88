package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// settings are Lambda's defaults, with everything told to somebody.
func settings() Settings {
	return Settings{Retries: DefaultRetries, Age: DefaultAge, OnSuccess: "arn:aws:sqs:r:1:ok", OnFailure: "arn:aws:sqs:r:1:ko", DeadLetter: "arn:aws:sns:r:1:dead"}
}

// What an event does after outcomes in a row, each at the time it was due.
func TestWaits(t *testing.T) {
	set := settings()
	failed := Outcome{Settings: set, FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`), Version: "$LATEST"}
	throttled := Outcome{Settings: set, Throttled: true}
	short := throttled
	short.Settings.Age = time.Minute
	tired := failed
	tired.Settings.Age = 2 * time.Minute
	once := failed
	once.Settings.Retries = 0
	hours := make([]Outcome, 80)
	for i := range hours {
		hours[i] = throttled
	}
	for _, test := range []struct {
		name     string
		outcomes []Outcome
		waits    []time.Duration // seconds
		ends     string
		kinds    []Kind
	}{
		{"success", []Outcome{{Settings: set, Version: "1", Payload: []byte("1")}}, nil, Success, []Kind{OnSuccess}},
		{"errors", []Outcome{failed, failed, failed}, []time.Duration{60, 120}, RetriesExhausted, []Kind{OnFailure, DeadLetter}},
		{"no retries", []Outcome{once}, nil, RetriesExhausted, []Kind{OnFailure, DeadLetter}},
		{"too old to be tried a third time", []Outcome{tired, tired}, []time.Duration{60}, EventAgeExceeded, []Kind{OnFailure, DeadLetter}},
		{"throttled", []Outcome{short, short, short, short, short, short}, []time.Duration{1, 2, 4, 8, 16}, EventAgeExceeded, []Kind{OnFailure, DeadLetter}},
		{"throttled, then an error", []Outcome{throttled, throttled, failed, throttled}, []time.Duration{1, 2, 60, 1}, "", nil},
		{"for six hours", hours, nil, EventAgeExceeded, []Kind{OnFailure, DeadLetter}},
		{"no concurrency at all", []Outcome{{Settings: set, Zero: true}}, nil, ZeroReservedConcurrency, []Kind{OnFailure, DeadLetter}},
		{"expired", []Outcome{{Settings: set, Expired: true}}, nil, EventAgeExceeded, []Kind{OnFailure, DeadLetter}},
		{"gone", []Outcome{{Gone: "no such function"}}, nil, Dropped, nil},
		{"not run", []Outcome{{Settings: set, Refused: "no python"}}, nil, NotRun, nil},
	} {
		e := Event{ID: "id", ARN: "arn:aws:lambda:r:1:function:f:$LATEST", Payload: []byte(`{"a":1}`), Queued: start, Due: start}
		var waits []time.Duration
		now := start
		for _, o := range test.outcomes {
			if e.Condition != "" {
				break
			}
			e.after(o, now)
			if e.Condition == "" {
				waits = append(waits, e.Due.Sub(now)/time.Second)
				now = e.Due
			}
		}
		if test.name == "for six hours" { // 1 to 256 seconds, then five minutes each
			if n := len(waits); n < 70 || waits[9] != 300 || waits[n-1] != 300 || now.Sub(start) > DefaultAge {
				t.Errorf("%s: %d waits, the last at %s", test.name, n, now.Sub(start))
			}
			waits = nil
		}
		var kinds []Kind
		for _, d := range e.Deliveries {
			kinds = append(kinds, d.Kind)
		}
		if e.Condition != test.ends || !cmp.Equal(waits, test.waits) || !cmp.Equal(kinds, test.kinds) {
			t.Errorf("%s: waits %v and ends %q with %v", test.name, waits, e.Condition, kinds)
		}
	}
}

// An invocation record has the members of AWS's example; a dead letter is the
// event as it came, with the error in attributes.
func TestMessages(t *testing.T) {
	e := Event{ID: "id", Function: "f", ARN: "arn:aws:lambda:r:1:function:f:$LATEST", Payload: []byte(`{"a":1}`), Queued: start, Invocations: 2}
	long := strings.Repeat("ü", mostMessage)
	answer, err := json.Marshal(map[string]string{"errorMessage": long})
	if err != nil {
		t.Fatal(err)
	}
	set := settings()
	e.after(Outcome{Settings: set, FunctionError: "Unhandled", Payload: answer, Version: "3"}, start.Add(time.Hour))
	want := `{"version":"1.0","timestamp":"2026-01-02T04:04:05.000Z",` +
		`"requestContext":{"requestId":"id","functionArn":"arn:aws:lambda:r:1:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},` +
		`"requestPayload":{"a":1},"responseContext":{"statusCode":200,"executedVersion":"3","functionError":"Unhandled"},"responsePayload":` + string(answer) + `}`
	if got := string(e.Deliveries[0].Message); got != want {
		t.Errorf("record:\n%s\nwant\n%s", got, want)
	}
	dead := e.Deliveries[1]
	if string(dead.Message) != `{"a":1}` || dead.Attributes["RequestID"] != "id" || dead.Attributes["ErrorCode"] != "200" || dead.Attributes["ErrorMessage"] != long[:mostMessage] {
		t.Errorf("dead letter: %s %v", dead.Message, dead.Attributes)
	}

	// Without a run there is no response to tell of.
	e = Event{ID: "id", Function: "f", Payload: []byte("1"), Queued: start}
	set.OnFailure, set.DeadLetter = "arn:aws:s3:::records", "arn:aws:sqs:r:1:dead.fifo"
	e.after(Outcome{Settings: set, Zero: true}, start)
	if text := string(e.Deliveries[0].Message); strings.Contains(text, "response") {
		t.Error(text)
	}
	if key := e.Deliveries[0].Key; !strings.HasPrefix(key, "aws/lambda/async/f/2026/01/02/2026-01-02T03.04.05-") {
		t.Error(key)
	}
	if e.Deliveries[1].Error == "" {
		t.Error("a FIFO queue took a dead letter")
	}
	e = Event{Payload: []byte(`"` + strings.Repeat("x", mostSNS) + `"`), Queued: start}
	set = Settings{OnSuccess: "arn:aws:sns:r:1:t"}
	e.after(Outcome{Settings: set, Version: "1", Payload: []byte("1")}, start)
	if e.Deliveries[0].Error == "" {
		t.Error("SNS took more than it takes")
	}
}
