package functions

import (
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/screen"
)

// exported tells how writing a file ended.
type exported struct {
	note screen.Effect
}

// askExport asks for the file that gets the functions on screen.
func (s *Screen) askExport() screen.Effect {
	body := "The " + draw.Plural(len(s.rows), "function") + " on screen, in this order, with sizes in bytes and findings."
	unmeasured := 0
	for _, r := range s.rows {
		if r.Facts == nil {
			unmeasured++
		}
	}
	if unmeasured > 0 {
		body += " " + strconv.Itoa(unmeasured) + " of them have not been measured yet: their sizes are written as unknown."
	}
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Export", "a new file's name, ending in "+export.Formats, "functions.csv", body),
		Then: func(name string) screen.Effect {
			if name == "" {
				return screen.Effect{}
			}
			return s.export(dialog.Path(name))
		},
	}}
}

func (s *Screen) export(path string) screen.Effect {
	l := export.List{Account: s.own, Regions: s.regions, Errors: s.inv.Errors()}
	for _, r := range s.rows {
		facts := r.Facts
		if facts == nil {
			facts = &account.Facts{Function: r.Function}
		}
		l.Functions = append(l.Functions, facts)
	}
	return screen.Effect{Cmd: func() tea.Msg {
		if err := export.Write(path, l); err != nil {
			return exported{screen.Say(screen.Bad, err.Error())}
		}
		return exported{screen.Say(screen.Good, "wrote "+draw.Plural(len(l.Functions), "function")+" to "+path)}
	}}
}
