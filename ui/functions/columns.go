package functions

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

// column is one thing the table can tell of a function. Its ID is the word for it
// in filters, in the configuration and in reports.
type column struct {
	table.Column
	help string
	cell func(s *Screen, r *inventory.Row) table.Cell
	// What sorts: numbers, or texts where number is nil.
	number func(r *inventory.Row) (int64, bool)
	text   func(r *inventory.Row) string
}

// columns are all of them, in the order of the default layout.
var columns = []column{
	{
		Column: table.Column{ID: "name", Title: "FUNCTION", Width: 23, Flex: true, Max: 44},
		help:   "the function's name",
		cell:   func(_ *Screen, r *inventory.Row) table.Cell { return table.Text(theme.Plain, r.Name, false) },
		text:   func(r *inventory.Row) string { return r.Name },
	},
	dim("runtime", "RUNTIME", "the runtime's identifier", 13, 15, 3, func(r *inventory.Row) string { return r.Runtime }),
	dim("arch", "ARCH", "x86_64 or arm64", 6, 6, 7, func(r *inventory.Row) string { return r.Architecture }),
	{
		Column: table.Column{ID: "type", Title: "TYPE", Width: 5, Rank: 8},
		help:   "Zip or Image",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			if r.PackageType == "Image" {
				return table.Text(theme.Accent, "Image", false)
			}
			return table.Text(theme.Dim, r.PackageType, false)
		},
		text: func(r *inventory.Row) string { return r.PackageType },
	},
	{
		Column: table.Column{ID: "layers", Title: "LYR", Width: 3, Right: true, Number: true, Rank: 2},
		help:   "how many layers it has",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			if len(r.Layers) == 0 {
				return table.Text(theme.Dim, "-", true)
			}
			return table.Text(theme.Plain, strconv.Itoa(len(r.Layers)), true)
		},
		number: func(r *inventory.Row) (int64, bool) { return int64(len(r.Layers)), true },
	},
	{
		Column: table.Column{ID: "zip", Title: "ZIP", Width: 10, Right: true, Number: true, Rank: 9},
		help:   "the size of its zip, without layers",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			if r.PackageType == "Image" {
				return table.Text(theme.Dim, "-", true)
			}
			return table.Text(theme.Dim, draw.Bytes(r.CodeSize), true)
		},
		number: func(r *inventory.Row) (int64, bool) { return r.CodeSize, r.PackageType != "Image" },
	},
	{
		Column: table.Column{ID: "unzipped", Title: "UNZIPPED", Width: 10, Right: true, Number: true},
		help:   "code and layers on disk",
		cell: func(s *Screen, r *inventory.Row) table.Cell {
			text, tone := mark.Unzipped(r, s.inv.Running())
			return table.Text(tone, text, true)
		},
		number: (*inventory.Row).Unzipped,
	},
	{
		Column: table.Column{ID: "percent", Title: "OF 250 MB", Width: 10, Right: true, Number: true, Flex: true, Max: 30, Rank: 1},
		help:   "the same as a share of the limit, with a bar of code and layers",
		cell:   func(_ *Screen, r *inventory.Row) table.Cell { return func(l *draw.Line, w int) { percent(l, w, r) } },
		number: (*inventory.Row).Unzipped,
	},
	{
		Column: table.Column{ID: "extensions", Title: "EXT", Width: 3, Number: true, Rank: 4, Flex: true, Max: 24},
		help:   "how many extensions it runs, or which where there is room",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			return func(l *draw.Line, w int) { extensions(l, w, r) }
		},
		number: func(r *inventory.Row) (int64, bool) {
			if r.Facts == nil {
				return 0, false
			}
			return int64(len(r.Facts.Extensions)), true
		},
	},
	{
		Column: table.Column{ID: "findings", Title: "FIND", Width: 4, Right: true, Number: true},
		help:   "the gravest finding's mark, and how many there are",
		cell:   func(_ *Screen, r *inventory.Row) table.Cell { return findings(r) },
		number: func(r *inventory.Row) (int64, bool) {
			severity, n := r.Worst()
			weight := map[string]int64{"error": 2, "warning": 1}[severity]
			return weight<<32 + int64(n), r.Facts != nil
		},
	},
	dim("region", "REGION", "its region", 14, 14, 5, func(r *inventory.Row) string { return r.Region }),
	{
		Column: table.Column{ID: "profile", Title: "PROFILE", Width: 10, Flex: true, Max: 20},
		help:   "the profile that asked, where there are several",
		cell:   func(_ *Screen, r *inventory.Row) table.Cell { return orNone(r.Profile()) },
		text:   (*inventory.Row).Profile,
	},
	dim("account", "ACCOUNT", "the id of its account", 12, 12, 6, (*inventory.Row).Account),
	{
		Column: table.Column{ID: "memory", Title: "MEMORY", Width: 8, Right: true, Number: true, Rank: 10},
		help:   "its memory",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			return table.Text(theme.Dim, strconv.Itoa(r.MemoryMB)+" MB", true)
		},
		number: func(r *inventory.Row) (int64, bool) { return int64(r.MemoryMB), true },
	},
	{
		Column: table.Column{ID: "modified", Title: "MODIFIED", Width: 10, Number: true, Rank: 11},
		help:   "the day of its last change, UTC",
		cell: func(_ *Screen, r *inventory.Row) table.Cell {
			if r.LastModified.IsZero() {
				return table.Text(theme.Dim, "-", false)
			}
			return table.Text(theme.Dim, r.LastModified.UTC().Format("2006-01-02"), false)
		},
		number: func(r *inventory.Row) (int64, bool) { return r.LastModified.Unix(), !r.LastModified.IsZero() },
	},
	dim("code", "CODE", "the unzipped size of its own zip", 10, 10, 10, nil).sized((*inventory.Row).Code),
	dim("headroom", "HEADROOM", "how much may still be added", 10, 10, 10, nil).sized((*inventory.Row).Headroom),
	dim("limit", "LIMIT", "what code and layers must stay below, in bytes", 10, 10, 13, func(*inventory.Row) string { return strconv.Itoa(account.UnzippedLimit) }),
	dim("deprecated", "SUPPORT ENDS", "when its runtime's support ends or ended", 12, 12, 6, (*inventory.Row).Deprecated),
	dim("publisher", "PUBLISHERS", "the known publishers of its layers", 12, 40, 6, func(r *inventory.Row) string { return strings.Join(r.Publishers(), ", ") }),
	dim("versions", "VERSIONS", "its published versions, once its own screen has asked for them", 9, 9, 8, (*inventory.Row).Versions),
	dim("aliases", "ALIASES", "its aliases, once its own screen has asked for them", 12, 40, 8, (*inventory.Row).Aliases),
	dim("checked", "CHECKED", "when an earlier run was told part of it; empty for just now", 20, 20, 12, (*inventory.Row).Checked),
	dim("arn", "ARN", "its whole name", 30, 100, 13, func(r *inventory.Row) string { return r.ARN }),
	dim("handler", "HANDLER", "its handler", 16, 32, 12, func(r *inventory.Row) string { return r.Handler }),
	dim("managed", "MANAGED BY", "what manages it, such as a CloudFormation stack", 16, 32, 6, func(r *inventory.Row) string {
		if r.Facts == nil {
			return ""
		}
		return r.Facts.ManagedBy
	}),
}

// dim is a column of quiet text.
func dim(id, title, help string, width, most, rank int, text func(r *inventory.Row) string) column {
	return column{
		Column: table.Column{ID: id, Title: title, Width: width, Flex: most > width, Max: most, Rank: rank},
		help:   help, text: text,
		cell: func(_ *Screen, r *inventory.Row) table.Cell { return orNone(text(r)) },
	}
}

// sized makes a column one of bytes.
func (c column) sized(bytes func(r *inventory.Row) (int64, bool)) column {
	c.Right, c.Number, c.text, c.number = true, true, nil, bytes
	c.cell = func(s *Screen, r *inventory.Row) table.Cell {
		n, known := bytes(r)
		switch {
		case r.PackageType == "Image":
			return table.Text(theme.Dim, "-", true)
		case !known && s.inv.Running() && r.Facts == nil:
			return table.Text(theme.Dim, "…", true)
		case !known:
			return table.Text(theme.Warn, "?", true)
		case n < 0:
			return table.Text(theme.Bad, "-"+draw.Bytes(-n), true)
		}
		return table.Text(theme.Plain, draw.Bytes(n), true)
	}
	return c
}

func columnOf(id string) (column, bool) {
	i := slices.IndexFunc(columns, func(c column) bool { return c.ID == id })
	if i < 0 {
		return column{}, false
	}
	return columns[i], true
}

// ColumnNames are the columns' IDs.
func ColumnNames() []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.ID)
	}
	return out
}

// ColumnHelp are the columns' IDs, each with what it tells.
func ColumnHelp() [][2]string {
	var out [][2]string
	for _, c := range columns {
		out = append(out, [2]string{c.ID, c.help})
	}
	return out
}

// MinWidth and MaxWidth bound the width of a column that the user gives, in
// terminal columns.
const (
	MinWidth = 3
	MaxWidth = 120
)

// Layout is which columns the table has, how wide and sorted by which.
type Layout struct {
	Columns []string       // IDs, in order
	Sort    string         // an ID, with "-" before it for the largest first
	Widths  map[string]int // of columns that do not fit themselves
}

// DefaultLayout is the layout of those who have chosen none. Its column of
// regions is left out where there is one region only, and one of profiles added
// where there are several.
func DefaultLayout() Layout {
	return Layout{
		Columns: []string{"name", "runtime", "arch", "type", "layers", "zip", "unzipped", "percent", "extensions", "findings", "region"},
		Sort:    "-percent",
	}
}

func (l Layout) clone() Layout {
	return Layout{slices.Clone(l.Columns), l.Sort, maps.Clone(l.Widths)}
}

// use puts a layout in force.
func (s *Screen) use(l Layout) {
	if len(l.Columns) == 0 {
		l = DefaultLayout()
	}
	s.layout = l.clone()
	byDefault := slices.Equal(l.Columns, DefaultLayout().Columns)
	if byDefault && len(s.inv.Profiles) > 0 {
		s.layout.Columns = append(s.layout.Columns, "profile")
	}
	s.shown, s.table.Columns = nil, nil
	for _, id := range s.layout.Columns {
		c, ok := columnOf(id)
		if !ok || byDefault && id == "region" && len(s.account.Regions) == 1 {
			continue
		}
		if w, ok := l.Widths[id]; ok {
			c.Width, c.Flex = w, false
		}
		s.shown = append(s.shown, c)
		s.table.Columns = append(s.table.Columns, c.Column)
	}
	s.sortBy(strings.CutPrefix(l.Sort, "-"))
}

// sortBy orders by a column, on screen or not.
func (s *Screen) sortBy(id string, desc bool) {
	if _, ok := columnOf(id); !ok {
		return
	}
	s.layout.Sort = id
	if desc {
		s.layout.Sort = "-" + id
	}
	s.table.Desc = desc
	s.table.Sort = slices.IndexFunc(s.shown, func(c column) bool { return c.ID == id })
}

// sorting is the column that gives the order.
func (s *Screen) sorting() (id string, desc bool) { return strings.CutPrefix(s.layout.Sort, "-") }
