package loading

import (
	"context"
	"errors"
	"sync"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/theme"
)

// Fetcher opens targets with all their bytes at hand. progress is never called
// concurrently.
type Fetcher interface {
	Fetch(ctx context.Context, progress func(name string, done, total int64), targets ...string) (*target.Set, error)
	Explain(err error) string
}

// Transfers are the archives that arrive. It is safe for concurrent use; the zero
// value is ready for it.
type Transfers struct {
	mu    sync.Mutex
	names []string
	parts map[string]part
	stage string
}

type part struct{ done, total int64 }

// Note tells how many bytes of an archive are there.
func (t *Transfers) Note(name string, done, total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parts == nil {
		t.parts = map[string]part{}
	}
	if _, known := t.parts[name]; !known {
		t.names = append(t.names, name)
	}
	t.parts[name] = part{done, total}
}

// Stage says what is done once the archives are there.
func (t *Transfers) Stage(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stage = text
}

// View draws a bar for each archive, in h lines at most. what is said above them.
func (t *Transfers) View(st *theme.Styles, w, h int, what string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := append([]string{""}, draw.Para(st, w-1, 2, theme.Dim, what)...)
	if len(t.names) > 0 {
		out = append(out, "")
	}
	for i, name := range t.names {
		if len(out) >= h-3 {
			out = append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "and "+draw.Plural(len(t.names)-i, "archive")+" more").String())
			break
		}
		p := t.parts[name]
		l := draw.NewLine(st, w, false).Gap(2).Bar(theme.Accent, p.done, max(p.total, 1), min(w/4, 30))
		size := draw.Bytes(p.done)
		if p.total > 0 {
			size += " of " + draw.Bytes(p.total)
		}
		out = append(out, l.Gap(2).Cell(theme.Dim, size, 22).Gap(1).Put(theme.Plain, inventory.ShortLayer(name)).String())
	}
	out = append(out, "")
	if t.stage != "" {
		out = append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Plain, t.stage+" …").String())
	}
	return append(out, draw.NewLine(st, w, false).Gap(2).Put(theme.Dim, "esc stops it.").String())
}

// Failure is why there is nothing to show.
type Failure struct {
	State   account.State
	Message string
}

// Fail makes an error a Failure; nil stays nil.
func Fail(f Fetcher, err error) error {
	if err == nil {
		return nil
	}
	return &Failure{account.StateOf(err), f.Explain(err)}
}

// FailureOf is the Failure that an error is or wraps; any other error is one whose
// State is not known.
func FailureOf(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Message: err.Error()}
}

func (f *Failure) Error() string { return f.Message }

// View says what could not be shown and why. what is the whole sentence, again the
// key that tries again.
func (f *Failure) View(st *theme.Styles, w int, what, again string) []string {
	say := func(t theme.Tone, text string) []string { return draw.Para(st, w-1, 2, t, text) }
	out := append([]string{""}, say(theme.Bad, what)...)
	out = append(out, say(theme.Plain, f.Message)...)
	out = append(out, "")
	switch f.State {
	case account.Deleted:
		out = append(out, say(theme.Dim, "✗ It is gone, or never was. Nobody can read a layer version that was deleted; functions that have it keep it.")...)
	case account.Denied:
		out = append(out, say(theme.Dim, "⊘ It may be there: you are not allowed to look.")...)
	}
	return append(out, say(theme.Dim, again+" tries again.")...)
}
