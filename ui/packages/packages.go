package packages

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/loading"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/sheet"
)

// Screen is the table of packages.
type Screen struct {
	keys.Hints
	title   string // whose they are, "" where the screen before says so
	name    string // what a bill of materials calls it
	version string // of this program
	targets []string
	jobs    *job.Group
	fetcher loading.Fetcher

	job       *job.Job
	transfers *loading.Transfers
	failed    *loading.Failure
	found     *found
	sheet     sheet.Sheet[*row]
	above     int // lines above the table, as drawn last
}

// found is what the job brings.
type found struct {
	*inventory.Inventory
	layers []string // names, in merge order
	code   bool     // whether a function's code was looked at
	rows   []*row
	// several counts the packages that are there at more than one version.
	several int
}

// New returns the screen of targets, which people call name; Start downloads them
// and looks into them. title is "" where the screen before says whose they are.
// version is this program's.
func New(title, name, version string, targets []string, jobs *job.Group, f loading.Fetcher) *Screen {
	s := &Screen{title: title, name: name, version: version, targets: targets, jobs: jobs, fetcher: f}
	s.list()
	return s
}

// Start downloads the archives and lists their packages.
func (s *Screen) Start() screen.Effect {
	f, targets, transfers := s.fetcher, s.targets, &loading.Transfers{}
	j, cmd := s.jobs.Start("listing the packages of "+s.name, false, func(ctx context.Context) (any, error) {
		found, err := take(ctx, f, targets, transfers)
		if err != nil {
			return nil, loading.Fail(f, err)
		}
		return found, nil
	})
	s.job, s.transfers, s.failed = j, transfers, nil
	return screen.Effect{Cmd: cmd}
}

func take(ctx context.Context, f loading.Fetcher, targets []string, t *loading.Transfers) (_ *found, err error) {
	set, err := f.Fetch(ctx, t.Note, targets...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	t.Stage("Reading what the packages say of themselves")
	opt, err := set.Opt(ctx)
	if err != nil {
		return nil, err
	}
	task, err := set.Task(ctx)
	if err != nil {
		return nil, err
	}
	inv, err := inventory.Take(ctx, opt, task)
	if err != nil {
		return nil, err
	}
	out := &found{Inventory: inv, code: set.Code != nil}
	for i := range set.Layers {
		out.layers = append(out.layers, set.Layers[i].Name)
	}
	out.index()
	return out, nil
}

// index makes the rows and says of each which other versions there are.
func (f *found) index() {
	divided := map[string]bool{}
	for i := range f.Divided {
		d := &f.Divided[i]
		p := inventory.Package{Ecosystem: d.Ecosystem, Name: d.Name}
		divided[string(d.Ecosystem)+" "+p.Key()] = true
	}
	all := f.Packages
	for len(all) > 0 {
		// Packages are sorted by ecosystem, name and version.
		n := 1
		for n < len(all) && all[n].Ecosystem == all[0].Ecosystem && all[n].Key() == all[0].Key() {
			n++
		}
		copies, versions := all[:n], 1
		for i := 1; i < n; i++ {
			if copies[i].Version != copies[i-1].Version {
				versions++
			}
		}
		if versions > 1 {
			f.several++
		}
		for i := range copies {
			f.rows = append(f.rows, newRow(&copies[i], copies, versions, divided[string(all[0].Ecosystem)+" "+all[0].Key()]))
		}
		all = all[n:]
	}
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string { return strings.TrimSpace(s.title + " packages") }

// Count implements screen.Counter.
func (s *Screen) Count() string {
	if s.found == nil {
		return ""
	}
	all := draw.Plural(len(s.found.rows), "package")
	if n := s.found.several; n > 0 {
		all += " · " + strconv.Itoa(n) + " at several versions"
	}
	return s.sheet.Count(all)
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	const group = "Package"
	if s.found == nil {
		if s.failed != nil {
			return []keys.Action{{ID: "again", Keys: []string{"r"}, Label: "try again", Group: group, Help: "read the archives again"}}
		}
		return nil
	}
	none, nothing := "", ""
	if _, ok := s.sheet.Selected(); !ok {
		none = "no package is selected"
	}
	if len(s.found.rows) == 0 {
		nothing = "there are no packages"
	}
	return append([]keys.Action{
		{ID: "open", Keys: []string{"enter", "o"}, Label: "where it lies", Group: group, Help: "show the file that tells of the package, in the merged tree", Disabled: none},
		{ID: "copy", Keys: []string{"y"}, Label: "copy", Minor: true, Group: group, Help: "copy the package URL, or name and version where it has none", Disabled: none},
		{ID: "export", Keys: []string{"e"}, Label: "export", Group: group, Help: "write the packages to a file: CSV of those on screen, or all as a CycloneDX bill of materials in JSON", Disabled: nothing},
	}, s.sheet.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch {
	case id == "again":
		return s.Start()
	case s.found == nil || s.sheet.Do(id):
		return screen.Effect{}
	case id == "export":
		return s.askExport()
	}
	r, ok := s.sheet.Selected()
	if !ok {
		return screen.Effect{}
	}
	switch id {
	case "open":
		// What lies in an archive follows the archive's path.
		path, _, _ := strings.Cut(r.Path, "!/")
		return screen.Effect{Open: screen.Place{Name: "opt", Args: s.targets, At: path}}
	case "copy":
		return screen.Effect{Copy: cmp.Or(r.PURL, strings.TrimSpace(r.Name+" "+r.Version))}
	}
	return screen.Effect{}
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
		if s.found, _ = msg.Value.(*found); s.found != nil {
			s.sheet.Set(s.found.rows)
		}
	}
	return screen.Effect{}
}

// SetFilter implements screen.Filterable.
func (s *Screen) SetFilter(text string) error { return s.sheet.SetFilter(text) }

// Filter implements screen.Filterable.
func (s *Screen) Filter() string { return s.sheet.Filter() }

// Click implements screen.Clickable.
func (s *Screen) Click(x, y int) (e screen.Effect, hit bool) {
	if s.found == nil {
		return e, false
	}
	open, hit := s.sheet.Click(x, y-s.above)
	if open {
		e = s.Do("open")
	}
	return e, hit
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
}
