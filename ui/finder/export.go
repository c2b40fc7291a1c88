package finder

import (
	"io"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/screen"
)

// askExport asks for the file that gets what is on screen.
func (s *Screen) askExport() screen.Effect {
	body := "CSV: the " + draw.Plural(len(s.found.Rows()), "path") + " on screen, in this order, with the functions that have them."
	if s.byUnread {
		body = "CSV: the " + draw.Plural(len(s.unread.Rows()), "layer version") + " on screen that could not be looked into, with the reasons."
	}
	body += " JSON: all that was found and what could not be looked into, as optlift find -o json prints it."
	return export.AskTable(s, "found.csv", body, func() export.Content {
		rows := s.rows()
		return export.Content{What: draw.Plural(len(rows)-1, "row"), Write: func(w io.Writer) error { return report.WriteRows(w, rows) }}
	}, func() export.Content {
		// The search may go on meanwhile.
		doc := *s.report
		doc.Found, doc.Unread = slices.Clone(doc.Found), slices.Clone(doc.Unread)
		doc.Sort()
		return export.Content{What: "what was found", Write: func(w io.Writer) error { return export.JSON(w, &doc) }}
	})
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
