package layerdiff

import (
	"io"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/screen"
)

// askExport asks for the file that gets the whole difference.
func (s *Screen) askExport() screen.Effect {
	r := s.report()
	body := "The whole difference: " + draw.Plural(len(r.Files), "path") + " and " + draw.Plural(len(r.Packages), "package") + ", sizes in bytes. JSON is what optlift diff -o json prints."
	content := func(write func(io.Writer) error) func() export.Content {
		return func() export.Content { return export.Content{What: "the difference", Write: write} }
	}
	return export.AskTable(s, "difference.csv", body,
		content(func(w io.Writer) error { return report.WriteRows(w, csvRows(r)) }),
		content(func(w io.Writer) error { return export.JSON(w, r) }))
}

// csvRows are a row for each path and each package; a size or version that is not
// there is an empty field.
func csvRows(r *difference.Report) [][]string {
	out := [][]string{{"kind", "change", "name", "what", "old_size", "new_size", "old_version", "new_version"}}
	bytes := func(s *difference.Side) string {
		if s == nil {
			return ""
		}
		return strconv.FormatInt(s.Size, 10)
	}
	for i := range r.Files {
		f := &r.Files[i]
		kind := ""
		for _, s := range []*difference.Side{f.Old, f.New} {
			if s != nil {
				kind = s.Type
			}
		}
		out = append(out, []string{kind, string(f.Change), f.Path, strings.Join(f.What, " "), bytes(f.Old), bytes(f.New), "", ""})
	}
	for i := range r.Packages {
		p := &r.Packages[i]
		out = append(out, []string{string(p.Ecosystem) + " package", string(p.Change), p.Name, "", "", "", strings.Join(p.Old, " "), strings.Join(p.New, " ")})
	}
	return out
}
