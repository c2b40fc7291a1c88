package optview

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// extraction is what is being unpacked.
type extraction struct {
	job         *job.Job
	name, dir   string
	done, total atomic.Int64 // bytes
}

func (s *Screen) extractAction(nothing string) keys.Action {
	a := keys.Action{ID: "extract", Keys: []string{"e"}, Label: "extract", Minor: true, Group: "Tree", Help: "unpack what is marked, or else the selected path, into a directory of this machine", Disabled: nothing}
	if n := len(s.marked); n > 0 {
		a.Label, a.Minor, a.Disabled = "extract "+strconv.Itoa(n)+" marked", false, ""
	}
	if s.trial.outcome != nil {
		a.Disabled = "these are not the layers as they are: " + s.Key("as-is") + " goes back to them"
	}
	if text := s.missing(); s.now == s.opt && text != "" {
		a.Disabled = text
	}
	if s.extract != nil {
		a.Label, a.Minor, a.Disabled = "stop extracting", false, ""
	}
	return a
}

// askExtract asks where to; while something is unpacked it stops that.
func (s *Screen) askExtract() screen.Effect {
	if s.extract != nil {
		s.extract.job.Cancel()
		return screen.Effect{}
	}
	names, what := s.toExtract()
	if len(names) == 0 {
		return screen.Effect{}
	}
	verb := " is unpacked as it is used, each file checked."
	if len(names) > 1 {
		verb = " are unpacked as they are used, each file checked, all of them or none."
	}
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Extract", "a directory of this machine", "extracted",
			what+verb+" Nothing that is there is overwritten; the account is not touched."),
		Then: func(dir string) screen.Effect {
			if dir == "" {
				return screen.Effect{}
			}
			return s.startExtract(names, dir)
		},
	}}
}

// toExtract is what is marked, or else the selected path, and what to call it.
func (s *Screen) toExtract() (names []string, what string) {
	if len(s.marked) > 0 {
		names = slices.Sorted(maps.Keys(s.marked))
		what = strings.Join(names[:min(len(names), 4)], ", ")
		if more := len(names) - 4; more > 0 {
			what += " and " + strconv.Itoa(more) + " more"
		}
		return names, what
	}
	n := s.now.tree.Selected()
	if n == nil {
		return nil, ""
	}
	what = s.now.path + "/" + n.Entry.Path
	names = []string{what}
	if n.Dir() {
		what += "/ with " + draw.Plural(n.Files, "file") + ", " + draw.Bytes(n.Size) + ","
	}
	return names, what
}

func (s *Screen) startExtract(names []string, dir string) screen.Effect {
	if s.set == nil || s.extract != nil {
		return screen.Effect{}
	}
	dir = dialog.Path(dir)
	name := names[0]
	if len(names) > 1 {
		name = draw.Plural(len(names), "marked path")
	}
	x := &extraction{name: name, dir: dir}
	set, explain := s.set, s.opener.Explain
	var cmd screen.Effect
	x.job, cmd.Cmd = s.jobs.Start("extracting "+name, false, func(ctx context.Context) (any, error) {
		found, err := set.ExtractAll(ctx, names, dir, func(done, total int64) {
			x.done.Store(done)
			x.total.Store(total)
		})
		if err != nil {
			return nil, errors.New(explain(err))
		}
		return found, nil
	})
	s.extract = x
	return cmd
}

// extracted says what came of it.
func (s *Screen) extracted(done job.Done) screen.Effect {
	x := s.extract
	s.extract = nil
	switch found, _ := done.Value.(*target.Extracted); {
	case x.job.Cancelled():
		return screen.Say(screen.Info, "stopped: nothing of "+x.name+" was left in "+x.dir)
	case done.Err != nil:
		return screen.Say(screen.Bad, done.Err.Error())
	case found != nil && len(found.Outside) > 0:
		return screen.Say(screen.Warn, "extracted to "+x.dir+"; "+draw.Plural(len(found.Outside), "link")+" lead out of it: "+strings.Join(found.Outside, " "))
	case found != nil:
		clear(s.marked)
		return screen.Say(screen.Good, "extracted "+draw.Plural(found.Files, "file")+", "+draw.Bytes(found.Bytes)+", to "+x.dir)
	}
	return screen.Effect{}
}

func (x *extraction) line(l *draw.Line, w int) string {
	done, total := x.done.Load(), x.total.Load()
	l.Bar(theme.Accent, done, max(total, 1), min(w/4, 30)).Put(theme.Dim, " "+draw.Bytes(done)+" of "+draw.Bytes(total)+"  ")
	return l.Tail(theme.Plain, x.name, l.Left()-1).String()
}
