package functions

import (
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/mark"
	"github.com/optlift/optlift/ui/table"
	"github.com/optlift/optlift/ui/theme"
)

func orNone(s string) table.Cell {
	if s == "" {
		return table.Text(theme.Dim, "-", false)
	}
	return table.Text(theme.Dim, s, false)
}

// percent is the share of the limit, after a bar in which code and layers each
// have their part and letter.
func percent(l *draw.Line, w int, r *inventory.Row) {
	n, known := r.Unzipped()
	if !known {
		l.Gap(w)
		return
	}
	_, tone := draw.Fill(n, account.UnzippedLimit)
	bar := max(w-5, 0)
	var parts [8]draw.Segment
	l.Stack(segments(parts[:0], r), account.UnzippedLimit, bar).Gap(w-bar-4).Right(tone, draw.Percent(n, account.UnzippedLimit), 4)
}

// segments are what a function's size is made of, appended to out.
func segments(out []draw.Segment, r *inventory.Row) []draw.Segment {
	out = append(out, draw.Segment{Tone: theme.Code, Letter: "c", Size: r.Facts.Code.Unzipped})
	for i, f := range r.Facts.LayerFacts {
		out = append(out, draw.Segment{Tone: theme.Layer(i + 1), Letter: theme.Letter(i + 1), Size: f.Unzipped})
	}
	return out
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
