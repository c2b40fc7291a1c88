package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/session"
)

// Table is the report as cells of plain text, the titles first, free of control
// characters.
func Table(r *account.Report, columns []Column) [][]string {
	rows := [][]string{{}}
	for _, c := range columns {
		rows[0] = append(rows[0], c.Title)
	}
	for i := range r.Functions {
		row := make([]string, len(columns))
		for j, c := range columns {
			row[j] = session.Clean(c.cell(&r.Functions[i]))
		}
		rows = append(rows, row)
	}
	return rows
}

// WriteCSV writes one line for each function, sizes in bytes. A size that is not
// known is an empty field.
func WriteCSV(w io.Writer, r *account.Report, columns []Column) error {
	line := make([]string, len(columns))
	for i, column := range columns {
		line[i] = column.Field
	}
	rows := [][]string{line}
	for i := range r.Functions {
		line := make([]string, len(columns))
		for j, column := range columns {
			line[j] = column.value(&r.Functions[i])
		}
		rows = append(rows, line)
	}
	return WriteRows(w, rows)
}

// WriteRows writes rows of text as CSV, the titles first: free of control
// characters, and nothing in them is a formula to a spreadsheet.
func WriteRows(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	for _, row := range rows {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = inert(session.Clean(cell))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// inert keeps a spreadsheet from taking remote text for a formula
// (https://owasp.org/www-community/attacks/CSV_Injection).
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// WriteMarkdown writes the table of functions, and below it every finding and
// every region that could not be listed.
func WriteMarkdown(w io.Writer, r *account.Report, columns []Column) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Lambda functions of account %s\n\n", markdown(r.Account))
	fmt.Fprintf(&b, "Regions: %s. Limit: %d bytes unzipped, code and layers together.\n\n", markdown(strings.Join(r.Regions, ", ")), int64(account.UnzippedLimit))
	if note := StaleNote(r); note != "" {
		fmt.Fprintf(&b, "%s.\n\n", markdown(strings.ToUpper(note[:1])+note[1:]))
	}
	for _, a := range r.Accounts {
		if a.Message != "" {
			fmt.Fprintf(&b, "> **Profile %s:** %s\n\n", markdown(a.Profile), markdown(a.Message))
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "> **%s could not be listed:** %s\n\n", markdown(e.Region), markdown(e.Message))
	}
	for i, row := range Table(r, columns) {
		for j, cell := range row {
			row[j] = markdown(cell)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(columns)) + "|\n")
		}
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		if len(f.Findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s (%s)\n\n", markdown(f.Name), markdown(f.Region))
		for _, x := range f.Findings {
			fmt.Fprintf(&b, "- **%s** %s: %s. Remedy: %s.\n", markdown(x.Severity), markdown(x.ID), markdown(x.Message), markdown(x.Remedy))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// StaleNote says in one line what an audit told from an earlier one's answers, ""
// for nothing.
func StaleNote(r *account.Report) string {
	functions, layers, oldest := r.Stale()
	if oldest == "" {
		return ""
	}
	var parts []string
	if layers > 0 {
		parts = append(parts, fmt.Sprintf("of %d layer version%s", layers, plural(layers)))
	}
	if functions > 0 {
		parts = append(parts, fmt.Sprintf("of code and tags of %d function%s", functions, plural(functions)))
	}
	return "the state " + strings.Join(parts, " and ") + " is as an earlier audit was told, the oldest of it at " + oldest
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

var markup = strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`)

// markdown escapes what would be markup or HTML.
func markdown(s string) string { return markup.Replace(session.Clean(s)) }
