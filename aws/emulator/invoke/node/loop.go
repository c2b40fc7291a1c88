package node

import (
	"context"
	"time"

	"github.com/dop251/goja"
)

// timer is one setTimeout, setInterval or setImmediate.
type timer struct {
	id     int64
	due    time.Time
	every  time.Duration // 0 fires once
	held   bool          // keeps the loop alive; unref clears it
	call   goja.Callable
	args   []goja.Value
	object *goja.Object
}

// loop is the part of Node.js's event loop that timers need. It belongs to one
// machine and is only touched by the goroutine that runs it.
type loop struct {
	vm     *goja.Runtime
	timers []*timer
	last   int64
}

func (l *loop) install() error {
	add := func(repeat bool) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value { return l.add(call, repeat, call.Argument(1).ToInteger(), 2) }
	}
	for name, f := range map[string]func(goja.FunctionCall) goja.Value{
		"setTimeout": add(false), "setInterval": add(true),
		"setImmediate": func(call goja.FunctionCall) goja.Value { return l.add(call, false, 0, 1) },
		"clearTimeout": l.clear, "clearInterval": l.clear, "clearImmediate": l.clear,
	} {
		if err := l.vm.Set(name, f); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) add(call goja.FunctionCall, repeat bool, delay int64, args int) goja.Value {
	f, ok := goja.AssertFunction(call.Argument(0))
	if !ok {
		panic(l.vm.NewTypeError("The \"callback\" argument must be of type function."))
	}
	// Node.js takes anything outside 1 ms to 2^31-1 ms for 1 ms.
	if delay < 1 || delay > 1<<31-1 {
		delay = 1
	}
	wait := time.Duration(delay) * time.Millisecond
	l.last++
	t := &timer{id: l.last, due: time.Now().Add(wait), held: true, call: f}
	if repeat {
		t.every = wait
	}
	if len(call.Arguments) > args {
		t.args = call.Arguments[args:]
	}
	t.object = l.vm.NewObject()
	id := t.id
	hold := func(held bool) func(goja.FunctionCall) goja.Value {
		return func(goja.FunctionCall) goja.Value { t.held = held; return t.object }
	}
	for name, v := range map[string]any{
		"ref": hold(true), "unref": hold(false), "hasRef": func() bool { return t.held },
		"refresh": func(goja.FunctionCall) goja.Value { t.due = time.Now().Add(wait); return t.object },
		"close":   func(goja.FunctionCall) goja.Value { l.drop(id); return t.object },
		"id":      id,
	} {
		if err := t.object.Set(name, v); err != nil {
			panic(err)
		}
	}
	if err := t.object.SetSymbol(goja.SymToPrimitive, func() int64 { return id }); err != nil {
		panic(err)
	}
	l.timers = append(l.timers, t)
	return t.object
}

func (l *loop) clear(call goja.FunctionCall) goja.Value {
	switch arg := call.Argument(0); v := arg.(type) {
	case *goja.Object:
		if id := v.Get("id"); id != nil {
			l.drop(id.ToInteger())
		}
	default:
		if !goja.IsUndefined(arg) && !goja.IsNull(arg) {
			l.drop(arg.ToInteger())
		}
	}
	return goja.Undefined()
}

func (l *loop) drop(id int64) {
	for i, t := range l.timers {
		if t.id == id {
			l.timers = append(l.timers[:i], l.timers[i+1:]...)
			return
		}
	}
}

// turn waits for the next timer and fires it. It reports false when nothing holds
// the loop any more. The error is what the callback threw, or the context's.
func (l *loop) turn(ctx context.Context) (bool, error) {
	var next *timer
	held := false
	for _, t := range l.timers {
		held = held || t.held
		if next == nil || t.due.Before(next.due) {
			next = t
		}
	}
	if !held {
		return false, nil
	}
	if wait := time.Until(next.due); wait > 0 {
		alarm := time.NewTimer(wait)
		defer alarm.Stop()
		select {
		case <-alarm.C:
		case <-ctx.Done():
			return true, ctx.Err()
		}
	}
	if next.every > 0 {
		next.due = time.Now().Add(next.every)
	} else {
		l.drop(next.id)
	}
	_, err := next.call(goja.Undefined(), next.args...)
	return true, err
}
