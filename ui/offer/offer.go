package offer

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/sanitize"
)

// most is how many names of a directory are looked at; what lies in a larger one
// has to be typed.
const most = 4096

// Word is something known that may be meant.
type Word struct {
	Text string
	Name string // what else it may be begun with, "" for nothing
}

// Offers completes a line. The zero value offers nothing.
type Offers struct {
	Words []Word
	// Suffix is how the files end that are offered, in lower case (".zip");
	// directories are offered on the way to them. "" offers no paths.
	Suffix string

	jobs    *job.Group
	job     *job.Job
	reading string              // the directory that job reads
	listed  map[string][]string // the names in a directory, sorted, directories ending in "/"
}

// New returns offers whose directories are read by jobs.
func New(jobs *job.Group, suffix string, words ...Word) *Offers {
	return &Offers{Words: words, Suffix: suffix, jobs: jobs, listed: map[string][]string{}}
}

// names is what a job found in a directory; its error is no one's business: what
// can't be read is not offered.
type names struct {
	dir   string
	names []string
}

// split cuts a path being typed behind its last slash.
func split(text string) (dir, start string) {
	i := strings.LastIndexByte(text, '/')
	return text[:i+1], text[i+1:]
}

// For is what a text could become, best first: words, then paths.
func (o *Offers) For(text string) []string {
	var out []string
	for _, w := range o.Words {
		if (strings.HasPrefix(w.Text, text) || strings.HasPrefix(w.Name, text)) && w.Text != text {
			out = append(out, w.Text)
		}
	}
	dir, start := split(text)
	for _, n := range o.listed[dir] {
		isDir := strings.HasSuffix(n, "/")
		switch {
		case !strings.HasPrefix(n, start), n == start:
		case start == "" && strings.HasPrefix(n, "."): // hidden until asked for
		case text == "" && isDir: // nothing says that a path is meant
		default:
			out = append(out, dir+n)
		}
	}
	return out
}

// Typed has the directory read that a text leads into, unless it has been.
func (o *Offers) Typed(text string) tea.Cmd {
	dir, _ := split(text)
	if o.Suffix == "" || strings.HasPrefix(text, "arn:") || o.reading == dir && o.job != nil {
		return nil
	}
	if _, known := o.listed[dir]; known {
		return nil
	}
	o.Stop()
	at, suffix := dialog.Path(dir), o.Suffix
	if at == "" {
		at = "."
	}
	o.reading = dir
	var cmd tea.Cmd
	o.job, cmd = o.jobs.Start("reading "+at, false, func(ctx context.Context) (any, error) {
		return names{dir, list(ctx, at, suffix)}, nil
	})
	return cmd
}

// Update takes the end of a job in.
func (o *Offers) Update(done job.Done) {
	found, ok := done.Value.(names)
	if !ok || o.job == nil || done.ID != o.job.ID {
		return
	}
	o.listed[found.dir] = found.names
	o.job = nil
}

// Stop ends the reading that is under way.
func (o *Offers) Stop() {
	if o.job != nil {
		o.job.Cancel()
		o.job = nil
	}
}

// list names the files in a directory that end in suffix, and its directories.
// Names that a terminal could act on, or that can't be typed, are left out.
func list(ctx context.Context, dir, suffix string) []string {
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []string
	for seen := 0; seen < most && ctx.Err() == nil; {
		entries, err := f.ReadDir(256)
		seen += len(entries)
		for _, e := range entries {
			name := e.Name()
			if name != sanitize.Text(name) {
				continue
			}
			isDir := e.IsDir()
			if e.Type()&fs.ModeSymlink != 0 {
				info, err := os.Stat(dir + "/" + name)
				isDir = err == nil && info.IsDir()
			}
			switch {
			case isDir:
				out = append(out, name+"/")
			case strings.HasSuffix(strings.ToLower(name), suffix):
				out = append(out, name)
			}
		}
		if err != nil { // the end of it, or of what may be read
			break
		}
	}
	slices.Sort(out)
	return out
}
