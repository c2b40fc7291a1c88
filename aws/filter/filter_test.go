package filter

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

type row struct {
	name, runtime string
	size          float64 // < 0 is unknown
	layers        []string
}

func (r row) FilterText() string { return strings.ToLower(r.name + " " + r.runtime) }
func (r row) FilterName() string { return strings.ToLower(r.name) }
func (r row) FilterField(c string) []string {
	switch c {
	case "runtime":
		return []string{r.runtime}
	case "layers":
		return r.layers
	}
	return nil
}
func (r row) FilterNumber(c string) (float64, Presence) {
	switch {
	case c == "layers":
		return float64(len(r.layers)), Known
	case r.size == -2:
		return 0, None
	}
	return r.size, KnownIf(r.size >= 0)
}

var columns = Columns{"runtime": false, "size": true, "layers": true}

var rows = []row{
	{"Orders-API", "nodejs22.x", 300 << 20, []string{"otel", "fonts"}},
	{"reports", "python3.13", 100 << 20, nil},
	{"two words", "java21", -1, []string{"otel"}},
	{"a:b", "go", 0, nil},
	{"img", "", -2, nil},
}

func TestGrammar(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "Orders-API reports two words a:b img"},
		{"orders", "Orders-API"},
		{"ORDERS", "Orders-API"},
		{"!orders", "reports two words a:b img"},
		{"o r", "Orders-API reports two words"},
		{"python", "reports"},
		{"runtime:node", "Orders-API"},
		{"!runtime:node", "reports two words a:b img"},
		{"runtime=go", "a:b"},
		{"runtime=node", ""},
		{"size>200MB", "Orders-API"},
		{"size>=300mib", "Orders-API"},
		{"size<=100MB", "reports a:b"},
		{"!size>200MB", "reports a:b"},
		{"size=0", "a:b"},
		{"size:unknown", "two words"},
		{"!size:unknown", "Orders-API reports a:b img"},
		{"size:none", "img"},
		{"layers>=2", "Orders-API"},
		{"layers:otel", "Orders-API two words"},
		{"layers:1", "two words"},
		{"/^re/", "reports"},
		{"/^RE/", "reports"},
		{`/\d\.x/`, "Orders-API"},
		{"/two words/", "two words"},
		{"!/^re/", "Orders-API two words a:b img"},
		{"/o", "Orders-API reports two words a:b"},
		{"~oapi", "Orders-API"},
		{"~ipa", ""},
		{`"two words"`, "two words"},
		{"a:b", "a:b"},
		{"size>", "Orders-API reports two words a:b img"},
		{"!", "Orders-API reports two words a:b img"},
		{"~", "Orders-API reports two words a:b img"},
	} {
		f, err := Parse(c.text, columns)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var got []string
		for _, r := range rows {
			if f.Match(r) {
				got = append(got, r.name)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q finds %q, want %q", c.text, s, c.want)
		}
		if f.String() != c.text {
			t.Errorf("%q became %q", c.text, f.String())
		}
	}
}

func TestSaved(t *testing.T) {
	saved := Saved{"big": "size>200MB", "node": "runtime:node !/reports/", "broken": "/(/"}
	for text, want := range map[string]string{
		"@big":        "Orders-API",
		"!@big":       "reports a:b", // of "two words" nobody knows
		"@node":       "Orders-API",
		"!@node":      "reports two words a:b img",
		"@big !@node": "",
		`"@big"`:      "Orders-API",
	} {
		f, err := ParseSaved(text, columns, saved)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			if f.Match(r) {
				got = append(got, r.name)
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q finds %q, want %q", text, s, want)
		}
	}
	for text, want := range map[string]string{"@no": `no saved filter "no", but big, broken, node`, "@broken": "not a regular expression"} {
		if _, err := ParseSaved(text, columns, saved); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Parse("@no", columns); err != nil {
		t.Errorf("without saved filters @no is a word: %v", err)
	}
	if ValidName("a b") || ValidName("") || !ValidName("near-limit_2") {
		t.Error("names")
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"/(/":        "not a regular expression",
		"nope>3":     `no column "nope"`,
		"size>much":  "is not a number",
		"runtime>3":  "is not a number",
		"x /[/ y":    "not a regular expression",
		"unknown=no": `no column "unknown"`,
	} {
		if _, err := Parse(text, columns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// A term and its negation share no row, and together have all rows with a known number.
func TestNegation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"o", "size>1MB", "layers>=1", "/o/", "~or", "runtime:n", "size:unknown"}).Draw(t, "term")
		f, err := Parse(word, columns)
		if err != nil {
			t.Fatal(err)
		}
		not, err := Parse("!"+word, columns)
		if err != nil {
			t.Fatal(err)
		}
		r := rapid.SampledFrom(rows).Draw(t, "row")
		a, b := f.Match(r), not.Match(r)
		if a && b {
			t.Fatalf("%q and its negation both let %s pass", word, r.name)
		}
		if !a && !b && r.size >= 0 {
			t.Fatalf("neither %q nor its negation let %s pass", word, r.name)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a !b", "/x/ ~y", "size>1MB", `"q`, "!/", "layers:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		parsed, err := Parse(text, columns)
		if err != nil {
			return
		}
		for _, r := range rows {
			parsed.Match(r)
		}
	})
}
