package node

import (
	"context"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// initLimit is how long loading a function may take
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib).
const initLimit = 10 * time.Second

// Config is how a function's process is started.
type Config struct {
	Runtime string // Lambda's identifier, "nodejs22.x"
	Handler string
	Dir     string // working directory
	Arch    string // Node.js's name of it, "x64" or "arm64"
	Env     map[string]string
	Tree    *rootfs.Tree
}

// Log takes what a function writes.
type Log interface {
	// Message is a line of the function's console; level is "INFO", "ERROR", ….
	Message(level, text string)
	// Raw is a line that the function wrote to its standard output itself.
	Raw(line string)
}

// Machine is a JavaScript engine with a function loaded. One goroutine at a time
// may use it. After a Failure that is Lasting it is of no more use.
type Machine struct {
	vm      *goja.Runtime
	loop    *loop
	modules *modules
	config  Config
	handler goja.Value // the function to call
	driver  goja.Callable
	log     Log // of the running invocation
	// unhandled are rejected promises that nobody handles yet.
	unhandled map[*goja.Promise]goja.Value
}

// exit is process.exit.
type exit struct{ code int64 }

// Start starts the engine and loads the handler. The machine is nil exactly when
// there is a failure.
func Start(ctx context.Context, config Config, log Log) (*Machine, *Failure) {
	m := &Machine{vm: goja.New(), config: config, log: log, unhandled: map[*goja.Promise]goja.Value{}}
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
	m.modules = newModules(m, config.Tree)
	if err := m.globals(); err != nil {
		return nil, Lambda("Runtime.Unknown", "start the JavaScript engine: %s", err)
	}
	stop := m.guard(ctx, time.Now().Add(initLimit))
	defer stop()
	if fail := m.preload(); fail != nil {
		return nil, fail
	}
	if fail := m.load(config.Handler); fail != nil {
		return nil, fail
	}
	if major, _ := Major(config.Runtime); major >= 24 {
		if o, ok := m.handler.(*goja.Object); ok && o.Get("length").ToInteger() >= 3 {
			// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html#nodejs-handler-callback
			return nil, &Failure{Kind: "Runtime.CallbackHandlerDeprecated", Own: true, Lasting: true,
				Message: "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24."}
		}
	}
	return m, nil
}

// guard interrupts the engine when time is up or ctx ends.
func (m *Machine) guard(ctx context.Context, deadline time.Time) (stop func()) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	interrupted := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		m.vm.Interrupt(ctx.Err())
		close(interrupted)
	})
	return func() {
		if !release() {
			<-interrupted // or it would hit the next invocation
		}
		cancel()
		m.vm.ClearInterrupt()
	}
}

// preload loads the modules that NODE_OPTIONS asks to load first: this is how
// internal extensions get in.
func (m *Machine) preload() *Failure {
	words := strings.Fields(m.config.Env["NODE_OPTIONS"])
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
		if _, err := m.modules.require(m.config.Dir, value, by); err != nil {
			fail := Lambda("Runtime.ExitError", "Runtime exited with error: exit status 1")
			fail.Note = text(err)
			return fail
		}
	}
	return nil
}

// load finds and loads the handler "dir/module.export.path".
func (m *Machine) load(handler string) *Failure {
	dir, base := path.Split(handler)
	module, export, ok := strings.Cut(base, ".")
	if !ok || module == "" || export == "" {
		return &Failure{Kind: "Runtime.MalformedHandlerName", Message: "Bad handler", Own: true, Trace: []string{"MalformedHandlerName: Bad handler"}, Lasting: true}
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
		return &Failure{Kind: "Runtime.HandlerNotFound", Message: text, Own: true, Trace: []string{"Runtime.HandlerNotFound: " + text}, Lasting: true}
	}
	if _, ok := goja.AssertFunction(value); !ok {
		text := handler + " is not a function"
		return &Failure{Kind: "Runtime.HandlerNotFound", Message: text, Own: true, Trace: []string{"Runtime.HandlerNotFound: " + text}, Lasting: true}
	}
	m.handler = value
	return nil
}

// Major reads the version out of "nodejs22.x"; ok is false for any other runtime.
func Major(runtime string) (major int, ok bool) {
	digits, ok := strings.CutPrefix(runtime, "nodejs")
	if !ok {
		return 0, false
	}
	major, err := strconv.Atoi(strings.TrimSuffix(digits, ".x"))
	return major, err == nil
}
