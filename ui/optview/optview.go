package optview

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/lookup"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/offer"
	"github.com/optlift/optlift/ui/preview"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
	"github.com/optlift/optlift/ui/tree"
)

// Opener opens the archives that targets stand for, and single layers to try
// with them (see target.Opener).
type Opener interface {
	Open(ctx context.Context, targets ...string) (*target.Set, error)
	OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error)
	Explain(err error) string
}

// Screen is the merged tree of some targets.
type Screen struct {
	keys.Hints
	title   string // whose tree it is, "" where the screen before says so
	targets []string
	account awscli.Account
	inv     *inventory.Inventory // what layers the account has
	jobs    *job.Group
	opener  Opener

	job    *job.Job
	failed string
	set    *target.Set
	opt    *root
	task   *root // nil without code
	now    *root // the one on screen

	real     *root // /opt with the layers as they are
	trial    trial
	borrowed *borrowed
	offers   *offer.Offers   // of the question on screen, nil before the first
	extract  *extraction     // nil while nothing is unpacked
	marked   map[string]bool // absolute paths
	wanted   string          // the path to select once the archives are open
	above    int             // lines above the tree, as drawn last
}

// root is one tree: /opt or /var/task.
type root struct {
	path   string // "/opt"
	merged *optfs.Tree
	tree   *tree.Tree
	stats  []optfs.Stats
	// numbers are those by which the layers are known, nil where they are counted.
	numbers []int
	// hidden is what of the layers the runtime finds elsewhere first, by path below
	// /opt; of the code, what it is found instead of.
	hidden map[string]lookup.Hidden
}

// opened is what the job brings.
type opened struct {
	set       *target.Set
	opt, task *root
}

// New returns the screen of targets; Start opens them. title says whose tree it
// is, "" where the screen before does.
func New(title string, targets []string, account awscli.Account, inv *inventory.Inventory, jobs *job.Group, o Opener) *Screen {
	return &Screen{title: title, targets: targets, account: account, inv: inv, jobs: jobs, opener: o, borrowed: &borrowed{}, marked: map[string]bool{}}
}

// Start opens the archives and merges them.
func (s *Screen) Start() screen.Effect {
	o, targets := s.opener, s.targets
	j, cmd := s.jobs.Start("opening "+strings.Join(targets, " "), false, func(ctx context.Context) (any, error) {
		found, err := open(ctx, o, targets)
		if err != nil {
			return nil, errors.New(o.Explain(err))
		}
		return found, nil
	})
	s.job, s.failed = j, ""
	return screen.Effect{Cmd: cmd}
}

func open(ctx context.Context, o Opener, targets []string) (_ *opened, err error) {
	set, err := o.Open(ctx, targets...)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = set.Close()
		}
	}()
	merged, err := set.Opt(ctx)
	if err != nil {
		return nil, err
	}
	found := &opened{set: set}
	if found.opt, err = index(ctx, "/opt", merged, theme.Letter); err != nil {
		return nil, err
	}
	code, err := set.Task(ctx)
	if err != nil || code == nil {
		return found, err
	}
	if found.task, err = index(ctx, "/var/task", code, func(int) string { return "c" }); err != nil {
		return nil, err
	}
	found.opt.hidden = unreached(set, merged, code)
	found.task.hidden = map[string]lookup.Hidden{}
	for _, h := range found.opt.hidden {
		if p, ok := strings.CutPrefix(h.By, "/var/task/"); ok {
			found.task.hidden[p] = h
		}
	}
	return found, nil
}

// unreached is what a function's runtime does not get to see of its layers.
func unreached(set *target.Set, merged, code *optfs.Tree) map[string]lookup.Hidden {
	if set.Function == nil {
		return nil
	}
	return lookup.Find(set.Function.Runtime, set.Function.EnvNames, merged, code)
}

func index(ctx context.Context, path string, merged *optfs.Tree, letter func(int) string) (*root, error) {
	t, err := tree.Build(ctx, merged, letter)
	if err != nil {
		return nil, err
	}
	return &root{path: path, merged: merged, tree: t, stats: merged.Stats()}, nil
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	path := "/opt"
	if s.now != nil {
		path = s.now.path
	}
	if s.title == "" {
		return path
	}
	return s.title + " " + path
}

// Count implements screen.Counter.
func (s *Screen) Count() string {
	if s.now == nil {
		return ""
	}
	t := s.now.merged
	out := draw.Plural(s.now.tree.Files(), "path") + " · " + draw.Bytes(t.Size)
	if s.now.tree.Matches() != s.now.tree.Files() {
		out = draw.Exact(int64(s.now.tree.Matches())) + " of " + out
	}
	if t.Conflicts > 0 {
		out += " · " + draw.Plural(t.Conflicts, "conflict")
	}
	if n := len(s.marked); n > 0 {
		out += " · " + strconv.Itoa(n) + " marked"
	}
	return out
}

// call is the AWS CLI call for the archive the selected path comes from.
func (s *Screen) call() string {
	if s.now == s.opt && len(s.now.merged.Layers) > 0 {
		at := 0
		if n := s.now.tree.Selected(); n != nil {
			at = n.Entry.Winner - 1
		}
		if source := s.now.merged.Layers[at].Source; strings.HasPrefix(source, "arn:") {
			return s.account.GetLayer(source)
		}
	}
	if s.set.Function != nil {
		return s.account.GetFunction(s.set.Function.ARN)
	}
	return "optlift opt " + strings.Join(quoted(s.targets), " ")
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = awscli.Quote(w)
	}
	return out
}

func (s *Screen) open() screen.Effect {
	t := s.now.tree
	n := t.Selected()
	if n == nil {
		return screen.Effect{}
	}
	if n.Dir() {
		if !t.Fold(true) {
			t.Fold(false)
		}
		return screen.Effect{}
	}
	if n.Entry.Kind == zipdir.Symlink {
		return screen.Say(screen.Info, s.now.path+"/"+n.Entry.Path+" is a link to "+n.Entry.Target)
	}
	p := preview.New(s.used(n.Entry), s.jobs, s.opener.Explain)
	effect := p.Start()
	effect.Show = p
	return effect
}

func (s *Screen) compare() screen.Effect {
	n := s.now.tree.Selected()
	if n == nil || n.Dir() {
		return screen.Effect{}
	}
	merged := s.now.merged
	var olds []preview.File
	for _, shadow := range n.Entry.Shadows {
		if shadow.Zip.Kind != zipdir.File {
			continue
		}
		olds = append(olds, preview.File{
			Label: s.label(shadow.Layer), Role: "shadowed", Path: s.now.path + "/" + shadow.Path, Size: shadow.Zip.Size,
			Open: func() (io.ReadCloser, error) { return merged.OpenShadow(shadow) },
		})
	}
	if len(olds) == 0 {
		return screen.Effect{}
	}
	p := preview.Compare(olds, s.used(n.Entry), s.jobs, s.opener.Explain)
	effect := p.Start()
	effect.Show = p
	return effect
}

func (s *Screen) used(e *optfs.Entry) preview.File {
	merged := s.now.merged
	return preview.File{
		Label: s.label(e.Winner), Role: "used", Path: s.now.path + "/" + e.Path, Size: e.Size, Architecture: s.architecture(),
		Open: func() (io.ReadCloser, error) { return merged.Open(e) },
	}
}

// architecture is the function's, "" for layers and zips alone.
func (s *Screen) architecture() string {
	if s.set == nil || s.set.Function == nil {
		return ""
	}
	return s.set.Function.Architecture
}

// name is how a layer is known by its number: "2B".
func name(n int) string { return strconv.Itoa(n) + theme.Letter(n) }

// label is a layer by letter and name.
func (s *Screen) label(layer int) string {
	if s.now == s.task {
		return "code"
	}
	return name(s.now.number(layer)) + " " + inventory.ShortLayer(s.now.merged.Layers[layer-1].Source)
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if ok && s.extract != nil && done.ID == s.extract.job.ID {
		return s.extracted(done)
	}
	if ok && s.offers != nil {
		s.offers.Update(done)
	}
	if ok && s.trial.job != nil && done.ID == s.trial.job.ID {
		return s.onTried(done)
	}
	if !ok || s.job == nil || done.ID != s.job.ID {
		return screen.Effect{}
	}
	s.job = nil
	if done.Err != nil {
		s.failed = done.Err.Error()
		return screen.Say(screen.Bad, s.failed)
	}
	found, _ := done.Value.(*opened)
	if found == nil {
		return screen.Effect{}
	}
	s.set, s.opt, s.task, s.now = found.set, found.opt, found.task, found.opt
	s.real = found.opt
	s.reset()
	return s.reveal()
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error {
	if s.now == nil {
		return nil
	}
	return s.now.tree.SetFilter(text)
}

// Filter implements screen.Filterable.
func (s *Screen) Filter() string {
	if s.now == nil {
		return ""
	}
	return s.now.tree.Filter()
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
	if s.set == nil {
		return
	}
	if s.trial.job != nil {
		s.trial.job.Cancel()
	}
	if s.offers != nil {
		s.offers.Stop()
	}
	set, last, lent := s.set, s.extract, s.borrowed
	if last != nil {
		last.job.Cancel()
	}
	s.jobs.Start("closing", false, func(context.Context) (any, error) {
		if last != nil {
			last.job.Wait()
		}
		return nil, errors.Join(set.Close(), lent.close())
	})
}
