package functions

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/events"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// queue accepts an asynchronous invocation. A function without concurrency is no
// reason to refuse one
// (docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
func (s *Store) queue(c wire.Call, n name, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	s.mu.Lock()
	_, _, err := s.invocable(c, n)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	e := events.Event{ID: c.ID, Payload: in.Payload}
	if in.ClientContext != nil {
		e.Context, _ = base64.StdEncoding.DecodeString(*in.ClientContext)
	}
	s.enqueue(c, n, e)
	return &lambda.InvokeOutput{StatusCode: 202}, nil
}

// enqueue addresses an event to n: records name $LATEST where the client did not
// (the example of docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
func (s *Store) enqueue(c wire.Call, n name, e events.Event) {
	e.Account, e.Region, e.Function, e.Qualifier, e.ARN = c.Account, c.Region, n.Function, n.Qualifier, n.arn(c)
	if n.Qualifier == "" {
		e.ARN += ":$LATEST"
	}
	s.events.Add(e)
}

// longestCircle is how often an event may come round by destinations: "Lambda
// drops the event after approximately 16 invocations" of one chain
// (docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
const longestCircle = 16

// attempt runs the function of an event once.
func (s *Store) attempt(ctx context.Context, e events.Event) events.Outcome {
	c := wire.Call{ID: e.ID, Account: e.Account, Region: e.Region, Operation: "Invoke", Now: s.opts.Now()}
	n := name{Function: e.Function, Qualifier: e.Qualifier}
	o, known := s.handling(c, n)
	if !known {
		return events.Outcome{Gone: noFunction(n.arn(c)).Message}
	}
	if e.Depth >= longestCircle && !s.circles(c, n) {
		return events.Outcome{Gone: "Lambda found a recursive loop and dropped the event."}
	}
	if o.Expired = c.Now.Sub(e.Queued) > o.Settings.Age; o.Expired || o.Zero {
		return o
	}
	var client *string
	if e.Context != nil {
		client = ptr(base64.StdEncoding.EncodeToString(e.Context))
	}
	req, leave, err := s.prepare(c, n, client, e.Payload, false)
	if err != nil {
		var refusal *wire.Error
		if errors.As(err, &refusal) && refusal.Code == "InvalidRuntimeException" {
			o.Refused = refusal.Message
		}
		o.Throttled = o.Refused == "" // no concurrency, or not ready yet: the event goes back
		return o
	}
	res := s.opts.Invoker.Invoke(ctx, req)
	leave()
	if res.Err != nil {
		res.NotRun = res.Err.Message
	}
	if o.Refused = res.NotRun; o.Refused != "" {
		return o
	}
	o.Payload, o.FunctionError, o.Version = res.Payload, res.FunctionError, *req.Function.Version
	// What is configured may have changed while the function ran.
	if now, known := s.handling(c, n); known {
		o.Settings = now.Settings
	}
	return o
}

// handling is how a function treats its events now; it reports false when the
// function, the version or the alias is gone.
func (s *Store) handling(c wire.Call, n name) (events.Outcome, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _, err := s.lookup(c, n)
	if err != nil {
		return events.Outcome{}, false
	}
	set := events.Settings{Retries: events.DefaultRetries, Age: events.DefaultAge}
	if d := f.Latest.Config.DeadLetterConfig; d != nil { // versions use that of $LATEST (invocation-async-retain-records.html)
		set.DeadLetter = val(d.TargetArn)
	}
	if cfg := f.Async[cmp.Or(n.Qualifier, "$LATEST")]; cfg != nil {
		if cfg.MaximumRetryAttempts != nil {
			set.Retries = int(*cfg.MaximumRetryAttempts)
		}
		if cfg.MaximumEventAgeInSeconds != nil {
			set.Age = time.Duration(*cfg.MaximumEventAgeInSeconds) * time.Second
		}
		if d := cfg.DestinationConfig; d != nil && d.OnSuccess != nil {
			set.OnSuccess = val(d.OnSuccess.Destination)
		}
		if d := cfg.DestinationConfig; d != nil && d.OnFailure != nil {
			set.OnFailure = val(d.OnFailure.Destination)
		}
	}
	return events.Outcome{Settings: set, Zero: f.Reserved != nil && *f.Reserved == 0}, true
}

// circles reports whether a function is allowed to be part of a loop.
func (s *Store) circles(c wire.Call, n name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _, err := s.lookup(c, n)
	return err == nil && f.Recursion == types.RecursiveLoopAllow
}

// deliver sends what goes to a function or a bucket of this account. Queues,
// topics and event buses are not here: what they would get is only recorded.
func (s *Store) deliver(_ context.Context, e events.Event, d *events.Delivery) {
	c := wire.Call{ID: uuid(), Account: e.Account, Region: e.Region, Operation: "Invoke", Now: s.opts.Now()}
	switch {
	case strings.Contains(d.To, ":s3:::"):
		_, bucket, _ := strings.Cut(d.To, ":s3:::")
		if s.opts.Buckets == nil {
			return
		}
		if err := s.opts.Buckets.Write(c.Account, c.Region, bucket, d.Key, d.Message, c.Now); err != nil {
			d.Error = err.Error()
		}
	case strings.Contains(d.To, ":lambda:"):
		n, err := splitName(c, d.To, nil)
		if err == nil {
			s.mu.Lock()
			_, _, err = s.invocable(c, n)
			s.mu.Unlock()
		}
		if err != nil {
			d.Error = err.Error()
			return
		}
		if len(d.Message) > mostAsync {
			d.Error = "The invocation record is larger than an asynchronous invocation may be."
			return
		}
		s.enqueue(c, n, events.Event{ID: c.ID, Payload: d.Message, Depth: e.Depth + 1})
	}
}

// Events waits until no asynchronous event is due or under way, and returns them.
func (s *Store) Events(ctx context.Context) ([]events.Event, error) { return s.events.List(ctx) }

// Wake tells the queue of events that the clock has been moved.
func (s *Store) Wake() { s.events.Wake() }
