package layerdiff

import (
	"cmp"
	"io"
	"strings"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/build/difference"
	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// fileRow is a path that differs. It is a sheet.Row.
type fileRow struct {
	*difference.File
	text string // lower case
}

// Columns of files.
const (
	fileChange = iota
	fileOld
	fileNew
	fileGrown
	fileWhat
	filePath
)

// packageRow is a package that differs. It is a sheet.Row.
type packageRow struct {
	*difference.Package
	text string
}

// Columns of packages.
const (
	packageChange = iota
	packageName
	packageEcosystem
	packageOld
	packageNew
)

func (s *Screen) lists() {
	f := &s.files
	f.Table.Columns = []table.Column{
		{ID: "change", Title: "", Width: 1},
		{ID: "old size", Title: "OLD", Width: 10, Right: true, Number: true, Rank: 3},
		{ID: "new size", Title: "NEW", Width: 10, Right: true, Number: true},
		{ID: "grown", Title: "+/-", Width: 11, Right: true, Number: true, Rank: 2},
		{ID: "what", Title: "WHAT", Width: 7, Flex: true, Max: 12, Rank: 1},
		{ID: "path", Title: "PATH", Width: 30, Flex: true, Max: 240},
	}
	f.Table.Sort = filePath
	f.Names = filter.Columns{"path": false, "name": false, "change": false, "what": false, "type": false, "size": true, "old": true, "new": true, "grown": true}
	f.Compare, f.Cell = compareFiles, fileCell
	p := &s.packages
	p.Table.Columns = []table.Column{
		{ID: "change", Title: "", Width: 1},
		{ID: "name", Title: "PACKAGE", Width: 20, Flex: true, Max: 60},
		{ID: "ecosystem", Title: "KIND", Width: 7},
		{ID: "old version", Title: "OLD", Width: 14, Flex: true, Max: 40},
		{ID: "new version", Title: "NEW", Width: 14, Flex: true, Max: 40},
	}
	p.Table.Sort = packageName
	p.Names = filter.Columns{"name": false, "ecosystem": false, "kind": false, "change": false, "version": false}
	p.Compare, p.Cell = comparePackages, packageCell
}

// fill takes the report in.
func (s *Screen) fill() {
	r := s.report()
	files := make([]*fileRow, len(r.Files))
	for i := range r.Files {
		f := &r.Files[i]
		files[i] = &fileRow{f, strings.ToLower(f.Path + " " + string(f.Change) + " " + strings.Join(f.What, " "))}
	}
	s.files.Set(files)
	packages := make([]*packageRow, len(r.Packages))
	for i := range r.Packages {
		p := &r.Packages[i]
		packages[i] = &packageRow{p, strings.ToLower(p.Name + " " + string(p.Ecosystem) + " " + string(p.Change) + " " + strings.Join(p.Old, " ") + " " + strings.Join(p.New, " "))}
	}
	s.packages.Set(packages)
}

// closed says why there is nothing to look into, "" where there is.
func (r *fileRow) closed() string {
	for _, side := range []*difference.Side{r.Old, r.New} {
		switch {
		case side == nil:
		case side.Type == "dir":
			return "this is a directory"
		case side.Type != "file":
			return "this is a link"
		}
	}
	return ""
}

// Key implements sheet.Row.
func (r *fileRow) Key() string { return r.Path }

// FilterText implements filter.Row.
func (r *fileRow) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *fileRow) FilterName() string { return strings.ToLower(r.Path) }

// FilterField implements filter.Row.
func (r *fileRow) FilterField(column string) []string {
	switch column {
	case "path":
		return []string{strings.ToLower(r.Path)}
	case "name":
		return []string{strings.ToLower(r.Path[strings.LastIndexByte(r.Path, '/')+1:])}
	case "change":
		return []string{string(r.Change)}
	case "what":
		return r.What
	case "type":
		var out []string
		for _, s := range []*difference.Side{r.Old, r.New} {
			if s != nil {
				out = append(out, s.Type)
			}
		}
		return out
	}
	return nil
}

// FilterNumber implements filter.Row.
func (r *fileRow) FilterNumber(column string) (float64, filter.Presence) {
	old, hasOld := size(r.Old)
	now, hasNew := size(r.New)
	switch {
	case column == "grown":
		return float64(now - old), filter.Known
	case column == "old" && hasOld, column == "size" && !hasNew:
		return float64(old), filter.Known
	case column != "old" && hasNew:
		return float64(now), filter.Known
	}
	return 0, filter.None
}

func size(s *difference.Side) (int64, bool) {
	if s == nil {
		return 0, false
	}
	return s.Size, true
}

func (r *fileRow) grown() int64 {
	old, _ := size(r.Old)
	now, _ := size(r.New)
	return now - old
}

func compareFiles(a, b *fileRow, column int) int {
	sized := func(x, y *difference.Side) int {
		m, hasM := size(x)
		n, hasN := size(y)
		if !hasM {
			m = -1
		}
		if !hasN {
			n = -1
		}
		return cmp.Compare(m, n)
	}
	switch column {
	case fileChange:
		return cmp.Compare(a.Change, b.Change)
	case fileOld:
		return sized(a.Old, b.Old)
	case fileNew:
		return sized(a.New, b.New)
	case fileGrown:
		return cmp.Compare(a.grown(), b.grown())
	case fileWhat:
		return cmp.Compare(strings.Join(a.What, " "), strings.Join(b.What, " "))
	}
	return cmp.Compare(a.Path, b.Path)
}

func tone(c difference.Change) theme.Tone {
	switch c {
	case difference.Added:
		return theme.Good
	case difference.Removed:
		return theme.Bad
	}
	return theme.Warn
}

func fileCell(r *fileRow, column int) table.Cell {
	sized := func(s *difference.Side, t theme.Tone) table.Cell {
		if s == nil || s.Type != "file" {
			return table.Text(theme.Dim, "-", true)
		}
		return table.Text(t, draw.Bytes(s.Size), true)
	}
	switch column {
	case fileChange:
		return table.Text(tone(r.Change), sign(r.Change), false)
	case fileOld:
		return sized(r.Old, theme.Dim)
	case fileNew:
		return sized(r.New, theme.Plain)
	case fileGrown:
		return table.Text(theme.Dim, more(r.grown()), true)
	case fileWhat:
		return table.Text(theme.Dim, r.what(), false)
	}
	return func(l *draw.Line, w int) { l.Tail(theme.Plain, r.path(), w) }
}

// path is the path, a directory's with a slash at its end.
func (r *fileRow) path() string {
	if cmp.Or(r.New, r.Old).Type == "dir" {
		return r.Path + "/"
	}
	return r.Path
}

// what says what of a path changed, in few columns: a size that differs says that
// the content does.
func (r *fileRow) what() string {
	var out []string
	for _, w := range r.What {
		if w != "size" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

// more is a size with its sign, "" for none.
func more(n int64) string {
	switch {
	case n > 0:
		return "+" + draw.Bytes(n)
	case n < 0:
		return "-" + draw.Bytes(-n)
	}
	return ""
}

func openerOf(t *optfs.Tree, e *optfs.Entry) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return t.Open(e) }
}

// Key implements sheet.Row.
func (r *packageRow) Key() string { return string(r.Ecosystem) + " " + r.Name }

// FilterText implements filter.Row.
func (r *packageRow) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *packageRow) FilterName() string { return strings.ToLower(r.Name) }

// FilterField implements filter.Row.
func (r *packageRow) FilterField(column string) []string {
	switch column {
	case "name":
		return []string{strings.ToLower(r.Name)}
	case "ecosystem", "kind":
		return []string{string(r.Ecosystem)}
	case "change":
		return []string{string(r.Change)}
	case "version":
		return strings.Split(strings.ToLower(strings.Join(append(append([]string{}, r.Old...), r.New...), "\n")), "\n")
	}
	return nil
}

// FilterNumber implements filter.Row.
func (r *packageRow) FilterNumber(string) (float64, filter.Presence) { return 0, filter.None }

func comparePackages(a, b *packageRow, column int) int {
	switch column {
	case packageChange:
		return cmp.Compare(a.Change, b.Change)
	case packageEcosystem:
		return cmp.Compare(a.Ecosystem, b.Ecosystem)
	case packageOld:
		return cmp.Compare(versions(a.Old), versions(b.Old))
	case packageNew:
		return cmp.Compare(versions(a.New), versions(b.New))
	}
	return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
}

func packageCell(r *packageRow, column int) table.Cell {
	switch column {
	case packageChange:
		return table.Text(tone(r.Change), sign(r.Change), false)
	case packageName:
		return table.Text(theme.Plain, r.Name, false)
	case packageEcosystem:
		return table.Text(theme.Dim, string(r.Ecosystem), false)
	case packageOld:
		return table.Text(theme.Dim, versions(r.Old), false)
	}
	return table.Text(theme.Plain, versions(r.New), false)
}

// versions names versions, "-" for none.
func versions(in []string) string {
	if len(in) == 0 {
		return "-"
	}
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = cmp.Or(v, "unknown")
	}
	return strings.Join(out, ", ")
}
