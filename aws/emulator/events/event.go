package events

import (
	"encoding/json"
	"time"
)

// How an event ends. The first four are what invocation records hold as their
// condition (invocation-async-retain-records.html; ZeroReservedConcurrency is
// recorded in LocalStack's test_reserved_concurrency_async_queue). The others
// are not AWS's words: nothing is sent for them.
const (
	Success                 = "Success"
	RetriesExhausted        = "RetriesExhausted"
	EventAgeExceeded        = "EventAgeExceeded"
	ZeroReservedConcurrency = "ZeroReservedConcurrency"

	// NotRun is a function that this account can't run, as its runtime isn't here.
	NotRun = "NotRun"
	// Dropped is an event whose function or alias is gone, or that has gone round
	// in a circle.
	Dropped = "Dropped"
)

// Event is one asynchronous invocation.
type Event struct {
	ID              string          `json:"id"` // the request's, the same at every attempt
	Account         string          `json:"account"`
	Region          string          `json:"region"`
	Function        string          `json:"function"`
	Qualifier       string          `json:"qualifier"` // as the client gave it
	ARN             string          `json:"arn"`       // with the qualifier, which is $LATEST when there is none
	Payload         json.RawMessage `json:"payload"`
	Context         []byte          `json:"context,omitempty"` // the client's
	Queued          time.Time       `json:"queued"`
	Due             time.Time       `json:"due"`                 // when it is tried next
	Invocations     int             `json:"invocations"`         // attempts that have reached the function
	Throttles       int             `json:"throttles,omitempty"` // attempts in a row that have not
	Depth           int             `json:"depth,omitempty"`     // destinations it has come through
	Condition       string          `json:"condition,omitempty"` // "" until it has ended
	Note            string          `json:"note,omitempty"`      // why, where the condition doesn't say
	Ended           time.Time       `json:"ended,omitzero"`
	ExecutedVersion string          `json:"executedVersion,omitempty"`
	Deliveries      []Delivery      `json:"deliveries,omitempty"` // in the order they were sent
}

// Kind is why something is sent.
type Kind string

// The kinds.
const (
	OnSuccess  Kind = "on-success"
	OnFailure  Kind = "on-failure"
	DeadLetter Kind = "dead-letter"
)

// Delivery is what Lambda sends when an event has ended.
type Delivery struct {
	Kind Kind   `json:"kind"`
	To   string `json:"to"` // ARN
	// Message is an invocation record, or the event's payload for a dead letter.
	Message json.RawMessage `json:"message"`
	// Attributes are those of a message to a dead-letter queue.
	Attributes map[string]string `json:"attributes,omitempty"`
	// DetailType is that of an event on a bus.
	DetailType string `json:"detailType,omitempty"`
	// Key is that of an object in a bucket.
	Key string `json:"key,omitempty"`
	// Error says why it did not arrive; "" for what this account can't know.
	Error string `json:"error,omitempty"`
}

// Settings are how a function treats its events, as they are when an attempt ends.
type Settings struct {
	Retries              int           // after function errors; Lambda's default is 2
	Age                  time.Duration // how long an event is kept; Lambda's default is 6 hours
	OnSuccess, OnFailure string        // ARNs
	DeadLetter           string        // ARN
}

// Defaults of FunctionEventInvokeConfig (invocation-async-error-handling.html;
// SDK, PutFunctionEventInvokeConfigInput).
const (
	DefaultRetries = 2
	DefaultAge     = 6 * time.Hour
)

// Outcome is what an attempt came to. One of Throttled, Zero, Expired, Gone and
// Refused may be set; without any the function has run.
type Outcome struct {
	Settings      Settings
	Payload       []byte // what the function answered: JSON
	FunctionError string // "" when it succeeded
	Version       string // that ran

	Throttled bool   // no concurrency left
	Zero      bool   // none was reserved
	Expired   bool   // it had become too old before
	Gone      string // there is no such function any more: the refusal
	Refused   string // this account can't run it: the reason
}
