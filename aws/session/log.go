package session

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
)

// Call is one AWS call as the session remembers it. It holds no secret and no
// control character.
type Call struct {
	At        time.Time
	Service   string // "Lambda"
	Operation string // "GetFunction"
	Region    string
	Target    string // name or ARN that the call was about; "" for none
	Duration  time.Duration
	Attempts  int    // requests sent; 0 when the guard refused it
	Error     string // explained; "" when it worked
}

// logSize bounds the memory of a session.
const logSize = 500

// Log is a ring of the last calls. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	calls []Call
	next  int
	total int
}

func newLog() *Log { return &Log{calls: make([]Call, 0, logSize)} }

func (l *Log) add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if len(l.calls) < logSize {
		l.calls = append(l.calls, c)
		return
	}
	l.calls[l.next] = c
	l.next = (l.next + 1) % logSize
}

// Calls returns the remembered calls, oldest first, and how many there were in
// the session's life.
func (l *Log) Calls() (calls []Call, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls = append(calls, l.calls[l.next:]...)
	return append(calls, l.calls[:l.next]...), l.total
}

// record remembers a call and names region and profile in its error.
func (s *Session) record(service, op, region string) middleware.InitializeMiddleware {
	return middleware.InitializeMiddlewareFunc("optlift.record",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			start := time.Now()
			out, meta, err := next.HandleInitialize(ctx, in)
			call := Call{
				At: start, Service: service, Operation: op, Region: region,
				Target: Clean(target(in.Parameters)), Duration: time.Since(start),
			}
			if results, ok := retry.GetAttemptResults(meta); ok {
				call.Attempts = len(results.Results)
			}
			if err != nil {
				err = &callError{service: service, op: op, region: region, profile: s.Profile, err: err}
				call.Error = Explain(err)
			}
			s.log.add(call)
			return out, meta, err
		})
}

// targetFields are the input members that say what a call is about, the most
// telling first. None of them is ever a secret.
var targetFields = []string{
	"FunctionName", "Arn", "LayerName", "UUID", "ResourceArn", "Resource", "RepositoryName", "RepositoryNames", "EventSourceArn", "Bucket", "RoleName", "PolicySourceArn",
}

// target reads one of targetFields from an SDK input; they share no interface.
func target(input any) string {
	v := reflect.ValueOf(input)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return ""
	}
	for _, name := range targetFields {
		f := v.Elem().FieldByName(name)
		switch {
		case !f.IsValid():
		case f.Kind() == reflect.Pointer && !f.IsNil() && f.Elem().Kind() == reflect.String:
			return f.Elem().String()
		case f.Kind() == reflect.Slice && f.Len() > 0 && f.Index(0).Kind() == reflect.String:
			return f.Index(0).String()
		}
	}
	return ""
}
