package finder

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/screen"
)

// wrote tells how writing a file ended.
type wrote struct {
	by   *Screen
	note screen.Effect
}

const formats = ".csv or .json"

// askExport asks for the file that gets what is on screen.
func (s *Screen) askExport() screen.Effect {
	body := "CSV: the " + draw.Plural(len(s.found.Rows()), "path") + " on screen, in this order, with the functions that have them."
	if s.byUnread {
		body = "CSV: the " + draw.Plural(len(s.unread.Rows()), "layer version") + " on screen that could not be looked into, with the reasons."
	}
	body += " JSON: all that was found and what could not be looked into, as optlift find -o json prints it."
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Export", "a new file's name, ending in "+formats, "found.csv", body),
		Then: func(name string) screen.Effect {
			if name == "" {
				return screen.Effect{}
			}
			return s.export(dialog.Path(name))
		},
	}}
}

func (s *Screen) export(path string) screen.Effect {
	var write func(io.Writer) error
	var done string
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		// The search may go on meanwhile.
		doc := *s.report
		doc.Found, doc.Unread = slices.Clone(doc.Found), slices.Clone(doc.Unread)
		doc.Sort()
		write = func(w io.Writer) error { return export.JSON(w, &doc) }
		done = "wrote what was found to " + path
	case ".csv":
		rows := s.rows()
		write = func(w io.Writer) error { return report.WriteRows(w, rows) }
		done = "wrote " + draw.Plural(len(rows)-1, "row") + " to " + path
	default:
		return screen.Say(screen.Bad, fmt.Sprintf("export: the name must end in %s, which chooses the format: %s does not", formats, path))
	}
	return screen.Effect{Cmd: func() tea.Msg {
		if err := export.File(path, write); err != nil {
			return wrote{s, screen.Say(screen.Bad, err.Error())}
		}
		return wrote{s, screen.Say(screen.Good, done)}
	}}
}

// rows are those on screen as text, the titles first.
func (s *Screen) rows() [][]string {
	if s.byUnread {
		out := [][]string{{"layer", "state", "message", "functions"}}
		for _, r := range s.unread.Rows() {
			out = append(out, []string{r.ARN, string(r.State), r.Message, strings.Join(s.arns(r.ARN), " ")})
		}
		return out
	}
	out := (&find.Report{}).Rows()
	for _, r := range s.found.Rows() {
		out = append(out, find.Row(r.arn, r.Hit, s.arns(r.arn)))
	}
	return out
}
