package invoke

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"github.com/optlift/optlift/aws/emulator/rootfs"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// initLimit is how long loading a function may take
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib).
const initLimit = 10 * time.Second

const timedOut = "Sandbox.Timedout"

// machine is a JavaScript engine with a function loaded. One goroutine at a time
// uses it.
type machine struct {
	vm      *goja.Runtime
	loop    *loop
	modules *modules
	launch  *launch
	handler goja.Value // the function to call
	driver  goja.Callable
	log     *logger // of the running invocation
	// unhandled are rejected promises that nobody handles yet.
	unhandled map[*goja.Promise]goja.Value
}

// exit is process.exit.
type exit struct{ code int64 }

// newMachine starts the engine and loads the handler.
func newMachine(ctx context.Context, req wire.Invocation, tree *rootfs.Tree, start *launch, log *logger) (*machine, *failure) {
	m := &machine{vm: goja.New(), launch: start, log: log, unhandled: map[*goja.Promise]goja.Value{}}
	// For eval, as for modules: source maps would be looked for on this machine's disk.
	m.vm.SetParserOptions(parser.WithDisableSourceMaps)
	m.vm.SetPromiseRejectionTracker(func(p *goja.Promise, op goja.PromiseRejectionOperation) {
		if op == goja.PromiseRejectionReject {
			m.unhandled[p] = p.Result()
		} else {
			delete(m.unhandled, p)
		}
	})
	m.loop = &loop{vm: m.vm}
	m.modules = newModules(m, tree)
	if err := m.globals(); err != nil {
		return nil, lambda("Runtime.Unknown", "start the JavaScript engine: %s", err)
	}
	stop := m.guard(ctx, time.Now().Add(initLimit))
	defer stop()
	if fail := m.preload(); fail != nil {
		return nil, fail
	}
	if fail := m.load(start.handler); fail != nil {
		return nil, fail
	}
	if major, _ := nodeMajor(start.runtime); major >= 24 {
		if o, ok := m.handler.(*goja.Object); ok && o.Get("length").ToInteger() >= 3 {
			// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html#nodejs-handler-callback
			return nil, &failure{kind: "Runtime.CallbackHandlerDeprecated", own: true, lasting: true,
				message: "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24."}
		}
	}
	return m, nil
}

// guard interrupts the engine when time is up or ctx ends.
func (m *machine) guard(ctx context.Context, deadline time.Time) (stop func()) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	release := context.AfterFunc(ctx, func() { m.vm.Interrupt(ctx.Err()) })
	return func() {
		release()
		cancel()
		m.vm.ClearInterrupt()
	}
}

// preload loads the modules that NODE_OPTIONS asks to load first: this is how
// internal extensions get in.
func (m *machine) preload() *failure {
	words := strings.Fields(m.launch.env["NODE_OPTIONS"])
	for i := 0; i < len(words); i++ {
		name, value, inline := strings.Cut(words[i], "=")
		by := commonJS
		switch name {
		case "-r", "--require":
			if !inline {
				if i++; i >= len(words) {
					continue
				}
				value = words[i]
			}
		case "--import":
			if !inline {
				if i++; i >= len(words) {
					continue
				}
				value = words[i]
			}
			by = esModule
		default:
			continue
		}
		if _, err := m.modules.require(m.launch.dir, value, by); err != nil {
			fail := lambda("Runtime.ExitError", "Runtime exited with error: exit status 1")
			fail.note = message(err)
			return fail
		}
	}
	return nil
}

// load finds and loads the handler "dir/module.export.path".
func (m *machine) load(handler string) *failure {
	dir, base := path.Split(handler)
	module, export, ok := strings.Cut(base, ".")
	if !ok || module == "" || export == "" {
		return &failure{kind: "Runtime.MalformedHandlerName", message: "Bad handler", own: true, trace: []string{"MalformedHandlerName: Bad handler"}, lasting: true}
	}
	exports, err := m.modules.handler(dir + module)
	if err != nil {
		return m.loadFailure(err)
	}
	value := goja.Value(exports)
	for _, name := range strings.Split(export, ".") {
		o, ok := value.(*goja.Object)
		if !ok {
			value = nil
			break
		}
		if value = o.Get(name); value == nil {
			break
		}
	}
	if value == nil || goja.IsUndefined(value) {
		text := handler + " is undefined or not exported"
		return &failure{kind: "Runtime.HandlerNotFound", message: text, own: true, trace: []string{"Runtime.HandlerNotFound: " + text}, lasting: true}
	}
	if _, ok := goja.AssertFunction(value); !ok {
		text := handler + " is not a function"
		return &failure{kind: "Runtime.HandlerNotFound", message: text, own: true, trace: []string{"Runtime.HandlerNotFound: " + text}, lasting: true}
	}
	m.handler = value
	return nil
}

// loadFailure translates what went wrong while loading, in the words of the
// Node.js runtime interface client (github.com/aws/aws-lambda-nodejs-runtime-interface-client).
func (m *machine) loadFailure(err error) *failure {
	if fail := m.interrupted(err, initLimit); fail != nil {
		return fail
	}
	var cannot *notRunnableError
	if errors.As(err, &cannot) {
		return notRunnable("%s", cannot.text)
	}
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		return &failure{kind: "Runtime.UserCodeSyntaxError", message: "SyntaxError: " + syntax.text, own: true, lasting: true,
			trace: []string{"Runtime.UserCodeSyntaxError: SyntaxError: " + syntax.text}}
	}
	fail := m.thrown(err)
	fail.lasting = true
	if code := property(err, "code"); code == "MODULE_NOT_FOUND" || code == "ERR_MODULE_NOT_FOUND" {
		fail.kind, fail.message = "Runtime.ImportModuleError", "Error: "+fail.message
		fail.trace = append([]string{}, strings.Split(fail.kind+": "+fail.message, "\n")...)
	}
	return fail
}

// interrupted recognises the end of time, a cancelled caller and process.exit.
func (m *machine) interrupted(err error, limit time.Duration) *failure {
	var stopped *goja.InterruptedError
	var why any
	if errors.As(err, &stopped) {
		why = stopped.Value()
	} else if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		why = err
	}
	switch v := why.(type) {
	case nil:
		return nil
	case exit:
		if v.code == 0 {
			return lambda("Runtime.ExitError", "Runtime exited without providing a reason")
		}
		return lambda("Runtime.ExitError", "Runtime exited with error: exit status %d", v.code)
	case error:
		if errors.Is(v, context.Canceled) {
			return lambda("Sandbox.Failure", "the invocation was cancelled")
		}
	}
	return lambda(timedOut, "Task timed out after %.2f seconds", limit.Seconds())
}

// frame is a line of the engine's stack traces, with a position of its own at
// the end.
var frame = regexp.MustCompile(`^\s*at (.*)\(\d+\)(\)?)$`)

// thrown translates an exception of the function's own.
func (m *machine) thrown(err error) *failure {
	var exception *goja.Exception
	if !errors.As(err, &exception) {
		return &failure{kind: "Error", message: err.Error(), own: true, trace: []string{}}
	}
	return m.rejected(exception.Value())
}

// rejected is thrown for a bare value.
func (m *machine) rejected(value goja.Value) *failure {
	o, isObject := value.(*goja.Object)
	if !isObject {
		kind := "undefined"
		text := "undefined"
		if value != nil && !goja.IsUndefined(value) {
			kind, text = value.ExportType().Kind().String(), value.String()
			switch kind {
			case "int64", "float64":
				kind = "number"
			case "bool":
				kind = "boolean"
			}
		}
		return &failure{kind: kind, message: text, own: true, trace: []string{}}
	}
	fail := &failure{kind: "Error", own: true, trace: []string{}}
	if name := o.Get("name"); name != nil && !goja.IsUndefined(name) {
		fail.kind = name.String()
	}
	switch text := o.Get("message"); {
	case text != nil && !goja.IsUndefined(text):
		fail.message = text.String()
	default:
		fail.message = o.String()
	}
	if kind := o.Get("name"); (kind == nil || goja.IsUndefined(kind)) && o.Get("message") == nil {
		fail.kind = "object"
	}
	if stack := o.Get("stack"); stack != nil && !goja.IsUndefined(stack) {
		for _, line := range strings.Split(strings.TrimRight(stack.String(), "\n"), "\n") {
			if strings.HasSuffix(line, " (native)") {
				continue // frames of the engine's own
			}
			if f := frame.FindStringSubmatch(line); f != nil {
				line = "    at " + f[1] + f[2]
			}
			fail.trace = append(fail.trace, line)
		}
	}
	return fail
}

// message is the text of an exception, or of any error.
func message(err error) string {
	var exception *goja.Exception
	if errors.As(err, &exception) {
		return exception.Value().String()
	}
	return err.Error()
}

// property reads a property of a thrown object, "" where there is none.
func property(err error, name string) string {
	var exception *goja.Exception
	if !errors.As(err, &exception) {
		return ""
	}
	o, ok := exception.Value().(*goja.Object)
	if !ok {
		return ""
	}
	v := o.Get(name)
	if v == nil || goja.IsUndefined(v) {
		return ""
	}
	return v.String()
}

// outcome is what a handler came to.
type outcome struct {
	done   bool
	failed bool
	value  goja.Value
}

// run calls the handler once.
func (e *environment) run(ctx context.Context, req wire.Invocation, log *logger, deadline time.Time) ([]byte, *failure) {
	m := e.machine
	m.log = log
	limit := time.Until(deadline).Round(time.Second)
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
		return nil, lambda("Runtime.Unknown", "make the context: %s", err)
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
			fail.lasting = true // an uncaught exception ends the process
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
		return nil, &failure{kind: "Runtime.NodeJsExit", own: true, lasting: true,
			message: "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes"}
	}
	return m.stringify(end.value)
}

// neglected reports a rejected promise that nobody handles.
func (m *machine) neglected() *failure {
	for p, reason := range m.unhandled {
		delete(m.unhandled, p)
		fail := m.rejected(reason)
		text := fail.message
		if fail.kind != "" {
			text = fail.kind + ": " + text
		}
		return &failure{kind: "Runtime.UnhandledPromiseRejection", message: text, trace: fail.trace, own: true, lasting: true}
	}
	return nil
}

func (m *machine) json(name string, arg goja.Value) (goja.Value, error) {
	object := m.vm.Get("JSON").ToObject(m.vm)
	f, ok := goja.AssertFunction(object.Get(name))
	if !ok {
		return nil, fmt.Errorf("JSON.%s is not a function", name)
	}
	return f(object, arg)
}

func (m *machine) parse(payload []byte) (goja.Value, error) {
	return m.json("parse", m.vm.ToValue(string(payload)))
}

func (m *machine) stringify(value goja.Value) ([]byte, *failure) {
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
func (m *machine) context(req wire.Invocation, deadline time.Time, waits *bool) (*goja.Object, error) {
	o := m.vm.NewObject()
	values := map[string]any{
		"functionName": aws.ToString(req.Function.FunctionName), "functionVersion": aws.ToString(req.Function.Version),
		"invokedFunctionArn": req.ARN, "memoryLimitInMB": fmt.Sprint(aws.ToInt32(req.Function.MemorySize)),
		"awsRequestId": req.Call.ID, "logGroupName": m.launch.env["AWS_LAMBDA_LOG_GROUP_NAME"],
		"logStreamName":            m.launch.env["AWS_LAMBDA_LOG_STREAM_NAME"],
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
