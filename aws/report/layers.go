package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
)

// layerColumn is one thing a report tells of a layer version, for people and for
// programs.
type layerColumn struct {
	title, field string
	cell, value  func(l *account.LayerVersionReport) string
}

func layerColumns() []layerColumn {
	return []layerColumn{
		{"LAYER", "arn",
			func(l *account.LayerVersionReport) string { return fmt.Sprintf("%s:%d", l.Name, l.Version) },
			func(l *account.LayerVersionReport) string { return l.ARN }},
		{"REGION", "region",
			func(l *account.LayerVersionReport) string { return l.Region },
			func(l *account.LayerVersionReport) string { return l.Region }},
		{"OWNER", "owner", layerOwner, func(l *account.LayerVersionReport) string { return l.Owner }},
		{"STATE", "state",
			func(l *account.LayerVersionReport) string { return string(l.State) },
			func(l *account.LayerVersionReport) string { return string(l.State) }},
		{"ZIP", "size",
			func(l *account.LayerVersionReport) string { return humanize.IBytes(uint64(max(l.Size, 0))) },
			func(l *account.LayerVersionReport) string { return strconv.FormatInt(l.Size, 10) }},
		{"UNZIPPED", "unzipped",
			func(l *account.LayerVersionReport) string {
				if l.Unzipped == nil {
					return unknownText
				}
				return humanize.IBytes(uint64(max(*l.Unzipped, 0)))
			},
			func(l *account.LayerVersionReport) string { return integer(l.Unzipped) }},
		{"FUNCTIONS", "functions",
			func(l *account.LayerVersionReport) string { return strconv.Itoa(len(l.Functions)) },
			func(l *account.LayerVersionReport) string { return strings.Join(l.Functions, " ") }},
		{"NEWEST", "newest", newestText, func(l *account.LayerVersionReport) string { return integer(l.Newest) }},
		{"NOTES", "notes",
			func(l *account.LayerVersionReport) string {
				if notes := layerNotes(l); len(notes) > 0 {
					return strings.Join(notes, "; ")
				}
				return "-"
			},
			func(l *account.LayerVersionReport) string { return strings.Join(layerNotes(l), "; ") }},
		{"CHECKED", "checked",
			func(l *account.LayerVersionReport) string {
				if l.Checked == "" {
					return "this audit"
				}
				return l.Checked
			},
			func(l *account.LayerVersionReport) string { return l.Checked }},
	}
}

func layerOwner(l *account.LayerVersionReport) string {
	owner := l.Owner
	if !l.Foreign {
		owner = "own"
	}
	if l.Publisher != "" {
		owner += " (" + l.Publisher + ")"
	}
	return owner
}

// newestText tells a newer version, that this is the newest, or why neither is known.
func newestText(l *account.LayerVersionReport) string {
	switch {
	case l.Outdated():
		return strconv.FormatInt(*l.Newest, 10)
	case l.Newest != nil:
		return "this"
	case l.NewestState == account.Denied:
		return "not allowed to look"
	case l.NewestState == account.Deleted:
		return "none left"
	}
	return unknownText
}

// layerNotes says what is worth a look.
func layerNotes(l *account.LayerVersionReport) (notes []string) {
	runtimes, architectures := 0, 0
	for _, u := range l.Undeclared {
		if u.Runtime != "" {
			runtimes++
		}
		if u.Architecture != "" {
			architectures++
		}
	}
	if runtimes > 0 {
		notes = append(notes, fmt.Sprintf("%d function%s with a runtime that it does not declare", runtimes, plural(runtimes)))
	}
	if architectures > 0 {
		notes = append(notes, fmt.Sprintf("%d function%s with an architecture that it does not declare", architectures, plural(architectures)))
	}
	for _, s := range l.SameContent {
		_, name, _ := strings.Cut(s.ARN, ":layer:")
		notes = append(notes, "same "+s.Same+" as "+name)
	}
	if l.Image != "" {
		notes = append(notes, "published as "+l.Image+" too")
	}
	return notes
}

// LayerTable is the layer versions of a report as cells of plain text, the titles
// first, free of control characters.
func LayerTable(r *account.Report) [][]string {
	columns := layerColumns()
	rows := [][]string{make([]string, len(columns))}
	for i, c := range columns {
		rows[0][i] = c.title
	}
	for i := range r.Layers {
		row := make([]string, len(columns))
		for j, c := range columns {
			row[j] = session.Clean(c.cell(&r.Layers[i]))
		}
		rows = append(rows, row)
	}
	return rows
}

// WriteLayersCSV writes one line for each layer version, sizes in bytes. What is
// not known is an empty field.
func WriteLayersCSV(w io.Writer, r *account.Report) error {
	columns := layerColumns()
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = column.field
	}
	rows := [][]string{line}
	for i := range r.Layers {
		line := make([]string, len(columns))
		for j, column := range columns {
			line[j] = column.value(&r.Layers[i])
		}
		rows = append(rows, line)
	}
	return WriteRows(w, rows)
}

// WriteLayersMarkdown writes the table of layer versions, and below it who uses each.
func WriteLayersMarkdown(w io.Writer, r *account.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Layer versions of account %s\n\n", markdown(r.Account))
	for i, row := range LayerTable(r) {
		for j, cell := range row {
			row[j] = markdown(cell)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		fmt.Fprintf(&b, "\n## %s\n\n", markdown(l.ARN))
		if l.Message != "" {
			fmt.Fprintf(&b, "%s\n\n", markdown(l.Message))
		}
		for _, f := range l.Functions {
			fmt.Fprintf(&b, "- %s\n", markdown(f))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
