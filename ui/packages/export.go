package packages

import (
	"io"
	"strconv"

	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/export"
	"github.com/optlift/optlift/ui/screen"
)

// askExport asks for the file that gets the packages.
func (s *Screen) askExport() screen.Effect {
	body := "CSV: the " + draw.Plural(len(s.sheet.Rows()), "package") + " on screen, in this order. JSON: a CycloneDX bill of materials of all that are seen, without the shadowed ones."
	if n := len(s.found.Unread); n > 0 {
		body += " It says that it is incomplete: " + draw.Plural(n, "file") + " could not be understood."
	}
	return export.AskTable(s, "packages.csv", body, func() export.Content {
		rows := csvRows(s.sheet.Rows())
		return export.Content{What: draw.Plural(len(rows)-1, "package"), Write: func(w io.Writer) error { return report.WriteRows(w, rows) }}
	}, func() export.Content {
		inv, subject := s.found.Inventory, inventory.Subject{Name: s.name, ToolVersion: s.version}
		return export.Content{What: "the bill of materials", Write: func(w io.Writer) error { return inv.WriteCycloneDX(w, subject) }}
	})
}

// csvRows are a row for each package; layer 0 is the code. A version that is not
// known is an empty field.
func csvRows(rows []*row) [][]string {
	out := [][]string{{"ecosystem", "package", "version", "layer", "shadowed", "versions", "path", "purl"}}
	for _, r := range rows {
		out = append(out, []string{string(r.Ecosystem), r.Name, r.Version, strconv.Itoa(r.Layer), strconv.FormatBool(r.Shadowed), strconv.Itoa(r.versions), r.Path, r.PURL})
	}
	return out
}
