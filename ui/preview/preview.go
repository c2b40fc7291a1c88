package preview

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// Screen is one file, or what sets two apart.
type Screen struct {
	keys.Hints
	title   string
	jobs    *job.Group
	explain func(error) string
	size    int64
	load    func(context.Context, func(int64)) (*content, error)
	olds    []File // of a comparison: what now shadows
	now     File
	pick    int // the one of olds that is compared
	read    *atomic.Int64

	job     *job.Job
	content *content
	failed  string
	hex     bool
	left    int // columns scrolled to the right
	pager   list.Pager
}

// New returns the screen of a file; Start reads it.
func New(f File, jobs *job.Group, explain func(error) string) *Screen {
	return &Screen{title: f.Path, size: f.Size, jobs: jobs, explain: explain,
		load: func(ctx context.Context, progress func(int64)) (*content, error) { return load(ctx, f, progress) }}
}

// Compare returns the screen of what sets now apart from olds, one at a time:
// mostly from what it shadows. There is at least one.
func Compare(olds []File, now File, jobs *job.Group, explain func(error) string) *Screen {
	return &Screen{title: "compare " + now.Path, jobs: jobs, explain: explain, olds: olds, now: now}
}

// Start reads the file.
func (s *Screen) Start() screen.Effect {
	load, explain := s.load, s.explain
	if s.olds != nil {
		old, now := s.olds[s.pick], s.now
		load = func(ctx context.Context, _ func(int64)) (*content, error) { return compare(ctx, old, now) }
	}
	read := new(atomic.Int64)
	s.read, s.content = read, nil
	j, cmd := s.jobs.Start("reading "+s.title, false, func(ctx context.Context) (any, error) {
		c, err := load(ctx, read.Store)
		if err != nil {
			return nil, errors.New(explain(err))
		}
		return c, nil
	})
	s.job, s.failed = j, ""
	return screen.Effect{Cmd: cmd}
}

// Crumb implements screen.Screen.
func (s *Screen) Crumb() string {
	if i := strings.LastIndexByte(s.title, '/'); i >= 0 {
		if s.olds != nil {
			return "compare " + s.title[i+1:]
		}
		return s.title[i+1:]
	}
	return s.title
}

// Count implements screen.Counter.
func (s *Screen) Count() string {
	if s.content == nil {
		return ""
	}
	if s.olds != nil {
		return s.pager.Hint()
	}
	return s.pager.Count(draw.Exact(s.content.file.Size) + " bytes")
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	if s.failed != "" {
		return []keys.Action{{ID: "again", Keys: []string{"r"}, Label: "try again", Group: "File", Help: "read it again"}}
	}
	noHex, label := "", "hex"
	switch {
	case s.content == nil:
		noHex = "the file has not been read"
	case s.olds != nil:
		noHex = "this is a comparison"
	case s.content.text == nil && s.content.facts == nil:
		noHex = "the file is not text: these are its bytes"
	case s.hex && s.content.text != nil:
		label = "text"
	case s.hex:
		label = "summary"
	}
	own := []keys.Action{
		{ID: "hex", Keys: []string{"x"}, Label: label, Group: "File", Help: "show bytes in hexadecimal, or what they mean", Disabled: noHex},
		{ID: "right", Keys: []string{"right", "l"}, Label: "scroll", Minor: true, Group: "File", Help: "scroll to the right"},
		{ID: "left", Keys: []string{"left", "h"}, Group: "File", Help: "scroll to the left"},
	}
	if s.olds != nil {
		other := keys.Action{ID: "other", Keys: []string{"tab"}, Group: "File", Help: "compare with the next copy that is shadowed"}
		if len(s.olds) < 2 {
			other.Disabled = "there is one other copy only"
		} else {
			other.Label = "other copy"
		}
		own = append(own, other)
	}
	return append(own, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
	case "again":
		return s.Start()
	case "other":
		if s.job != nil {
			s.job.Cancel()
		}
		s.pick = (s.pick + 1) % len(s.olds)
		s.pager.Top()
		return s.Start()
	case "hex":
		s.hex = !s.hex
		s.pager.Top()
		s.left = 0
	case "right":
		s.left = min(s.left+8, piece)
	case "left":
		s.left = max(s.left-8, 0)
	default:
		s.pager.Do(id)
	}
	return screen.Effect{}
}

// Update implements screen.Screen.
func (s *Screen) Update(msg tea.Msg) screen.Effect {
	done, ok := msg.(job.Done)
	if !ok || s.job == nil || done.ID != s.job.ID {
		return screen.Effect{}
	}
	cancelled := s.job.Cancelled()
	s.job = nil
	if done.Err != nil {
		if cancelled {
			return screen.Effect{}
		}
		s.failed = done.Err.Error()
		return screen.Say(screen.Bad, s.failed)
	}
	s.content, _ = done.Value.(*content)
	return screen.Effect{}
}

// Close implements screen.Screen.
func (s *Screen) Close() {
	if s.job != nil {
		s.job.Cancel()
	}
}

// View implements screen.Screen.
func (s *Screen) View(st *theme.Styles, w, h int) []string {
	line := func(indent int) *draw.Line { return draw.NewLine(st, w, false).Gap(indent) }
	out := []string{line(1).Tail(theme.Dim, s.title, w-2).String()}
	switch {
	case s.failed != "":
		out = append(out, "")
		out = append(out, draw.Para(st, w-1, 2, theme.Bad, "The file could not be read.")...)
		out = append(out, draw.Para(st, w-1, 2, theme.Plain, s.failed)...)
		return append(out, line(2).Put(theme.Dim, s.Key("again")+" tries again.").String())
	case s.content == nil:
		l := line(2).Put(theme.Dim, "Reading …")
		if n := s.read.Load(); n > 0 {
			l.Put(theme.Dim, "  "+draw.Bytes(n)+" of "+draw.Bytes(s.size))
		}
		return append(out, "", l.String())
	}
	if len(s.content.notes) > 0 {
		out = append(out, line(1).Put(theme.Warn, "! "+strings.Join(s.content.notes, " · ")).String())
	}
	room := h - len(out)
	switch c := s.content; {
	case c.diff != nil:
		return append(out, c.diff.view(st, w, s.left, func(n int) (int, int) { return s.pager.Window(n, room-1) })...)
	case len(c.data) == 0:
		return append(out, "", line(2).Put(theme.Dim, "The file is empty.").String())
	case s.hex || c.text == nil:
		return append(out, s.bytes(room, line)...)
	}
	return append(out, s.text(room, line)...)
}

// bytes draws what the bytes mean, where that is known, and the bytes.
func (s *Screen) bytes(room int, line func(int) *draw.Line) (out []string) {
	facts := s.content.facts
	rows := (len(s.content.data) + 15) / 16
	switch {
	case s.hex || facts == nil:
		facts = nil
	case facts[0].value == "zip archive" || facts[0].value == "Java archive":
		rows = 0 // its entries say more than its bytes
	default:
		facts = append(facts, fact{}) // a line between
	}
	width := 0
	for _, f := range facts {
		width = max(width, sanitize.Width(f.name))
	}
	from, to := s.pager.Window(len(facts)+rows, room)
	for i := from; i < to; i++ {
		if i >= len(facts) {
			l := line(1)
			hexRow(l, s.content.data, i-len(facts))
			out = append(out, l.String())
			continue
		}
		f := facts[i]
		if f == (fact{}) {
			out = append(out, "")
			continue
		}
		out = append(out, line(1).Cell(theme.Dim, f.name, min(width, 24)).Gap(2).Put(f.tone, f.value).String())
	}
	return out
}

// text draws lines with their numbers.
func (s *Screen) text(room int, line func(int) *draw.Line) (out []string) {
	gutter := len(strconv.Itoa(len(s.content.text)))
	from, to := s.pager.Window(len(s.content.text), room)
	for i := from; i < to; i++ {
		l := line(1).Right(theme.Track, strconv.Itoa(i+1), gutter).Gap(2)
		skip := s.left
		for _, sp := range s.content.text[i] {
			if l.Left() <= 0 {
				break
			}
			text := sp.text
			if skip > 0 {
				n := sanitize.Width(text)
				if n <= skip {
					skip -= n
					continue
				}
				text = scrolled(text, skip)
				skip = 0
			}
			l.Put(sp.tone, text)
		}
		out = append(out, l.String())
	}
	return out
}
