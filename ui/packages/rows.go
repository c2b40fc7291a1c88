package packages

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// row is one package at one place. It is a sheet.Row.
type row struct {
	*inventory.Package
	copies   []inventory.Package // of the same package, itself included
	versions int                 // how many different ones they have
	// divided: they lie in several layers, or a layer and the code, where runtimes search.
	divided bool
	text    string // lower case
}

func newRow(p *inventory.Package, copies []inventory.Package, versions int, divided bool) *row {
	return &row{p, copies, versions, divided, strings.ToLower(p.Name + " " + p.Version + " " + string(p.Ecosystem) + " " + p.Path)}
}

const (
	colName = iota
	colVersion
	colEcosystem
	colLayer
	colNote
	colPath
)

func (s *Screen) list() {
	s.sheet.Table.Columns = []table.Column{
		{ID: "name", Title: "PACKAGE", Width: 18, Flex: true, Max: 32},
		{ID: "version", Title: "VERSION", Width: 9, Flex: true, Max: 14},
		{ID: "ecosystem", Title: "KIND", Width: 6, Rank: 2},
		{ID: "layer", Title: "IN", Width: 3},
		{ID: "versions", Title: "NOTE", Width: 12, Number: true},
		{ID: "path", Title: "PATH", Width: 20, Flex: true, Max: 200, Rank: 1},
	}
	s.sheet.Table.Sort = colName
	s.sheet.Names = filter.Columns{
		"name": false, "package": false, "version": false, "ecosystem": false, "kind": false, "path": false, "purl": false,
		"layer": false, "note": false, "versions": true,
	}
	s.sheet.Compare, s.sheet.Cell = compare, cell
}

// place is how the archive is known that a package lies in: "2B", or "c" for the code.
func (r *row) place() (string, theme.Tone) { return place(r.Layer) }

func place(layer int) (string, theme.Tone) {
	if layer == 0 {
		return "c", theme.Code
	}
	return strconv.Itoa(layer) + theme.Letter(layer), theme.Layer(layer)
}

// note says what is wrong with the row in few words, "" for nothing.
func (r *row) note() (string, theme.Tone) {
	switch {
	case r.Shadowed:
		return "shadowed", theme.Dim
	case r.divided && r.TopLevel:
		return "▲ " + strconv.Itoa(r.versions) + " versions", theme.Warn
	case r.versions > 1:
		return strconv.Itoa(r.versions) + " versions", theme.Dim
	}
	return "", theme.Dim
}

// Key implements sheet.Row.
func (r *row) Key() string {
	return strconv.Itoa(r.Layer) + " " + string(r.Ecosystem) + " " + r.Name + " " + r.Version + " " + r.Path
}

// FilterText implements filter.Row.
func (r *row) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *row) FilterName() string { return strings.ToLower(r.Name) }

// FilterField implements filter.Row.
func (r *row) FilterField(column string) []string {
	one := func(s string) []string { return []string{strings.ToLower(s)} }
	switch column {
	case "name", "package":
		return one(r.Name)
	case "version":
		return one(cmp.Or(r.Version, "unknown"))
	case "ecosystem", "kind":
		return one(string(r.Ecosystem))
	case "path":
		return one(r.Path)
	case "purl":
		return one(r.PURL)
	case "layer":
		name, _ := r.place()
		return one(name)
	case "note":
		text, _ := r.note()
		return one(text)
	}
	return nil
}

// FilterNumber implements filter.Row.
func (r *row) FilterNumber(string) (float64, filter.Presence) {
	return float64(r.versions), filter.Known
}

func compare(a, b *row, column int) int {
	switch column {
	case colVersion:
		return cmp.Compare(a.Version, b.Version)
	case colEcosystem:
		return cmp.Compare(a.Ecosystem, b.Ecosystem)
	case colLayer:
		return cmp.Compare(a.Layer, b.Layer)
	case colNote:
		return cmp.Or(cmp.Compare(grave(a), grave(b)), cmp.Compare(a.versions, b.versions))
	case colPath:
		return cmp.Compare(a.Path, b.Path)
	}
	return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
}

// grave orders the notes.
func grave(r *row) int {
	switch {
	case r.divided && r.TopLevel && !r.Shadowed:
		return 2
	case r.versions > 1 || r.Shadowed:
		return 1
	}
	return 0
}

func cell(r *row, column int) table.Cell {
	switch column {
	case colName:
		if r.Shadowed {
			return table.Text(theme.Dim, r.Name, false)
		}
		return table.Text(theme.Plain, r.Name, false)
	case colVersion:
		if r.Version == "" {
			return table.Text(theme.Warn, "? unknown", false)
		}
		return table.Text(theme.Plain, r.Version, false)
	case colEcosystem:
		return table.Text(theme.Dim, string(r.Ecosystem), false)
	case colLayer:
		text, tone := r.place()
		return table.Text(tone, text, false)
	case colNote:
		text, tone := r.note()
		return table.Text(tone, text, false)
	}
	return table.Text(theme.Dim, r.Path, false)
}
