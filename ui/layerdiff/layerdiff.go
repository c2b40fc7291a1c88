package layerdiff

import (
	"context"
	"errors"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/loading"
	"github.com/optlift/optlift/ui/preview"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/sheet"
)

// Screen is what sets two targets apart.
type Screen struct {
	keys.Hints
	targets, titles [2]string // the old one and the new one
	account         awscli.Account
	jobs            *job.Group
	fetcher         loading.Fetcher

	job       *job.Job
	transfers *loading.Transfers
	failed    *loading.Failure
	found     *compared

	files      sheet.Sheet[*fileRow]
	packages   sheet.Sheet[*packageRow]
	byPackages bool // packages are on screen
	above      int  // lines above the table, as drawn last
}

// compared is what the job brings.
type compared struct {
	sets   [2]*target.Set
	sides  [2]difference.Subject
	report *difference.Report
}

func (c *compared) close() error {
	var errs []error
	for _, s := range c.sets {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// New returns the screen of what differs between two targets; Start downloads and
// compares them. titles are what people call them.
func New(targets, titles [2]string, account awscli.Account, jobs *job.Group, f loading.Fetcher) *Screen {
	s := &Screen{targets: targets, titles: titles, account: account, jobs: jobs, fetcher: f}
	s.lists()
	return s
}

// Start downloads the archives and compares them.
func (s *Screen) Start() screen.Effect {
	f, targets, transfers := s.fetcher, s.targets, &loading.Transfers{}
	j, cmd := s.jobs.Start("comparing "+strings.Join(s.titles[:], " with "), false, func(ctx context.Context) (any, error) {
		found, err := compare(ctx, f, targets, transfers)
		if err != nil {
			return nil, loading.Fail(f, err)
		}
		return found, nil
	})
	s.job, s.transfers, s.failed = j, transfers, nil
	return screen.Effect{Cmd: cmd}
}

func compare(ctx context.Context, f loading.Fetcher, targets [2]string, t *loading.Transfers) (_ *compared, err error) {
	c := &compared{}
	defer func() {
		if err != nil {
			_ = c.close()
		}
	}()
	for i, name := range targets {
		if c.sets[i], err = f.Fetch(ctx, t.Note, name); err != nil {
			return nil, err
		}
	}
	t.Stage("Comparing files and packages")
	for i, set := range c.sets {
		side := &c.sides[i]
		side.Name = targets[i]
		if side.Opt, err = set.Opt(ctx); err != nil {
			return nil, err
		}
		if side.Task, err = set.Task(ctx); err != nil {
			return nil, err
		}
	}
	c.report, err = difference.Compare(ctx, c.sides[0], c.sides[1])
	return c, err
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	old, now := s.titles[0], s.titles[1]
	if layer, version, ok := strings.Cut(now, ":"); ok && strings.HasPrefix(old, layer+":") {
		now = version
	}
	return "diff " + old + " → " + now
}

// Count implements screen.Counter.
func (s *Screen) Count() string {
	switch {
	case s.found == nil, s.report().Equal:
		return ""
	case s.byPackages:
		return s.packages.Count(draw.Plural(s.packages.Len(), "package"))
	}
	return s.files.Count(draw.Plural(s.files.Len(), "path"))
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	const group = "Difference"
	if s.found == nil {
		if s.failed != nil {
			return []keys.Action{{ID: "again", Keys: []string{"r"}, Label: "try again", Group: group, Help: "read the archives again"}}
		}
		return nil
	}
	command := []keys.Action{
		{ID: "export", Keys: []string{"e"}, Label: "export", Group: group, Help: "write the whole difference to a file: CSV, or JSON as the diff command prints it"},
		{ID: "copy", Keys: []string{"y"}, Group: group, Help: "copy the command that compares without a screen"},
	}
	if s.report().Equal {
		return command
	}
	label, open := "packages", ""
	if s.byPackages {
		label, open = "files", "a package has no content of its own: "+s.Key("turn")+" shows the files"
	} else if r, ok := s.files.Selected(); !ok {
		open = "nothing is selected"
	} else {
		open = r.closed()
	}
	own := append([]keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "compare", Group: group, Help: "look into the file: side by side where it changed", Disabled: open},
		{ID: "turn", Keys: []string{"t"}, Label: label, Group: group, Help: "between files and packages"},
	}, command...)
	if s.byPackages {
		return append(own, s.packages.Actions()...)
	}
	return append(own, s.files.Actions()...)
}

func (s *Screen) report() *difference.Report { return s.found.report }

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch {
	case id == "again":
		return s.Start()
	case s.found == nil:
		return screen.Effect{}
	}
	switch id {
	case "open":
		return s.open()
	case "turn":
		s.byPackages = !s.byPackages
	case "export":
		return s.askExport()
	case "copy":
		return screen.Effect{Copy: s.account.Optlift(s.targets[1], "diff", s.targets[0], s.targets[1])}
	default:
		if s.byPackages {
			s.packages.Do(id)
		} else {
			s.files.Do(id)
		}
	}
	return screen.Effect{}
}

// open looks into the selected file: side by side where both have it.
func (s *Screen) open() screen.Effect {
	r, ok := s.files.Selected()
	if !ok || r.closed() != "" {
		return screen.Effect{}
	}
	old, new := s.side(r, 0), s.side(r, 1)
	var p *preview.Screen
	switch {
	case old != nil && new != nil:
		p = preview.Compare([]preview.File{*old}, *new, s.jobs, s.fetcher.Explain)
	case old != nil:
		p = preview.New(*old, s.jobs, s.fetcher.Explain)
	default:
		p = preview.New(*new, s.jobs, s.fetcher.Explain)
	}
	e := p.Start()
	e.Show = p
	return e
}

// side is a path as one of the targets has it, nil where it has it not as a file.
func (s *Screen) side(r *fileRow, i int) *preview.File {
	side, path := s.found.sides[i], r.Path
	for root, tree := range map[string]*optfs.Tree{"/opt/": side.Opt, "/var/task/": side.Task} {
		rel, ok := strings.CutPrefix(path, root)
		if !ok || tree == nil {
			continue
		}
		e, ok := tree.Lookup(rel)
		if !ok || e.Kind != zipdir.File {
			return nil
		}
		f := preview.File{Label: s.titles[i], Role: []string{"old", "new"}[i], Path: path, Size: e.Size}
		f.Open = openerOf(tree, e)
		if fn := s.found.sets[i].Function; fn != nil {
			f.Architecture = fn.Architecture
		}
		return &f
	}
	return nil
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	switch msg := msg.(type) {
	case export.Written:
		if msg.By == s {
			return msg.Note
		}
	case job.Done:
		if s.job == nil || msg.ID != s.job.ID {
			return screen.Effect{}
		}
		s.job = nil
		if msg.Err != nil {
			s.failed = loading.FailureOf(msg.Err)
			return screen.Say(screen.Bad, s.failed.Message)
		}
		if s.found, _ = msg.Value.(*compared); s.found != nil {
			s.fill()
		}
	}
	return screen.Effect{}
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error {
	if s.byPackages {
		return s.packages.SetFilter(text)
	}
	return s.files.SetFilter(text)
}

// Filter implements screen.Filterable.
func (s *Screen) Filter() string {
	if s.byPackages {
		return s.packages.Filter()
	}
	return s.files.Filter()
}

// Click implements screen.Clickable.
func (s *Screen) Click(x, y int) (e screen.Effect, hit bool) {
	if s.found == nil {
		return e, false
	}
	if s.byPackages {
		_, hit = s.packages.Click(x, y-s.above)
		return e, hit
	}
	open, hit := s.files.Click(x, y-s.above)
	if open {
		e = s.open()
	}
	return e, hit
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
	if found := s.found; found != nil {
		s.jobs.Start("closing", false, func(context.Context) (any, error) { return nil, found.close() })
	}
}

// sign is how a change is drawn.
func sign(c difference.Change) string {
	switch c {
	case difference.Added:
		return "+"
	case difference.Removed:
		return "-"
	}
	return "~"
}

// counts says how many were added, removed and changed.
type counts map[difference.Change]int

func (c counts) String() string {
	var out []string
	for _, k := range []difference.Change{difference.Added, difference.Removed, difference.Changed} {
		if c[k] > 0 {
			out = append(out, strconv.Itoa(c[k])+" "+string(k))
		}
	}
	if out == nil {
		return "no difference"
	}
	return strings.Join(out, " · ")
}
