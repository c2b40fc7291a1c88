package packages

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/build/inventory"
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

// askExport asks for the file that gets the packages.
func (s *Screen) askExport() screen.Effect {
	body := "CSV: the " + draw.Plural(len(s.sheet.Rows()), "package") + " on screen, in this order. JSON: a CycloneDX bill of materials of all that are seen, without the shadowed ones."
	if n := len(s.found.Unread); n > 0 {
		body += " It says that it is incomplete: " + draw.Plural(n, "file") + " could not be understood."
	}
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Export", "a new file's name, ending in "+formats, "packages.csv", body),
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
	done := ""
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		inv, subject := s.found.Inventory, inventory.Subject{Name: s.name, ToolVersion: s.version}
		write = func(w io.Writer) error { return inv.WriteCycloneDX(w, subject) }
		done = "wrote the bill of materials to " + path
	case ".csv":
		rows := csvRows(s.sheet.Rows())
		write = func(w io.Writer) error { return report.WriteRows(w, rows) }
		done = "wrote " + draw.Plural(len(rows)-1, "package") + " to " + path
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

// csvRows are a row for each package; layer 0 is the code. A version that is not
// known is an empty field.
func csvRows(rows []*row) [][]string {
	out := [][]string{{"ecosystem", "package", "version", "layer", "shadowed", "versions", "path", "purl"}}
	for _, r := range rows {
		out = append(out, []string{string(r.Ecosystem), r.Name, r.Version, strconv.Itoa(r.Layer), strconv.FormatBool(r.Shadowed), strconv.Itoa(r.versions), r.Path, r.PURL})
	}
	return out
}
