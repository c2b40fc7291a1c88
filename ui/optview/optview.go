package optview

import (
	"context"
	"errors"
	"io"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/preview"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
	"github.com/optlift/optlift/ui/tree"
)

// Opener opens the archives that targets stand for.
type Opener interface {
	Open(ctx context.Context, targets ...string) (*target.Set, error)
	Explain(err error) string
}

// Screen is the merged tree of some targets.
type Screen struct {
	title   string // whose tree it is, "" where the screen before says so
	targets []string
	account awscli.Account
	jobs    *job.Group
	opener  Opener

	job    *job.Job
	failed string
	set    *target.Set
	opt    *root
	task   *root // nil without code
	now    *root // the one on screen

	real    *root // /opt with the layers as they are
	trial   trial
	extract *extraction // nil while nothing is unpacked
}

// root is one tree: /opt or /var/task.
type root struct {
	path   string // "/opt"
	merged *optfs.Tree
	tree   *tree.Tree
	stats  []optfs.Stats
	// numbers are those by which the layers are known, nil where they are counted.
	numbers []int
}

// opened is what the job brings.
type opened struct {
	set       *target.Set
	opt, task *root
}

// New returns the screen of targets; Start opens them. title says whose tree it
// is, "" where the screen before does.
func New(title string, targets []string, account awscli.Account, jobs *job.Group, o Opener) *Screen {
	return &Screen{title: title, targets: targets, account: account, jobs: jobs, opener: o}
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
	found.task, err = index(ctx, "/var/task", code, func(int) string { return "c" })
	return found, err
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
	return out
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	if s.now == nil {
		if s.failed != "" {
			return []keys.Action{{ID: "again", Keys: []string{"r"}, Label: "try again", Group: "Tree", Help: "open the archives again"}}
		}
		return nil
	}
	t := s.now.tree
	n := t.Selected()
	nothing, compare := "", "nothing is shadowed here"
	if n == nil {
		nothing = "nothing is selected"
	} else if len(n.Entry.Shadows) > 0 && !n.Dir() {
		compare = ""
		if n.Entry.Kind != zipdir.File || n.Entry.Shadows[0].Zip.Kind != zipdir.File {
			compare = "one of the copies is not a file"
		}
	}
	order, which := "by name", "shadowed only"
	if !t.SizeFirst() {
		order = "by size"
	}
	if t.ShadowedOnly() {
		which = "all paths"
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "open", Group: "Tree", Help: "unfold or fold a directory, look into a file", Disabled: nothing},
		{ID: "compare", Keys: []string{"c"}, Label: "compare", Group: "Tree", Help: "compare what is used with what it shadows", Disabled: compare},
		{ID: "shadowed", Keys: []string{"x"}, Label: which, Group: "Tree", Help: "show only what shadows something, or everything"},
		{ID: "order", Keys: []string{"s"}, Label: order, Group: "Tree", Help: "sort by size or by name"},
		{ID: "unfold", Keys: []string{"right", "l"}, Group: "Tree", Help: "unfold the directory"},
		{ID: "fold", Keys: []string{"left", "h"}, Group: "Tree", Help: "fold the directory, or go to it"},
		{ID: "unfold-all", Keys: []string{"+", "E"}, Group: "Tree", Help: "unfold all"},
		{ID: "fold-all", Keys: []string{"-", "C"}, Group: "Tree", Help: "fold all"},
		{ID: "copy", Keys: []string{"y"}, Group: "Tree", Help: "copy the AWS CLI call"},
		s.extractAction(nothing),
	}
	if s.task != nil {
		label := "code"
		if s.now == s.task {
			label = "/opt"
		}
		own = append(own, keys.Action{ID: "root", Keys: []string{"t"}, Label: label, Group: "Tree", Help: "between the layers under /opt and the code under /var/task"})
	}
	return append(append(own, s.whatIf()...), list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if id == "again" {
		return s.Start()
	}
	if s.now == nil {
		return screen.Effect{}
	}
	t := s.now.tree
	if t.List.Do(id) {
		t.Note()
		return screen.Effect{}
	}
	switch id {
	case "open":
		return s.open()
	case "compare":
		return s.compare()
	case "shadowed":
		t.SetShadowedOnly(!t.ShadowedOnly())
	case "order":
		t.SetSizeFirst(!t.SizeFirst())
	case "unfold":
		t.Fold(true)
	case "fold":
		t.Fold(false)
	case "unfold-all":
		t.FoldAll(true)
	case "fold-all":
		t.FoldAll(false)
	case "root":
		if s.now == s.opt {
			s.now = s.task
		} else {
			s.now = s.opt
		}
	case "extract":
		return s.askExtract()
	case "copy":
		return screen.Effect{Copy: s.call()}
	default:
		return s.try(id)
	}
	return screen.Effect{}
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
	if n == nil || len(n.Entry.Shadows) == 0 {
		return screen.Effect{}
	}
	merged, shadow := s.now.merged, n.Entry.Shadows[0]
	old := preview.File{
		Label: s.label(shadow.Layer), Path: s.now.path + "/" + shadow.Path, Size: shadow.Zip.Size,
		Open: func() (io.ReadCloser, error) { return merged.OpenShadow(shadow) },
	}
	p := preview.Compare(old, s.used(n.Entry), s.jobs, s.opener.Explain)
	effect := p.Start()
	effect.Show = p
	return effect
}

func (s *Screen) used(e *optfs.Entry) preview.File {
	merged := s.now.merged
	return preview.File{
		Label: s.label(e.Winner), Path: s.now.path + "/" + e.Path, Size: e.Size,
		Open: func() (io.ReadCloser, error) { return merged.Open(e) },
	}
}

// label is a layer by letter and name.
func (s *Screen) label(layer int) string {
	if s.now == s.task {
		return "code"
	}
	return theme.Letter(s.now.number(layer)) + " " + inventory.ShortLayer(s.now.merged.Layers[layer-1].Source)
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if ok && s.extract != nil && done.ID == s.extract.job.ID {
		return s.extracted(done)
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
	return screen.Effect{}
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
	set, last := s.set, s.extract
	if last != nil {
		last.job.Cancel()
	}
	s.jobs.Start("closing", false, func(context.Context) (any, error) {
		if last != nil {
			last.job.Wait()
		}
		return nil, set.Close()
	})
}
