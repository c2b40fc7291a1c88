package layerdiff

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/build/difference"
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

// askExport asks for the file that gets the whole difference.
func (s *Screen) askExport() screen.Effect {
	r := s.report()
	body := "The whole difference: " + draw.Plural(len(r.Files), "path") + " and " + draw.Plural(len(r.Packages), "package") + ", sizes in bytes. JSON is what optlift diff -o json prints."
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Export", "a new file's name, ending in "+formats, "difference.csv", body),
		Then: func(name string) screen.Effect {
			if name == "" {
				return screen.Effect{}
			}
			return s.export(dialog.Path(name))
		},
	}}
}

func (s *Screen) export(path string) screen.Effect {
	r := s.report()
	var write func(io.Writer) error
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		write = func(w io.Writer) error { return export.JSON(w, r) }
	case ".csv":
		write = func(w io.Writer) error { return report.WriteRows(w, csvRows(r)) }
	default:
		return screen.Say(screen.Bad, fmt.Sprintf("export: the name must end in %s, which chooses the format: %s does not", formats, path))
	}
	return screen.Effect{Cmd: func() tea.Msg {
		if err := export.File(path, write); err != nil {
			return wrote{s, screen.Say(screen.Bad, err.Error())}
		}
		return wrote{s, screen.Say(screen.Good, "wrote the difference to "+path)}
	}}
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
