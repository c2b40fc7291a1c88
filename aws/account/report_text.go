package account

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/aws/session"
)

// unknownText stands for a size that could not be measured; it is never a zero.
const unknownText = "unknown"

// Header names the columns of Rows.
func Header() []string {
	return []string{"FUNCTION", "REGION", "TYPE", "RUNTIME", "ARCH", "LAYERS", "EXTENSIONS", "UNZIPPED", "LIMIT", "FINDINGS"}
}

// Rows is the report as cells of plain text for a table, one row for each
// function, free of control characters.
func (r *Report) Rows() [][]string {
	rows := make([][]string, 0, len(r.Functions))
	for i := range r.Functions {
		f := &r.Functions[i]
		size, percent := unknownText, unknownText
		switch {
		case f.PackageType == "Image":
			size, percent = "-", "-"
		case f.UnzippedTotal != nil:
			size, percent = humanize.IBytes(uint64(*f.UnzippedTotal)), fmt.Sprintf("%.1f%%", *f.Percent)
		}
		runtime := f.Runtime
		if runtime == "" {
			runtime = "-"
		}
		rows = append(rows, cells(f.Name, f.Region, f.PackageType, runtime, f.Architecture,
			strconv.Itoa(len(f.Layers)), strconv.Itoa(len(f.Extensions)), size, percent, f.findingsText()))
	}
	return rows
}

// findingsText names each kind of finding once, with its number.
func (f *FunctionReport) findingsText() string {
	var ids []string
	count := map[string]int{}
	for _, x := range f.Findings {
		if count[x.ID]++; count[x.ID] == 1 {
			ids = append(ids, x.ID)
		}
	}
	for i, id := range ids {
		if n := count[id]; n > 1 {
			ids[i] = fmt.Sprintf("%s ×%d", id, n)
		}
	}
	if len(ids) == 0 {
		return "-"
	}
	return strings.Join(ids, ", ")
}

func cells(in ...string) []string {
	for i, s := range in {
		in[i] = session.Clean(s)
	}
	return in
}

// WriteCSV writes one line for each function, sizes in bytes. A size that is not
// known is an empty field.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	header := []string{
		"arn", "name", "region", "packageType", "runtime", "architecture", "codeSize", "unzippedCode",
		"layers", "unzippedTotal", "limit", "percent", "extensions", "findings", "managedBy",
	}
	if err := c.Write(header); err != nil {
		return err
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		var layers, extensions, findings []string
		for _, l := range f.Layers {
			layers = append(layers, l.ARN)
		}
		for _, e := range f.Extensions {
			extensions = append(extensions, e.Name)
		}
		for _, x := range f.Findings {
			findings = append(findings, x.ID)
		}
		percent := ""
		if f.Percent != nil {
			percent = strconv.FormatFloat(*f.Percent, 'f', 2, 64)
		}
		managed := unknownText
		if f.ManagedBy != nil {
			managed = *f.ManagedBy
		}
		line := cells(f.ARN, f.Name, f.Region, f.PackageType, f.Runtime, f.Architecture,
			strconv.FormatInt(f.CodeSize, 10), number(f.UnzippedCode), strings.Join(layers, " "),
			number(f.UnzippedTotal), strconv.FormatInt(f.Limit, 10), percent,
			strings.Join(extensions, " "), strings.Join(findings, " "), managed)
		for i, cell := range line {
			line[i] = inert(cell)
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

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// WriteMarkdown writes the table of functions, and below it every finding and
// every region that could not be listed.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Lambda functions of account %s\n\n", session.Clean(r.Account))
	fmt.Fprintf(&b, "Regions: %s. Limit: %d bytes unzipped, code and layers together.\n\n", strings.Join(r.Regions, ", "), int64(UnzippedLimit))
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "> **%s could not be listed:** %s\n\n", markdown(e.Region), markdown(e.Message))
	}
	line := func(cells []string) {
		for i, c := range cells {
			cells[i] = markdown(c)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	line(Header())
	line(strings.Split(strings.Repeat("---,", len(Header())-1)+"---", ","))
	for _, row := range r.Rows() {
		line(row)
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		if len(f.Findings) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s (%s)\n\n", markdown(f.Name), markdown(f.Region))
		for _, x := range f.Findings {
			fmt.Fprintf(&b, "- **%s** %s: %s. Remedy: %s.\n", x.Severity, x.ID, markdown(x.Message), markdown(x.Remedy))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown escapes what would be markup or HTML.
func markdown(s string) string {
	if s == "---" {
		return s
	}
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(session.Clean(s))
}
