package functions

import (
	"cmp"
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

// The columns, in the order of their sort keys.
const (
	colName = iota
	colRuntime
	colArch
	colType
	colLayers
	colZip
	colUnzipped
	colPercent
	colExtensions
	colFindings
	colRegion
)

func columns(regions bool) []table.Column {
	return []table.Column{
		{ID: "name", Title: "FUNCTION", Width: 23, Flex: true, Max: 44},
		{ID: "runtime", Title: "RUNTIME", Width: 13, Flex: true, Max: 15, Rank: 3},
		{ID: "architecture", Title: "ARCH", Width: 6, Rank: 7},
		{ID: "package type", Title: "TYPE", Width: 5, Rank: 8},
		{ID: "layers", Title: "LYR", Width: 3, Right: true, Number: true, Rank: 2},
		{ID: "zip size", Title: "ZIP", Width: 10, Right: true, Number: true, Rank: 9},
		{ID: "unzipped size", Title: "UNZIPPED", Width: 10, Right: true, Number: true},
		{ID: "share of the limit", Title: "OF 250 MB", Width: 10, Right: true, Number: true, Flex: true, Max: 24, Rank: 1},
		{ID: "extensions", Title: "EXT", Width: 3, Number: true, Rank: 4, Flex: true, Max: 24},
		{ID: "findings", Title: "FIND", Width: 4, Right: true, Number: true},
		{ID: "region", Title: "REGION", Width: 14, Rank: 5, Hide: !regions},
	}
}

func (s *Screen) cell(row, col int) table.Cell {
	r := s.rows[row]
	switch col {
	case colName:
		return table.Text(theme.Plain, r.Name, false)
	case colRuntime:
		return orNone(r.Runtime)
	case colArch:
		return orNone(r.Architecture)
	case colType:
		if r.PackageType == "Image" {
			return table.Text(theme.Accent, "Image", false)
		}
		return table.Text(theme.Dim, r.PackageType, false)
	case colLayers:
		if len(r.Layers) == 0 {
			return table.Text(theme.Dim, "-", true)
		}
		return table.Text(theme.Plain, strconv.Itoa(len(r.Layers)), true)
	case colZip:
		if r.PackageType == "Image" {
			return table.Text(theme.Dim, "-", true)
		}
		return table.Text(theme.Dim, draw.Bytes(r.CodeSize), true)
	case colUnzipped:
		text, tone := mark.Unzipped(r, s.inv.Running())
		return table.Text(tone, text, true)
	case colPercent:
		return func(l *draw.Line, w int) { percent(l, w, r) }
	case colExtensions:
		return func(l *draw.Line, w int) { extensions(l, w, r) }
	case colFindings:
		return findings(r)
	}
	return table.Text(theme.Dim, r.Region, false)
}

func orNone(s string) table.Cell {
	if s == "" {
		return table.Text(theme.Dim, "-", false)
	}
	return table.Text(theme.Dim, s, false)
}

func percent(l *draw.Line, w int, r *inventory.Row) {
	n, known := r.Unzipped()
	if !known {
		l.Gap(w)
		return
	}
	bar := max(w-5, 0)
	line, text := draw.Fill(n, account.UnzippedLimit)
	l.Bar(line, n, account.UnzippedLimit, bar).Gap(w-bar-4).Right(text, draw.Percent(n, account.UnzippedLimit), 4)
}

func extensions(l *draw.Line, w int, r *inventory.Row) {
	switch {
	case r.Facts == nil || r.PackageType == "Image" && len(r.Facts.Extensions) == 0:
		l.Gap(w)
	case len(r.Facts.Extensions) == 0 && !r.Facts.Known:
		l.Cell(theme.Warn, "?", w)
	case len(r.Facts.Extensions) == 0:
		l.Cell(theme.Dim, "-", w)
	case w < 12:
		l.Cell(theme.Plain, strconv.Itoa(len(r.Facts.Extensions)), w)
	default:
		names := make([]string, len(r.Facts.Extensions))
		for i, e := range r.Facts.Extensions {
			names[i] = e.Name
		}
		l.Cell(theme.Plain, strings.Join(names, ", "), w)
	}
}

func findings(r *inventory.Row) table.Cell {
	severity, n := r.Worst()
	if n == 0 {
		if r.Facts == nil {
			return table.Text(theme.Dim, "", true)
		}
		return table.Text(theme.Dim, "-", true)
	}
	shape, tone := mark.Severity(severity)
	return table.Text(tone, shape+strconv.Itoa(n), true)
}

// order sorts rows by a column; rows without a value come last either way, and
// equal ones are in the order of their names.
func order(rows []*inventory.Row, col int, desc bool) {
	number := func(r *inventory.Row) (int64, bool) {
		switch col {
		case colLayers:
			return int64(len(r.Layers)), true
		case colZip:
			return r.CodeSize, r.PackageType != "Image"
		case colUnzipped, colPercent:
			return r.Unzipped()
		case colExtensions:
			if r.Facts == nil {
				return 0, false
			}
			return int64(len(r.Facts.Extensions)), true
		case colFindings:
			severity, n := r.Worst()
			weight := map[string]int64{"error": 2, "warning": 1}[severity]
			return weight<<32 + int64(n), r.Facts != nil
		}
		return 0, false
	}
	text := func(r *inventory.Row) string {
		switch col {
		case colRuntime:
			return r.Runtime
		case colArch:
			return r.Architecture
		case colType:
			return r.PackageType
		case colRegion:
			return r.Region
		}
		return r.Name
	}
	slices.SortFunc(rows, func(a, b *inventory.Row) int {
		var c int
		switch col {
		case colName, colRuntime, colArch, colType, colRegion:
			x, y := text(a), text(b)
			if (x == "") != (y == "") {
				return cmp.Compare(len(y), len(x))
			}
			c = strings.Compare(x, y)
		default:
			x, xok := number(a)
			y, yok := number(b)
			if xok != yok {
				if xok {
					return -1
				}
				return 1
			}
			c = cmp.Compare(x, y)
		}
		if desc {
			c = -c
		}
		if c == 0 {
			c = strings.Compare(a.Name, b.Name)
		}
		if c == 0 {
			c = strings.Compare(a.ARN, b.ARN)
		}
		return c
	})
}
