package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
)

// unknownText stands for what could not be measured; it is never a zero.
const unknownText = "unknown"

// Column is one thing a report tells of a function. Its ID is the word for it
// in filters, sort orders and lists of columns, the same as on screen.
type Column struct {
	ID    string
	Title string // of a table
	Field string // of CSV, and of the JSON document

	// cell is for people, value for programs: "" where it is not known.
	cell, value func(f *account.FunctionReport) string
	// number is what sorts and compares; nil for columns of text.
	number func(f *account.FunctionReport) (float64, filter.Presence)
	// texts are what filters look at; nil stands for the value.
	texts func(f *account.FunctionReport) []string
}

// aliases are other words for columns, as the screen has them.
var aliases = map[string]string{"size": "unzipped", "layer": "layers", "ext": "extensions", "finding": "findings"}

// Columns lists every column.
func Columns() []Column {
	text := func(id, title, field string, get func(f *account.FunctionReport) string) Column {
		return Column{ID: id, Title: title, Field: field, value: get, cell: func(f *account.FunctionReport) string {
			if s := get(f); s != "" {
				return s
			}
			return "-"
		}}
	}
	bytes := func(id, title, field string, get func(f *account.FunctionReport) *int64) Column {
		return Column{
			ID: id, Title: title, Field: field,
			value: func(f *account.FunctionReport) string { return integer(get(f)) },
			cell: func(f *account.FunctionReport) string {
				n := get(f)
				switch {
				case f.PackageType == image:
					return "-"
				case n == nil:
					return unknownText
				}
				return humanize.IBytes(uint64(max(*n, 0)))
			},
			number: func(f *account.FunctionReport) (float64, filter.Presence) {
				n := get(f)
				switch {
				case f.PackageType == image:
					return 0, filter.None
				case n == nil:
					return 0, filter.Unknown
				}
				return float64(*n), filter.Known
			},
		}
	}
	whole := func(id, title, field string, get func(f *account.FunctionReport) int) Column {
		value := func(f *account.FunctionReport) string { return strconv.Itoa(get(f)) }
		return Column{ID: id, Title: title, Field: field, value: value, cell: value,
			number: func(f *account.FunctionReport) (float64, filter.Presence) { return float64(get(f)), filter.Known }}
	}
	return []Column{
		text("arn", "ARN", "arn", func(f *account.FunctionReport) string { return f.ARN }),
		text("name", "FUNCTION", "name", func(f *account.FunctionReport) string { return f.Name }),
		text("account", "ACCOUNT", "account", func(f *account.FunctionReport) string { return f.Account }),
		text("profile", "PROFILE", "profile", func(f *account.FunctionReport) string { return f.Profile }),
		text("region", "REGION", "region", func(f *account.FunctionReport) string { return f.Region }),
		text("type", "TYPE", "packageType", func(f *account.FunctionReport) string { return f.PackageType }),
		text("runtime", "RUNTIME", "runtime", func(f *account.FunctionReport) string { return f.Runtime }),
		text("arch", "ARCH", "architecture", func(f *account.FunctionReport) string { return f.Architecture }),
		text("handler", "HANDLER", "handler", func(f *account.FunctionReport) string { return f.Handler }),
		text("modified", "MODIFIED", "lastModified", func(f *account.FunctionReport) string { return f.LastModified }),
		whole("memory", "MEMORY", "memoryMB", func(f *account.FunctionReport) int { return f.MemoryMB }),
		bytes("zip", "ZIP", "codeSize", func(f *account.FunctionReport) *int64 { return &f.CodeSize }),
		bytes("code", "CODE", "unzippedCode", func(f *account.FunctionReport) *int64 { return f.UnzippedCode }),
		layers(),
		bytes("unzipped", "UNZIPPED", "unzippedTotal", func(f *account.FunctionReport) *int64 { return f.UnzippedTotal }),
		headroom(),
		text("deprecated", "SUPPORT ENDS", "runtimeDeprecated", func(f *account.FunctionReport) string { return f.RuntimeDeprecated }),
		text("limit", "LIMIT", "limit", func(f *account.FunctionReport) string { return strconv.FormatInt(f.Limit, 10) }),
		percent(),
		extensions(),
		findings(),
		managed(),
		text("checked", "CHECKED", "checked", checked),
		publishers(),
		versions(),
		aliasNames(),
	}
}

// image is the package type whose files nobody measures against the limit.
const image = "Image"

// DefaultTable and DefaultCSV are the columns of a report that was asked for none.
func DefaultTable() []string {
	return []string{"name", "region", "type", "runtime", "arch", "layers", "extensions", "unzipped", "percent", "findings"}
}

// DefaultCSV lists the columns of CSV, whose lines are for programs.
func DefaultCSV() []string {
	return []string{"arn", "name", "region", "type", "runtime", "arch", "zip", "code", "layers", "unzipped", "limit", "percent", "extensions", "findings", "managed", "checked"}
}

// Pick returns the columns of these IDs, in this order.
func Pick(ids []string) ([]Column, error) {
	all := Columns()
	var out []Column
	for _, id := range ids {
		c, ok := lookup(all, id)
		if !ok {
			return nil, fmt.Errorf("no column %q: there are %s", id, names(all))
		}
		out = append(out, c)
	}
	return out, nil
}

func lookup(all []Column, id string) (Column, bool) {
	id = strings.ToLower(strings.TrimSpace(id))
	if other, ok := aliases[id]; ok {
		id = other
	}
	for _, c := range all {
		if c.ID == id {
			return c, true
		}
	}
	return Column{}, false
}

func names(all []Column) string {
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	return strings.Join(ids, ", ")
}

// filterColumns tells the filter which words are columns and which are numbers.
func filterColumns() filter.Columns {
	all := Columns()
	out := filter.Columns{"env": false}
	for _, c := range all {
		out[c.ID] = c.number != nil
	}
	for alias, id := range aliases {
		// As on screen: one layer, extension or finding is a text, all of them a number.
		out[alias] = out[id] && alias == "size"
	}
	return out
}

func layers() Column {
	arns := func(f *account.FunctionReport) (out []string) {
		for _, l := range f.Layers {
			out = append(out, l.ARN)
		}
		return out
	}
	return Column{
		ID: "layers", Title: "LAYERS", Field: "layers", texts: arns,
		cell:  func(f *account.FunctionReport) string { return strconv.Itoa(len(f.Layers)) },
		value: func(f *account.FunctionReport) string { return strings.Join(arns(f), " ") },
		number: func(f *account.FunctionReport) (float64, filter.Presence) {
			return float64(len(f.Layers)), filter.Known
		},
	}
}

func extensions() Column {
	names := func(f *account.FunctionReport) (out []string) {
		for _, e := range f.Extensions {
			out = append(out, e.Name)
		}
		return out
	}
	return Column{
		ID: "extensions", Title: "EXTENSIONS", Field: "extensions", texts: names,
		cell: func(f *account.FunctionReport) string {
			n := len(f.Extensions)
			switch {
			case f.PackageType == image:
				return "-"
			case !extensionsKnown(f) && n == 0:
				return unknownText
			case !extensionsKnown(f):
				return strconv.Itoa(n) + "+" // and perhaps more
			}
			return strconv.Itoa(n)
		},
		value: func(f *account.FunctionReport) string {
			all := names(f)
			if f.PackageType != image && !extensionsKnown(f) {
				all = append(all, unknownText)
			}
			return strings.Join(all, " ")
		},
		number: func(f *account.FunctionReport) (float64, filter.Presence) {
			if f.PackageType == image {
				return 0, filter.None
			}
			return float64(len(f.Extensions)), filter.KnownIf(extensionsKnown(f))
		},
	}
}

func headroom() Column {
	return Column{
		ID: "headroom", Title: "HEADROOM", Field: "headroom",
		value: func(f *account.FunctionReport) string { return integer(f.Headroom) },
		cell: func(f *account.FunctionReport) string {
			switch {
			case f.PackageType == image:
				return "-"
			case f.Headroom == nil:
				return unknownText
			case *f.Headroom < 0:
				return "-" + humanize.IBytes(uint64(-*f.Headroom))
			}
			return humanize.IBytes(uint64(*f.Headroom))
		},
		number: func(f *account.FunctionReport) (float64, filter.Presence) {
			switch {
			case f.PackageType == image:
				return 0, filter.None
			case f.Headroom == nil:
				return 0, filter.Unknown
			}
			return float64(*f.Headroom), filter.Known
		},
	}
}

// extensionsKnown tells whether all is known that may bring an extension: what
// lies in the layers, and the environment.
func extensionsKnown(f *account.FunctionReport) bool {
	for _, l := range f.Layers {
		if l.State != account.OK {
			return false
		}
	}
	return f.EnvError == ""
}

func findings() Column {
	return Column{
		ID: "findings", Title: "FINDINGS", Field: "findings", cell: findingsText,
		value: func(f *account.FunctionReport) string {
			var ids []string
			for _, x := range f.Findings {
				ids = append(ids, x.ID)
			}
			return strings.Join(ids, " ")
		},
		texts: func(f *account.FunctionReport) (out []string) {
			for _, x := range f.Findings {
				out = append(out, x.ID, x.Severity)
			}
			return out
		},
		number: func(f *account.FunctionReport) (float64, filter.Presence) {
			return float64(len(f.Findings)), filter.Known
		},
	}
}

// findingsText names each kind of finding once, with its number.
func findingsText(f *account.FunctionReport) string {
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

func percent() Column {
	return Column{
		ID: "percent", Title: "LIMIT", Field: "percent",
		cell: func(f *account.FunctionReport) string {
			switch {
			case f.PackageType == image:
				return "-"
			case f.Percent == nil:
				return unknownText
			}
			return fmt.Sprintf("%.1f%%", *f.Percent)
		},
		value: func(f *account.FunctionReport) string {
			if f.Percent == nil {
				return ""
			}
			return strconv.FormatFloat(*f.Percent, 'f', 2, 64)
		},
		number: func(f *account.FunctionReport) (float64, filter.Presence) {
			switch {
			case f.PackageType == image:
				return 0, filter.None
			case f.UnzippedTotal == nil || f.Limit <= 0:
				return 0, filter.Unknown
			}
			return float64(*f.UnzippedTotal) / float64(f.Limit) * 100, filter.Known // Percent is rounded
		},
	}
}

// publishers names the known publishers of a function's layers.
func publishers() Column {
	names := func(f *account.FunctionReport) (out []string) {
		for _, l := range f.Layers {
			if l.Publisher != "" && !slices.Contains(out, l.Publisher) {
				out = append(out, l.Publisher)
			}
		}
		return out
	}
	joined := func(f *account.FunctionReport) string { return strings.Join(names(f), ", ") }
	return Column{ID: "publisher", Title: "PUBLISHERS", Field: "publishers", texts: names, value: joined, cell: func(f *account.FunctionReport) string {
		return cmp.Or(joined(f), "-")
	}}
}

// checked is when the oldest of what is told of a function was asked, where that
// was not this audit.
func checked(f *account.FunctionReport) string {
	oldest := f.Checked
	for _, l := range f.Layers {
		if l.Checked != "" && (oldest == "" || l.Checked < oldest) {
			oldest = l.Checked
		}
	}
	return oldest
}

func managed() Column {
	value := func(f *account.FunctionReport) string {
		if f.ManagedBy == nil {
			return unknownText
		}
		return *f.ManagedBy
	}
	return Column{ID: "managed", Title: "MANAGED BY", Field: "managedBy", value: value, cell: func(f *account.FunctionReport) string {
		if s := value(f); s != "" {
			return s
		}
		return "-"
	}}
}

func integer(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
