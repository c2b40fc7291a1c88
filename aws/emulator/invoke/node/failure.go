package node

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/dop251/goja"
)

// Failure is why an invocation has no result.
type Failure struct {
	Kind    string // errorType
	Message string
	Trace   []string // nil has no trace member
	// Own is set for errors of the function's own; others are Lambda's and carry
	// the request id in front.
	Own bool
	// Note is a further line for the log; "" is none.
	Note string
	// Lasting leaves the environment unusable.
	Lasting bool
}

// TimedOut is the Kind of an invocation that took too long.
const TimedOut = "Sandbox.Timedout"

// Lambda makes a failure of Lambda's own, which ends the environment.
func Lambda(kind, format string, args ...any) *Failure {
	return &Failure{Kind: kind, Message: fmt.Sprintf(format, args...), Lasting: true}
}

const notRunnable = "Runtime.NotRunnable"

// Runnable reports whether a failure is the function's, and not that this account
// can't run it.
func (f *Failure) Runnable() bool { return f.Kind != notRunnable }

// NotRunnable is for what the account can't run; it has no request id, so that
// the answers for a zip and an image function are equal.
func NotRunnable(format string, args ...any) *Failure {
	return &Failure{Kind: notRunnable, Message: fmt.Sprintf(format, args...), Own: true, Lasting: true}
}

// loadFailure translates what went wrong while loading, in the words of the
// Node.js runtime interface client (github.com/aws/aws-lambda-nodejs-runtime-interface-client).
func (m *Machine) loadFailure(err error) *Failure {
	if fail := m.interrupted(err, initLimit); fail != nil {
		return fail
	}
	var cannot *notRunnableError
	if errors.As(err, &cannot) {
		return NotRunnable("%s", cannot.text)
	}
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		return &Failure{Kind: "Runtime.UserCodeSyntaxError", Message: "SyntaxError: " + syntax.text, Own: true, Lasting: true,
			Trace: []string{"Runtime.UserCodeSyntaxError: SyntaxError: " + syntax.text}}
	}
	fail := m.thrown(err)
	fail.Lasting = true
	if code := property(err, "code"); code == "MODULE_NOT_FOUND" || code == "ERR_MODULE_NOT_FOUND" {
		fail.Kind, fail.Message = "Runtime.ImportModuleError", "Error: "+fail.Message
		fail.Trace = append([]string{}, strings.Split(fail.Kind+": "+fail.Message, "\n")...)
	}
	return fail
}

// interrupted recognises the end of time, a cancelled caller and process.exit.
func (m *Machine) interrupted(err error, limit time.Duration) *Failure {
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
			return Lambda("Runtime.ExitError", "Runtime exited without providing a reason")
		}
		return Lambda("Runtime.ExitError", "Runtime exited with error: exit status %d", v.code)
	case error:
		if errors.Is(v, context.Canceled) {
			return Lambda("Sandbox.Failure", "the invocation was cancelled")
		}
	}
	return Lambda(TimedOut, "Task timed out after %.2f seconds", limit.Seconds())
}

// frame is a line of the engine's stack traces, with a position of its own at
// the end.
var frame = regexp.MustCompile(`^\s*at (.*)\(\d+\)(\)?)$`)

// thrown translates an exception of the function's own.
func (m *Machine) thrown(err error) *Failure {
	var exception *goja.Exception
	if !errors.As(err, &exception) {
		return &Failure{Kind: "Error", Message: err.Error(), Own: true, Trace: []string{}}
	}
	return m.rejected(exception.Value())
}

// rejected is thrown for a bare value.
func (m *Machine) rejected(value goja.Value) *Failure {
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
		return &Failure{Kind: kind, Message: text, Own: true, Trace: []string{}}
	}
	fail := &Failure{Kind: "Error", Own: true, Trace: []string{}}
	if name := o.Get("name"); name != nil && !goja.IsUndefined(name) {
		fail.Kind = name.String()
	}
	switch said := o.Get("message"); {
	case said != nil && !goja.IsUndefined(said):
		fail.Message = said.String()
	default:
		fail.Message = o.String()
	}
	if kind := o.Get("name"); (kind == nil || goja.IsUndefined(kind)) && o.Get("message") == nil {
		fail.Kind = "object"
	}
	if stack := o.Get("stack"); stack != nil && !goja.IsUndefined(stack) {
		for _, line := range strings.Split(strings.TrimRight(stack.String(), "\n"), "\n") {
			if strings.HasSuffix(line, " (native)") {
				continue // frames of the engine's own
			}
			if f := frame.FindStringSubmatch(line); f != nil {
				line = "    at " + f[1] + f[2]
			}
			fail.Trace = append(fail.Trace, line)
		}
	}
	return fail
}

// text is the text of an exception, or of any error.
func text(err error) string {
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
