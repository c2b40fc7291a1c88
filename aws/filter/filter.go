package filter

import (
	"errors"
	"fmt"
	"regexp"
	rsyntax "regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Row is something that can be filtered. Texts are compared without regard to
// letters' case and must be given in lower case.
type Row interface {
	// FilterText is what plain words and regular expressions look at.
	FilterText() string
	// FilterName is what fuzzy terms look at.
	FilterName() string
	// FilterField returns the texts of a column.
	FilterField(column string) []string
	// FilterNumber returns the number of a column, if there is one.
	FilterNumber(column string) (value float64, is Presence)
}

// Presence tells a number from one that is not known and from none at all.
type Presence uint8

// The presences.
const (
	Known Presence = iota
	Unknown
	None // the row has no such number: an image has no unzipped size
)

// KnownIf is Known or Unknown.
func KnownIf(known bool) Presence {
	if known {
		return Known
	}
	return Unknown
}

// Columns tells which columns a kind of row has, and which of them are numbers.
type Columns map[string]bool

// Filter is a parsed filter. The zero value lets everything pass.
type Filter struct {
	text  string
	terms []term
}

type verdict int8

const (
	no verdict = iota
	yes
	unknown // neither the term nor its negation holds
)

type term struct {
	not  bool
	test func(Row) verdict
}

// String is the text the filter was made from.
func (f Filter) String() string { return f.text }

// Empty reports whether everything passes.
func (f Filter) Empty() bool { return len(f.terms) == 0 }

// Match reports whether a row passes.
func (f Filter) Match(r Row) bool {
	for i := range f.terms {
		v := f.terms[i].test(r)
		if v == unknown || (v == yes) == f.terms[i].not {
			return false
		}
	}
	return true
}

// Parse reads a filter. Its errors say what is wrong with which term.
func Parse(text string, columns Columns) (Filter, error) {
	return ParseSaved(text, columns, nil)
}

// ParseSaved is Parse where "@name" stands for a saved filter, which is one term:
// it holds where all of its own do. With nil, "@name" is a word as any other.
func ParseSaved(text string, columns Columns, saved Saved) (Filter, error) {
	f := Filter{text: text}
	for _, word := range split(text) {
		t, err := parseTerm(word, columns, saved)
		if err != nil {
			return Filter{}, err
		}
		if t.test != nil {
			f.terms = append(f.terms, t)
		}
	}
	return f, nil
}

// split breaks a text at spaces, except inside quotes and /regular expressions/.
func split(text string) []string {
	var words []string
	var b strings.Builder
	quoted, regex, any := false, false, false
	flush := func() {
		if b.Len() > 0 || any {
			words = append(words, b.String())
		}
		b.Reset()
		any = false
	}
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
			b.WriteRune(r)
		case regex && r == '\\':
			escaped = true
			b.WriteRune(r)
		case r == '"' && !regex:
			quoted = !quoted
		case r == '/' && !quoted && !regex && (b.Len() == 0 || b.String() == "!"):
			regex = true
			b.WriteRune(r)
		case r == '/' && regex:
			regex = false
			b.WriteRune(r)
		case r == ' ' && !quoted && !regex:
			flush()
		default:
			b.WriteRune(r)
		}
	}
	flush()
	return words
}

func parseTerm(word string, columns Columns, saved Saved) (term, error) {
	var t term
	whole := word
	if rest, ok := strings.CutPrefix(word, "!"); ok {
		t.not, word = true, rest
	}
	switch {
	case word == "":
		return term{}, nil
	case strings.HasPrefix(word, "@") && saved != nil:
		test, err := saved.term(word[1:], columns)
		if err != nil {
			return term{}, err
		}
		t.test = test
	case strings.HasPrefix(word, "/"):
		// A regular expression is being typed until its closing slash comes.
		expr := strings.TrimSuffix(word[1:], "/")
		if expr == "" {
			return term{}, nil
		}
		// The text is in lower case: only an expression that is not needs help.
		if expr != strings.ToLower(expr) {
			expr = "(?i)" + expr
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return term{}, fmt.Errorf("%s is not a regular expression: %s", whole, reason(err))
		}
		t.test = func(r Row) verdict { return is(re.MatchString(r.FilterText())) }
	case strings.HasPrefix(word, "~"):
		pattern := strings.ToLower(word[1:])
		if pattern == "" {
			return term{}, nil
		}
		t.test = func(r Row) verdict {
			return is(inOrder(pattern, r.FilterName()))
		}
	default:
		test, err := parseColumn(word, columns)
		if err != nil {
			return term{}, err
		}
		if test == nil {
			lower := strings.ToLower(word)
			test = func(r Row) verdict { return is(strings.Contains(r.FilterText(), lower)) }
		}
		t.test = test
	}
	return t, nil
}

// inOrder reports whether all letters of pattern come in name, in their order.
func inOrder(pattern, name string) bool {
	for _, p := range pattern {
		i := strings.IndexRune(name, p)
		if i < 0 {
			return false
		}
		name = name[i+utf8.RuneLen(p):]
	}
	return true
}

// reason is what a regular expression's error says without the expression.
func reason(err error) string {
	var syntax *rsyntax.Error
	if errors.As(err, &syntax) {
		return syntax.Code.String()
	}
	return err.Error()
}

func is(b bool) verdict {
	if b {
		return yes
	}
	return no
}

var operators = []string{">=", "<=", ">", "<", "=", ":"}

// parseColumn reads column:word and column>number; nil when the word is neither.
func parseColumn(word string, columns Columns) (func(Row) verdict, error) {
	at := strings.IndexAny(word, "<>=:")
	if at <= 0 {
		return nil, nil
	}
	column := strings.ToLower(word[:at])
	numeric, ok := columns[column]
	if !ok {
		// A name may hold a colon: it stays a plain word.
		if word[at] == ':' {
			return nil, nil
		}
		return nil, fmt.Errorf("no column %q", column)
	}
	op := ""
	for _, o := range operators {
		if strings.HasPrefix(word[at:], o) {
			op = o
			break
		}
	}
	value := strings.ToLower(word[at+len(op):])
	if value == "" {
		return nothing, nil
	}
	if want, ok := presences[value]; ok && numeric && op == ":" {
		return func(r Row) verdict {
			_, has := r.FilterNumber(column)
			return is(has == want)
		}, nil
	}
	if numeric {
		if n, err := number(value); err == nil {
			return compare(column, op, n), nil
		} else if op != ":" && op != "=" {
			return nil, fmt.Errorf("%s: %s is not a number", word, value)
		}
	}
	switch op {
	case ":":
		return func(r Row) verdict {
			for _, text := range r.FilterField(column) {
				if strings.Contains(text, value) {
					return yes
				}
			}
			return no
		}, nil
	case "=":
		return func(r Row) verdict {
			for _, text := range r.FilterField(column) {
				if text == value {
					return yes
				}
			}
			return no
		}, nil
	}
	return nil, fmt.Errorf("%s: column %s is not a number", word, column)
}

// presences are the words for numbers that are not there.
var presences = map[string]Presence{"unknown": Unknown, "?": Unknown, "none": None, "-": None}

// nothing lets every row pass: a term that is still being typed.
func nothing(Row) verdict { return yes }

func compare(column, op string, n float64) func(Row) verdict {
	return func(r Row) verdict {
		v, has := r.FilterNumber(column)
		if has != Known {
			return unknown
		}
		switch op {
		case ">":
			return is(v > n)
		case ">=":
			return is(v >= n)
		case "<":
			return is(v < n)
		case "<=":
			return is(v <= n)
		}
		return is(v == n)
	}
}

// units are powers of 1024, as Lambda's own limits are: its 250 MB are
// 262,144,000 bytes.
var units = []struct {
	suffix string
	factor float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
	{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30},
	{"b", 1}, {"%", 1},
}

func number(s string) (float64, error) {
	factor := 1.0
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	return n * factor, err
}
