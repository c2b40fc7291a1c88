package node

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/dop251/goja"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// outcome is what a handler came to.
type outcome struct {
	done   bool
	failed bool
	value  goja.Value
}

// Run calls the handler once, with the configured timeout, and returns its answer
// as JSON.
func (m *Machine) Run(ctx context.Context, req wire.Invocation, log Log, limit time.Duration) ([]byte, *Failure) {
	m.log = log
	deadline := time.Now().Add(limit)
	stop := m.guard(ctx, deadline)
	defer stop()
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()

	var end outcome
	waits := true
	settle := func(failed bool, value goja.Value) {
		if !end.done {
			end = outcome{true, failed, value}
		}
	}
	event, err := m.parse(req.Payload)
	if err != nil {
		return nil, m.thrown(err)
	}
	lambdaContext, err := m.context(req, deadline, &waits)
	if err != nil {
		return nil, Lambda("Runtime.Unknown", "make the context: %s", err)
	}
	mode, err := m.driver(goja.Undefined(), m.handler, event, lambdaContext, m.vm.ToValue(settle))
	if err != nil {
		if fail := m.interrupted(err, limit); fail != nil {
			return nil, fail
		}
		return nil, m.thrown(err)
	}
	promised := mode.String() == "promise"
	for {
		if fail := m.neglected(); fail != nil {
			return nil, fail
		}
		// A promise's answer goes out at once; a callback's when nothing is left
		// to do, unless the function says otherwise.
		if end.done && (promised || !waits || end.failed) {
			break
		}
		more, err := m.loop.turn(ctx)
		if err != nil {
			if fail := m.interrupted(err, limit); fail != nil {
				return nil, fail
			}
			fail := m.thrown(err)
			fail.Lasting = true // an uncaught exception ends the process
			return nil, fail
		}
		if !more {
			break
		}
	}
	switch {
	case end.failed:
		return nil, m.rejected(end.value)
	case !end.done && promised:
		return nil, &Failure{Kind: "Runtime.NodeJsExit", Own: true, Lasting: true,
			Message: "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes"}
	}
	return m.stringify(end.value)
}

// neglected reports a rejected promise that nobody handles.
func (m *Machine) neglected() *Failure {
	for p, reason := range m.unhandled {
		delete(m.unhandled, p)
		fail := m.rejected(reason)
		text := fail.Message
		if fail.Kind != "" {
			text = fail.Kind + ": " + text
		}
		return &Failure{Kind: "Runtime.UnhandledPromiseRejection", Message: text, Trace: fail.Trace, Own: true, Lasting: true}
	}
	return nil
}

func (m *Machine) json(name string, arg goja.Value) (goja.Value, error) {
	object := m.vm.Get("JSON").ToObject(m.vm)
	f, ok := goja.AssertFunction(object.Get(name))
	if !ok {
		return nil, fmt.Errorf("JSON.%s is not a function", name)
	}
	return f(object, arg)
}

func (m *Machine) parse(payload []byte) (goja.Value, error) {
	return m.json("parse", m.vm.ToValue(string(payload)))
}

func (m *Machine) stringify(value goja.Value) ([]byte, *Failure) {
	if value == nil || goja.IsUndefined(value) {
		return []byte("null"), nil
	}
	text, err := m.json("stringify", value)
	if err != nil {
		return nil, m.thrown(err)
	}
	if goja.IsUndefined(text) {
		return []byte("null"), nil
	}
	return []byte(text.String()), nil
}

// context is the handler's second argument
// (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html).
func (m *Machine) context(req wire.Invocation, deadline time.Time, waits *bool) (*goja.Object, error) {
	o := m.vm.NewObject()
	values := map[string]any{
		"functionName": aws.ToString(req.Function.FunctionName), "functionVersion": aws.ToString(req.Function.Version),
		"invokedFunctionArn": req.ARN, "memoryLimitInMB": fmt.Sprint(aws.ToInt32(req.Function.MemorySize)),
		"awsRequestId": req.Call.ID, "logGroupName": m.config.Env["AWS_LAMBDA_LOG_GROUP_NAME"],
		"logStreamName":            m.config.Env["AWS_LAMBDA_LOG_STREAM_NAME"],
		"getRemainingTimeInMillis": func() int64 { return max(time.Until(deadline).Milliseconds(), 0) },
	}
	if len(req.ClientContext) > 0 {
		client, err := m.parse(req.ClientContext)
		if err != nil {
			return nil, err
		}
		values["clientContext"] = client
	}
	for name, v := range values {
		if err := o.Set(name, v); err != nil {
			return nil, err
		}
	}
	get := m.vm.ToValue(func() bool { return *waits })
	set := m.vm.ToValue(func(v bool) { *waits = v })
	return o, o.DefineAccessorProperty("callbackWaitsForEmptyEventLoop", get, set, goja.FLAG_FALSE, goja.FLAG_TRUE)
}
