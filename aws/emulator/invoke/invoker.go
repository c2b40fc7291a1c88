package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/emulator/invoke/node"
	"github.com/optlift/optlift/aws/emulator/rootfs"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Images opens the file systems of image functions.
type Images interface {
	Open(ctx context.Context, image wire.Image) (*rootfs.Tree, *v1.ConfigFile, error)
}

// maxWarm is how many idle environments are kept for the next invocation.
const maxWarm = 16

// maxResponse is the largest synchronous response, in bytes
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxResponse = 6291556

// defaultTimeout is Lambda's, for a configuration that has none.
const defaultTimeout = 3 * time.Second

// Invoker runs functions. It is safe for concurrent use; every environment runs
// one invocation at a time.
type Invoker struct {
	images Images

	mu     sync.Mutex
	warm   []*environment    // idle, the longest unused first
	busy   map[string]int    // invocations under way, by key
	gone   map[string]uint64 // when a busy key was forgotten, by clock
	clock  uint64            // counts what was forgotten
	closed bool
}

// New makes an invoker.
func New(images Images) *Invoker {
	return &Invoker{images: images, busy: map[string]int{}, gone: map[string]uint64{}}
}

// Close drops all idle environments.
func (i *Invoker) Close() error {
	i.mu.Lock()
	idle := i.warm
	i.warm, i.closed = nil, true
	i.mu.Unlock()
	for _, e := range idle {
		e.close()
	}
	return nil
}

// Forget drops the environments of a function that was deleted or changed.
func (i *Invoker) Forget(key string) {
	i.mu.Lock()
	var dropped, kept []*environment
	for _, e := range i.warm {
		if e.key == key {
			dropped = append(dropped, e)
		} else {
			kept = append(kept, e)
		}
	}
	i.warm = kept
	if i.busy[key] > 0 { // those are dropped when they come back
		i.clock++
		i.gone[key] = i.clock
	}
	i.mu.Unlock()
	for _, e := range dropped {
		e.close()
	}
}

// take finds an idle environment, or nil; done must follow.
func (i *Invoker) take(key string) (*environment, uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.busy[key]++
	for at := len(i.warm) - 1; at >= 0; at-- {
		if e := i.warm[at]; e.key == key {
			i.warm = append(i.warm[:at], i.warm[at+1:]...)
			return e, i.clock
		}
	}
	return nil, i.clock
}

// done keeps an environment for the next invocation, if it can serve one: nil and
// a broken one can't.
func (i *Invoker) done(key string, e *environment, broken bool) {
	i.mu.Lock()
	drop := e
	if e != nil && !broken && !i.closed && i.gone[key] <= e.born {
		drop = nil
		if i.warm = append(i.warm, e); len(i.warm) > maxWarm {
			drop = i.warm[0]
			i.warm = i.warm[1:]
		}
	}
	if i.busy[key]--; i.busy[key] == 0 {
		delete(i.busy, key)
		delete(i.gone, key)
	}
	i.mu.Unlock()
	if drop != nil {
		drop.close()
	}
}

// payload is the error object that the client gets.
func payload(f *node.Failure, id string) []byte {
	message := f.Message
	if !f.Own {
		message = "RequestId: " + id + " Error: " + message
	}
	raw, err := marshal(struct {
		Type    string   `json:"errorType"`
		Message string   `json:"errorMessage"`
		Trace   []string `json:"trace,omitempty"`
	}{f.Kind, message, f.Trace})
	if err != nil { // strings always encode
		return []byte(`{}`)
	}
	return raw
}

// marshal is json.Marshal without escaping for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Invoke runs a function once. It returns early, with a cancelled context's
// error as the function's, when ctx ends.
func (i *Invoker) Invoke(ctx context.Context, req wire.Invocation) wire.InvocationResult {
	if len(req.Payload) == 0 {
		req.Payload = []byte("{}")
	}
	if !json.Valid(req.Payload) {
		e := wire.Errorf(400, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json")
		e.Lower, e.Fields = true, map[string]string{"Type": "User"}
		return wire.InvocationResult{Err: e}
	}
	timeout := time.Duration(aws.ToInt32(req.Function.Timeout)) * time.Second
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	log := newLog(req, time.Now)
	env, clock := i.take(req.Environment)
	log.start()
	var fail *node.Failure
	if env == nil {
		began := time.Now()
		env, fail = i.prepare(ctx, req, log)
		if env != nil {
			env.born = clock
		}
		log.initialised(time.Since(began))
	}
	began := time.Now()
	var result []byte
	if fail == nil {
		result, fail = env.machine.Run(ctx, req, log, timeout)
	}
	if fail == nil && len(result) > maxResponse {
		fail = &node.Failure{Kind: "Function.ResponseSizeTooLarge", Own: true,
			Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)}
	}
	i.done(req.Environment, env, fail != nil && fail.Lasting)
	log.end(time.Since(began), fail, timeout)
	out := wire.InvocationResult{Payload: result, Log: log.bytes()}
	if fail != nil {
		out.Payload, out.FunctionError = payload(fail, req.Call.ID), "Unhandled"
		if !fail.Runnable() {
			out.NotRun = fail.Message
		}
	}
	return out
}
