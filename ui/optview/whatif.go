package optview

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/changes"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// trial is the layers as they might be. Layers keep the number, and so letter and
// colour, of their real place; added ones get the next.
type trial struct {
	stack   whatif.Stack
	past    []whatif.Stack // before each change, the first one first
	pick    int            // the layer that is changed, by number; 0 for none yet
	job     *job.Job
	reading *reading // what the job reads, nil while it only merges
	failed  failure
	outcome *whatif.Outcome // nil for the layers as they are
	shown   whatif.Stack    // whose outcome that is: stack, once it is merged
}

// reading is a layer being opened.
type reading struct {
	ref  string
	step atomic.Pointer[string] // what is being done
}

// failure is why a layer was not tried; the zero value is none.
type failure struct{ ref, why string }

// tried is what the job brings.
type tried struct {
	root    *root
	stack   whatif.Stack
	outcome *whatif.Outcome // nil where that are the layers as they are
}

// borrowed are the layers that were opened to be tried. They stay open as long as
// the screen: any of them may be taken back.
type borrowed struct {
	mu     sync.Mutex
	layers []*target.Layer
	closed bool
}

// keep takes a layer over; after close it is closed at once.
func (b *borrowed) keep(l *target.Layer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = l.Close() // it was only read
		return
	}
	b.layers = append(b.layers, l)
}

func (b *borrowed) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	var errs []error
	for _, l := range b.layers {
		errs = append(errs, l.Close())
	}
	b.layers = nil
	return errors.Join(errs...)
}

// number is the number by which the n-th layer of the tree is known.
func (r *root) number(n int) int {
	if r.numbers == nil || n < 1 || n > len(r.numbers) {
		return n
	}
	return r.numbers[n-1]
}

// whatIf are the actions that try other layers.
func (s *Screen) whatIf() []keys.Action {
	const group = "What if: nothing is changed in the account"
	t := &s.trial
	add, change, asIs := "", "", "the layers are as they are"
	switch {
	case s.now != s.opt:
		add = "this is the code"
	case t.reading != nil:
		add = "a layer is being read"
	}
	if change = add; change == "" && len(t.stack.Numbers()) == 0 {
		change = "there are no layers left"
	}
	if t.outcome != nil {
		asIs = ""
	}
	undo := keys.Action{ID: "undo", Keys: []string{"u"}, Group: group, Help: "take the last change of layers back", Disabled: asIs}
	back := keys.Action{ID: "as-is", Keys: []string{"U"}, Group: group, Help: "the layers as they are again", Disabled: asIs}
	list := keys.Action{ID: "changes", Keys: []string{"w"}, Group: group, Help: "list what would change", Disabled: asIs}
	if asIs == "" {
		undo.Label, back.Label, list.Label = "undo", "as it is", "changes"
		back.Minor = true // esc does the same
	}
	ask := "add layer"
	if t.failed.why != "" {
		ask = "ask again"
	}
	return []keys.Action{
		list, undo, back,
		{ID: "add", Keys: []string{"a"}, Label: ask, Group: group, Help: "what if a layer version or a zip of this machine came on top", Disabled: add},
		{ID: "replace", Keys: []string{"v"}, Label: "other version", Minor: true, Group: group, Help: "what if the layer were another version, another layer or a zip", Disabled: change},
		{ID: "drop", Keys: []string{"d"}, Label: "drop layer", Minor: true, Group: group, Help: "what if it went", Disabled: change},
		{ID: "earlier", Keys: []string{"<", "alt+up"}, Label: "move layer", Minor: true, Group: group, Help: "what if it were merged earlier, where others win over it", Disabled: change},
		{ID: "later", Keys: []string{">", "alt+down"}, Group: group, Help: "what if it were merged later, where it wins", Disabled: change},
		{ID: "pick", Keys: []string{"tab"}, Group: group, Help: "choose the layer to change; first it is the one of the selected path", Disabled: change},
	}
}

// picked is the place of the layer that is changed, choosing it first.
func (s *Screen) picked() int {
	t := &s.trial
	if t.pick == 0 {
		if n := s.opt.tree.Selected(); n != nil && !n.Dir() {
			t.pick = s.opt.number(n.Entry.Winner)
		}
	}
	numbers := t.stack.Numbers()
	if i := slices.Index(numbers, t.pick); i >= 0 {
		return i
	}
	t.pick = numbers[0]
	return 0
}

// try performs one of whatIf.
func (s *Screen) try(id string) screen.Effect {
	t := &s.trial
	switch {
	case t.outcome == nil && (id == "as-is" || id == "undo" || id == "changes"):
		return screen.Effect{}
	case id == "as-is":
		s.reset()
		return screen.Effect{}
	case id == "undo" && t.reading != nil:
		return s.Unwind()
	case id == "undo" && len(t.past) == 0:
		s.reset()
		return screen.Effect{}
	case id == "undo":
		last := len(t.past) - 1
		stack := t.past[last]
		t.past = t.past[:last]
		return s.merge(stack)
	case id == "changes":
		return screen.Effect{Show: changes.New(t.outcome, s.command())}
	case s.now != s.opt || t.reading != nil:
		return screen.Effect{}
	case id == "add":
		return s.askAdd()
	}
	numbers := t.stack.Numbers()
	if len(numbers) == 0 {
		return screen.Effect{}
	}
	chosen := t.pick != 0
	at := s.picked()
	to := at
	switch id {
	case "pick":
		if chosen {
			t.pick = numbers[(at+1)%len(numbers)]
		}
		return screen.Effect{}
	case "replace":
		return s.askReplace(t.pick)
	case "earlier":
		to--
	case "later":
		to++
	case "drop":
		n := t.pick
		t.pick = 0 // the next one is chosen anew
		return s.change(t.stack.Drop(strconv.Itoa(n)))
	}
	if to < 0 || to >= len(numbers) {
		return screen.Say(screen.Info, theme.Letter(t.pick)+" is at that end already")
	}
	numbers[at], numbers[to] = numbers[to], numbers[at]
	order := make([]string, len(numbers))
	for i, n := range numbers {
		order[i] = strconv.Itoa(n)
	}
	return s.change(t.stack.Order(order...))
}

// command prints what is tried without a screen.
func (s *Screen) command() string {
	words := []string{"optlift", "opt"}
	if p := s.account.Of(s.set.Near()).Profile; p != "" {
		words = append(words, "--profile", awscli.Quote(p))
	}
	words = append(words, quoted(s.targets)...)
	for _, step := range s.trial.shown.Steps(whatif.New(s.real.merged.Layers...)) {
		words = append(words, "--"+step.Verb, awscli.Quote(step.What))
	}
	return strings.Join(words, " ")
}

// change goes on to other layers, so that undo comes back to these.
func (s *Screen) change(stack whatif.Stack, err error) screen.Effect {
	if err != nil {
		return screen.Say(screen.Bad, err.Error())
	}
	s.trial.past = append(s.trial.past, s.trial.stack)
	return s.merge(stack)
}

// reset shows the layers as they are.
func (s *Screen) reset() {
	if s.trial.job != nil {
		s.trial.job.Cancel()
	}
	s.trial = trial{pick: s.trial.pick, stack: whatif.New(s.real.merged.Layers...)}
	s.use(s.real)
}

// use shows another tree of /opt at the same place.
func (s *Screen) use(r *root) {
	if r != s.opt {
		r.tree.Follow(s.opt.tree)
	}
	if s.now == s.opt {
		s.now = r
	}
	s.opt = r
}

// Unwinds implements screen.Unwinder. The filter, which the root takes away, goes
// before the layers that are tried.
func (s *Screen) Unwinds() string {
	switch t := &s.trial; {
	case s.now == nil:
	case t.reading != nil:
		return "stop reading"
	case t.failed.why != "":
		return "leave it"
	case s.Filter() == "" && t.outcome != nil:
		return "as it is"
	}
	return ""
}

// Unwind implements screen.Unwinder.
func (s *Screen) Unwind() screen.Effect {
	switch t := &s.trial; {
	case t.reading != nil:
		ref := t.reading.ref
		effect := s.merge(t.stack) // which ends the reading
		effect.Note = "stopped reading " + ref
		return effect
	case t.failed.why != "":
		t.failed = failure{}
	default:
		s.reset()
	}
	return screen.Effect{}
}

// merge works out what other layers mean.
func (s *Screen) merge(stack whatif.Stack) screen.Effect {
	s.trial.stack = stack
	return s.start("merging", nil, func(context.Context) (whatif.Stack, error) { return stack, nil })
}

// start works out what the layers mean that a function has, or opens first.
func (s *Screen) start(name string, r *reading, layers func(context.Context) (whatif.Stack, error)) screen.Effect {
	t := &s.trial
	if t.job != nil {
		t.job.Cancel()
	}
	t.failed, t.reading = failure{}, r
	real, set, explain := s.real, s.set, s.opener.Explain
	var effect screen.Effect
	t.job, effect.Cmd = s.jobs.Start(name, false, func(ctx context.Context) (any, error) {
		stack, err := layers(ctx)
		var found *tried
		if err == nil {
			found, err = work(ctx, set, real, stack)
		}
		if err != nil {
			return nil, errors.New(explain(err))
		}
		return found, nil
	})
	return effect
}

// work merges the layers of a stack and holds them against the real ones.
func work(ctx context.Context, set *target.Set, real *root, stack whatif.Stack) (*tried, error) {
	if stack.Same(whatif.New(real.merged.Layers...)) {
		return &tried{root: real, stack: stack}, nil
	}
	after := optfs.Merge(stack.Layers()...)
	o, err := set.WhatIf(real.merged, stack, after).Compare(ctx)
	if err != nil {
		return nil, err
	}
	numbers := stack.Numbers()
	r, err := index(ctx, "/opt", after, func(n int) string { return theme.Letter(numbers[n-1]) })
	if err != nil {
		return nil, err
	}
	r.numbers = numbers
	code, err := set.Task(ctx)
	if err != nil {
		return nil, err
	}
	r.hidden = unreached(set, after, code)
	return &tried{root: r, stack: stack, outcome: o}, nil
}

func (s *Screen) onTried(done job.Done) screen.Effect {
	t := &s.trial
	r := t.reading
	t.job, t.reading = nil, nil
	found, _ := done.Value.(*tried)
	switch {
	case found == nil && r == nil:
		s.reset()
		return screen.Say(screen.Bad, done.Err.Error())
	case found == nil:
		effect := s.merge(t.stack)
		t.failed = failure{r.ref, done.Err.Error()}
		effect.Log = t.failed.why
		return effect
	case found.outcome == nil:
		why := t.failed
		s.reset()
		t.failed = why
		return screen.Effect{}
	}
	if r != nil {
		t.past = append(t.past, t.stack)
	}
	t.stack, t.shown, t.outcome = found.stack, found.stack, found.outcome
	s.use(found.root)
	return screen.Effect{}
}

// weight is what a layer weighs, "?" where that is not known.
func weight(l optfs.Layer) string {
	if l.Dir == nil {
		return "?"
	}
	return draw.Bytes(l.Dir.Unzipped)
}
