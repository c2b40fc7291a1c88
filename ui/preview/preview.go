package preview

import (
	"context"
	"errors"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

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
	title   string
	jobs    *job.Group
	explain func(error) string
	load    func(context.Context) (*content, error)
	diff    bool

	job     *job.Job
	content *content
	failed  string
	hex     bool
	left    int // columns scrolled to the right
	pager   list.Pager
}

// New returns the screen of a file; Start reads it.
func New(f File, jobs *job.Group, explain func(error) string) *Screen {
	return &Screen{title: f.Path, jobs: jobs, explain: explain,
		load: func(ctx context.Context) (*content, error) { return load(ctx, f) }}
}

// Compare returns the screen of what sets now, which is used, apart from old,
// which it shadows.
func Compare(old, now File, jobs *job.Group, explain func(error) string) *Screen {
	return &Screen{title: "compare " + now.Path, jobs: jobs, explain: explain, diff: true,
		load: func(ctx context.Context) (*content, error) { return compare(ctx, old, now) }}
}

// Start reads the file.
func (s *Screen) Start() screen.Effect {
	load, explain := s.load, s.explain
	j, cmd := s.jobs.Start("reading "+s.title, false, func(ctx context.Context) (any, error) {
		c, err := load(ctx)
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
		if s.diff {
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
	if s.diff {
		return s.pager.Hint()
	}
	return s.pager.Count(draw.Exact(s.content.file.Size) + " bytes")
}

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	noHex := ""
	switch {
	case s.content == nil:
		noHex = "the file has not been read"
	case s.diff:
		noHex = "this is a comparison"
	case s.content.text == nil:
		noHex = "the file is not text"
	}
	label := "hex"
	if s.hex {
		label = "text"
	}
	return append([]keys.Action{
		{ID: "hex", Keys: []string{"x"}, Label: label, Group: "File", Help: "show bytes in hexadecimal, or text", Disabled: noHex},
		{ID: "right", Keys: []string{"right", "l"}, Group: "File", Help: "scroll to the right"},
		{ID: "left", Keys: []string{"left", "h"}, Group: "File", Help: "scroll to the left"},
	}, list.Actions()...)
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	switch id {
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
	head := draw.NewLine(st, w, false).Gap(1).Tail(theme.Dim, s.title, w-2).String()
	out := []string{head}
	switch {
	case s.failed != "":
		out = append(out, "")
		return append(out, draw.Para(st, w-1, 2, theme.Bad, s.failed)...)
	case s.content == nil:
		return append(out, "", draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "Reading …").String())
	}
	if len(s.content.notes) > 0 {
		out = append(out, draw.NewLine(st, w, false).Gap(1).Put(theme.Warn, "! "+strings.Join(s.content.notes, " · ")).String())
	}
	room := h - len(out)
	if s.hex || s.content.text == nil {
		rows := (len(s.content.data) + 15) / 16
		if rows == 0 {
			return append(out, "", draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "The file is empty.").String())
		}
		from, to := s.pager.Window(rows, room)
		for row := from; row < to; row++ {
			l := draw.NewLine(st, w, false).Gap(1)
			hexRow(l, s.content.data, row)
			out = append(out, l.String())
		}
		return out
	}
	if len(s.content.text) == 0 {
		return append(out, "", draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "The file is empty.").String())
	}
	gutter := len(strconv.Itoa(len(s.content.text)))
	from, to := s.pager.Window(len(s.content.text), room)
	for i := from; i < to; i++ {
		l := draw.NewLine(st, w, false).Gap(1)
		if !s.diff {
			l.Right(theme.Track, strconv.Itoa(i+1), gutter).Gap(2)
		}
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
				text = ansi.Cut(text, skip, n)
				skip = 0
			}
			l.Put(sp.tone, text)
		}
		out = append(out, l.String())
	}
	return out
}
