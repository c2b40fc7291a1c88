package finder

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// hitRow is a path of a layer version. It is a sheet.Row.
type hitRow struct {
	*find.Hit
	s    *Screen
	arn  string
	name string // of the layer version
	text string // lower case
}

// closedRow is a layer version that could not be looked into. It is a sheet.Row.
type closedRow struct {
	find.Result
	s    *Screen
	name string
	text string
}

func (s *Screen) newHit(arn string, h *find.Hit) *hitRow {
	r := &hitRow{Hit: h, s: s, arn: arn, name: inventory.ShortLayer(arn)}
	r.text = strings.ToLower(r.name + " " + h.Path + " " + r.Package.String())
	return r
}

func (s *Screen) newClosed(res find.Result) *closedRow {
	r := &closedRow{Result: res, s: s, name: inventory.ShortLayer(res.ARN)}
	r.text = strings.ToLower(r.name + " " + string(r.State) + " " + r.Message)
	return r
}

// users are the functions that have a layer version, as far as is known now.
func (s *Screen) users(arn string) []*inventory.Row {
	if l := s.layers[arn]; l != nil {
		return l.Functions
	}
	return nil
}

// arns are the functions' ARNs.
func (s *Screen) arns(layer string) (out []string) {
	for _, r := range s.users(layer) {
		out = append(out, r.ARN)
	}
	return out
}

// names are some functions' names.
func (s *Screen) names(arn string, most int) string {
	users := s.users(arn)
	out := make([]string, 0, min(len(users), most))
	for _, r := range users[:min(len(users), most)] {
		out = append(out, r.Name)
	}
	return strings.Join(out, ", ")
}

// named is how many functions' names a row names.
const named = 8

// Columns of what was found.
const (
	colLayer = iota
	colPath
	colFiles
	colSize
	colUsers
	colWho
)

// Columns of what could not be looked into.
const (
	closedLayer = iota
	closedState
	closedUsers
	closedWhy
)

func (s *Screen) lists() {
	f := &s.found
	f.Table.Columns = []table.Column{
		{ID: "layer", Title: "LAYER VERSION", Width: 18, Flex: true, Max: 26},
		{ID: "path", Title: "PATH", Width: 24, Flex: true, Max: 120},
		{ID: "files", Title: "FILES", Width: 6, Right: true, Number: true, Rank: 2},
		{ID: "size", Title: "SIZE", Width: 10, Right: true, Number: true, Rank: 1},
		{ID: "number of functions", Title: "USED", Width: 5, Right: true, Number: true},
		{ID: "functions", Title: "BY", Width: 12, Rank: 3, Flex: true, Max: 60},
	}
	f.Table.Sort = colLayer
	f.Names = filter.Columns{
		"layer": false, "path": false, "name": false, "package": false, "version": false, "type": false, "owner": false, "function": false,
		"files": true, "size": true, "functions": true, "used": true,
	}
	f.Compare, f.Cell = compareHits, hitCell
	u := &s.unread
	u.Table.Columns = []table.Column{
		{ID: "layer", Title: "LAYER VERSION", Width: 22, Flex: true, Max: 34},
		{ID: "state", Title: "STATE", Width: 10},
		{ID: "number of functions", Title: "USED", Width: 5, Right: true, Number: true},
		{ID: "why", Title: "WHY", Width: 24, Flex: true, Max: 200},
	}
	u.Table.Sort = closedLayer
	u.Names = filter.Columns{"layer": false, "name": false, "state": false, "owner": false, "function": false, "functions": true, "used": true}
	u.Compare, u.Cell = compareClosed, closedCell
}

// shown is the path, a directory's with a slash at its end.
func (r *hitRow) shown() string {
	if r.Type == zipdir.Dir.String() {
		return r.Path + "/"
	}
	return r.Path
}

// Key implements sheet.Row.
func (r *hitRow) Key() string { return r.arn + " " + r.Path }

// FilterText implements filter.Row.
func (r *hitRow) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *hitRow) FilterName() string { return strings.ToLower(r.name) }

// FilterField implements filter.Row.
func (r *hitRow) FilterField(column string) []string {
	one := func(s string) []string { return []string{strings.ToLower(s)} }
	switch column {
	case "path":
		return one(r.Path)
	case "name":
		return one(r.Path[strings.LastIndexByte(r.Path, '/')+1:])
	case "type":
		return one(r.Type)
	case "package", "version":
		if r.Package == nil {
			return nil
		}
		if column == "version" {
			return one(r.Package.Version)
		}
		return one(r.Package.Name)
	}
	return r.s.field(r.arn, column)
}

// field is a column that both kinds of rows have.
func (s *Screen) field(arn, column string) []string {
	switch column {
	case "layer", "name":
		return []string{strings.ToLower(arn)}
	case "owner":
		return []string{inventory.LayerAccount(arn)}
	case "function", "functions":
		var out []string
		for _, r := range s.users(arn) {
			out = append(out, r.FilterName())
		}
		return out
	}
	return nil
}

// FilterNumber implements filter.Row.
func (r *hitRow) FilterNumber(column string) (float64, filter.Presence) {
	switch column {
	case "files":
		return float64(r.Files), filter.Known
	case "size":
		return float64(r.Size), filter.Known
	}
	return float64(len(r.s.users(r.arn))), filter.Known
}

func compareHits(a, b *hitRow, column int) int {
	switch column {
	case colPath:
		return cmp.Compare(a.Path, b.Path)
	case colFiles:
		return cmp.Compare(a.Files, b.Files)
	case colSize:
		return cmp.Compare(a.Size, b.Size)
	case colUsers, colWho:
		return cmp.Compare(len(a.s.users(a.arn)), len(b.s.users(b.arn)))
	}
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.arn, b.arn), cmp.Compare(a.Path, b.Path))
}

func hitCell(r *hitRow, column int) table.Cell {
	switch column {
	case colLayer:
		return table.Text(theme.Plain, r.name, false)
	case colPath:
		return func(l *draw.Line, w int) {
			if r.Package != nil {
				l.Cell(theme.Plain, r.Package.String()+"  "+r.Path, w)
				return
			}
			l.Tail(theme.Plain, r.shown(), w)
		}
	case colFiles:
		return table.Text(theme.Dim, draw.Exact(int64(r.Files)), true)
	case colSize:
		return table.Text(theme.Dim, draw.Bytes(r.Size), true)
	case colUsers:
		return table.Text(theme.Plain, strconv.Itoa(len(r.s.users(r.arn))), true)
	}
	return table.Text(theme.Dim, r.s.names(r.arn, named), false)
}

// Key implements sheet.Row.
func (r *closedRow) Key() string { return r.ARN }

// FilterText implements filter.Row.
func (r *closedRow) FilterText() string { return r.text }

// FilterName implements filter.Row.
func (r *closedRow) FilterName() string { return strings.ToLower(r.name) }

// FilterField implements filter.Row.
func (r *closedRow) FilterField(column string) []string {
	if column == "state" {
		return []string{string(r.State)}
	}
	return r.s.field(r.ARN, column)
}

// FilterNumber implements filter.Row.
func (r *closedRow) FilterNumber(string) (float64, filter.Presence) {
	return float64(len(r.s.users(r.ARN))), filter.Known
}

func compareClosed(a, b *closedRow, column int) int {
	switch column {
	case closedState:
		return cmp.Compare(a.State, b.State)
	case closedUsers:
		return cmp.Compare(len(a.s.users(a.ARN)), len(b.s.users(b.ARN)))
	case closedWhy:
		return cmp.Compare(a.Message, b.Message)
	}
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.ARN, b.ARN))
}

func closedCell(r *closedRow, column int) table.Cell {
	switch column {
	case closedLayer:
		return table.Text(theme.Plain, r.name, false)
	case closedState:
		text, tone := mark.State(r.State)
		return table.Text(tone, text, false)
	case closedUsers:
		return table.Text(theme.Plain, strconv.Itoa(len(r.s.users(r.ARN))), true)
	}
	return table.Text(theme.Dim, r.Message, false)
}

// unreadable are the states in which nothing can be looked into, the worst first.
var unreadable = []account.State{account.Deleted, account.Denied, account.Failed}
