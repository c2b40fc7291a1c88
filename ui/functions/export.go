package functions

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/inventory"
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
	return export.Ask("functions.csv", export.Formats, body, s.export)
}

func (s *Screen) export(path string) screen.Effect {
	l := export.List{
		Created: s.account.Created, Account: s.account.ID, Regions: s.account.Regions, Accounts: s.account.Of,
		Histories: map[string]*account.History{}, Newest: s.inv.Newest(), Errors: s.inv.Errors(),
	}
	if s.account.Live {
		ended := s.inv.Ended
		if s.inv.Running() {
			ended = time.Now() // of what is known so far
		}
		l.Created = ended.UTC().Format(time.RFC3339)
	}
	layers := map[string]*account.LayerVersion{}
	for _, x := range s.inv.Layers() {
		layers[x.ARN] = x.Facts
	}
	listed := map[string]bool{}
	for _, r := range s.rows {
		listed[r.ARN] = true
		l.Functions = append(l.Functions, known(r, layers))
		if r.History != nil {
			l.Histories[r.ARN] = r.History
		}
	}
	for _, r := range s.sorted {
		if !listed[r.ARN] {
			l.Others = append(l.Others, known(r, layers))
		}
	}
	return screen.Effect{Cmd: func() tea.Msg {
		if err := export.Write(path, l); err != nil {
			return exported{screen.Say(screen.Bad, err.Error())}
		}
		return exported{screen.Say(screen.Good, "wrote "+draw.Plural(len(l.Functions), "function")+" to "+path)}
	}}
}

// known is what is known of a function, of one that has not been measured yet what
// its listing told.
func known(r *inventory.Row, layers map[string]*account.LayerVersion) *account.Facts {
	if r.Facts != nil {
		return r.Facts
	}
	f := &account.Facts{Function: r.Function, Code: account.Archive{State: account.Unknown}, TagsState: account.Unknown}
	for _, l := range r.Layers {
		if facts := layers[l.ARN]; facts != nil {
			f.LayerFacts = append(f.LayerFacts, facts)
			continue
		}
		f.LayerFacts = append(f.LayerFacts, &account.LayerVersion{ARN: l.ARN, Size: l.Size, Archive: account.Archive{State: account.Unknown}})
	}
	return f
}
