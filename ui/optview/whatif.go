package optview

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/whatif"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// trial is the layers as they might be: in another order, or without one of
// them. Layers keep the number, and so letter and colour, of their real place.
type trial struct {
	numbers []int // what is left, in order
	pick    int   // the layer that is moved, by number; 0 for none yet
	job     *job.Job
	outcome *whatif.Outcome // nil for the layers as they are
}

// tried is what the job brings.
type tried struct {
	root    *root
	outcome *whatif.Outcome
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
	none, asIs := "", "the layers are as they are"
	switch {
	case s.now != s.opt:
		none = "this is the code"
	case len(s.trial.numbers) == 0:
		none = "there are no layers left"
	}
	if s.trial.outcome != nil {
		asIs = ""
	}
	back := keys.Action{ID: "as-is", Keys: []string{"u"}, Group: group, Help: "the layers as they are again", Disabled: asIs}
	changes := keys.Action{ID: "changes", Keys: []string{"w"}, Group: group, Help: "list what would change", Disabled: asIs}
	if asIs == "" {
		back.Label, changes.Label = "as it is", "changes"
	}
	return []keys.Action{
		changes, back,
		{ID: "pick", Keys: []string{"tab"}, Group: group, Help: "choose the layer to move; first it is the one of the selected path", Disabled: none},
		{ID: "earlier", Keys: []string{"<", "alt+up"}, Label: "move layer", Minor: true, Group: group, Help: "what if it were merged earlier, where others win over it", Disabled: none},
		{ID: "later", Keys: []string{">", "alt+down"}, Group: group, Help: "what if it were merged later, where it wins", Disabled: none},
		{ID: "drop", Keys: []string{"d"}, Label: "drop layer", Minor: true, Group: group, Help: "what if it went", Disabled: none},
	}
}

// picked is the place of the layer that is moved, choosing it first.
func (s *Screen) picked() int {
	t := &s.trial
	if t.pick == 0 {
		if n := s.opt.tree.Selected(); n != nil && !n.Dir() {
			t.pick = s.opt.number(n.Entry.Winner)
		}
	}
	if i := slices.Index(t.numbers, t.pick); i >= 0 {
		return i
	}
	t.pick = t.numbers[0]
	return 0
}

// try performs one of whatIf.
func (s *Screen) try(id string) screen.Effect {
	t := &s.trial
	switch {
	case id == "as-is":
		s.reset()
		return screen.Effect{}
	case id == "changes":
		if t.outcome == nil {
			return screen.Effect{}
		}
		return screen.Effect{Show: newChanges(t.outcome)}
	case s.now != s.opt || len(t.numbers) == 0:
		return screen.Effect{}
	}
	chosen := t.pick != 0
	at := s.picked()
	to := at
	switch id {
	case "pick":
		if chosen {
			t.pick = t.numbers[(at+1)%len(t.numbers)]
		}
		return screen.Effect{}
	case "earlier":
		to--
	case "later":
		to++
	case "drop":
		t.numbers = slices.Delete(slices.Clone(t.numbers), at, at+1)
		t.pick = 0
		return s.startTrial()
	}
	if to < 0 || to >= len(t.numbers) {
		return screen.Say(screen.Info, theme.Letter(t.pick)+" is at that end already")
	}
	t.numbers = slices.Clone(t.numbers)
	t.numbers[at], t.numbers[to] = t.numbers[to], t.numbers[at]
	return s.startTrial()
}

// reset shows the layers as they are.
func (s *Screen) reset() {
	if s.trial.job != nil {
		s.trial.job.Cancel()
	}
	pick := s.trial.pick
	s.trial = trial{pick: pick}
	for i := range s.real.merged.Layers {
		s.trial.numbers = append(s.trial.numbers, i+1)
	}
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

// startTrial works out what the layers in their new order mean.
func (s *Screen) startTrial() screen.Effect {
	t := &s.trial
	if t.job != nil {
		t.job.Cancel()
	}
	if len(t.numbers) == len(s.real.merged.Layers) && slices.IsSorted(t.numbers) {
		s.reset()
		return screen.Effect{}
	}
	var code *int64
	if s.set.Code != nil {
		code = &s.set.Code.Dir.Unzipped
	}
	before, numbers, set, explain := s.real.merged, t.numbers, s.set, s.opener.Explain
	var effect screen.Effect
	t.job, effect.Cmd = s.jobs.Start("merging", false, func(ctx context.Context) (any, error) {
		found, err := merge(ctx, before, numbers, code)
		if err == nil {
			var task *optfs.Tree
			if task, err = set.Task(ctx); err == nil {
				found.root.hidden = unreached(set, found.root.merged, task)
			}
		}
		if err != nil {
			return nil, errors.New(explain(err))
		}
		return found, nil
	})
	return effect
}

// merge merges the layers named by numbers and holds that against before.
func merge(ctx context.Context, before *optfs.Tree, numbers []int, code *int64) (*tried, error) {
	stack := whatif.New(before.Layers...)
	refs := make([]string, len(numbers))
	for i, n := range numbers {
		refs[i] = strconv.Itoa(n)
	}
	var err error
	for i := range before.Layers {
		if !slices.Contains(numbers, i+1) {
			if stack, err = stack.Drop(strconv.Itoa(i + 1)); err != nil {
				return nil, err
			}
		}
	}
	if stack, err = stack.Order(refs...); err != nil {
		return nil, err
	}
	after := optfs.Merge(stack.Layers()...)
	o, err := whatif.Compare(ctx, "/opt", before, after, code != nil, code, account.UnzippedLimit, false)
	if err != nil {
		return nil, err
	}
	r, err := index(ctx, "/opt", after, func(n int) string { return theme.Letter(numbers[n-1]) })
	if err != nil {
		return nil, err
	}
	r.numbers = numbers
	return &tried{root: r, outcome: o}, nil
}

func (s *Screen) onTried(done job.Done) screen.Effect {
	s.trial.job = nil
	found, _ := done.Value.(*tried)
	if found == nil {
		s.reset()
		return screen.Say(screen.Bad, done.Err.Error())
	}
	s.trial.outcome = found.outcome
	s.use(found.root)
	return screen.Effect{}
}

// whatIfLine says in one line what the layers tried would mean.
func (s *Screen) whatIfLine(st *theme.Styles, w int) string {
	o := s.trial.outcome
	l := draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "WHAT IF").Gap(2)
	size := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return draw.Bytes(*n)
	}
	l.Put(theme.Dim, size(o.Before.Unzipped)+" → ").Put(theme.Strong, size(o.After.Unzipped))
	if o.After.Unzipped != nil {
		_, tone := draw.Fill(*o.After.Unzipped, o.Limit)
		l.Put(tone, " "+draw.Percent(*o.After.Unzipped, o.Limit))
		if !*o.Fits {
			l.Put(theme.Bad, " too large")
		}
	}
	l.Put(theme.Dim, " · conflicts "+strconv.Itoa(o.Before.Conflicts)+" → ").Put(theme.Strong, strconv.Itoa(o.After.Conflicts))
	if n := len(o.FixedConflicts); n > 0 {
		l.Put(theme.Good, " −"+strconv.Itoa(n))
	}
	if n := len(o.NewConflicts); n > 0 {
		l.Put(theme.Warn, " +"+strconv.Itoa(n))
	}
	for i, layer := range s.real.merged.Layers {
		if n := i + 1; !slices.Contains(s.trial.numbers, n) {
			l.Put(theme.Dim, " · without ").Put(theme.Layer(n), theme.Letter(n)).Put(theme.Dim, " "+draw.Bytes(weight(layer)))
		}
	}
	return l.Put(theme.Dim, " · "+draw.Plural(len(o.Changed), "path")+" changed").String()
}

func weight(l optfs.Layer) int64 {
	if l.Dir == nil {
		return 0
	}
	return l.Dir.Unzipped
}
