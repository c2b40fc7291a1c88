package filter

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Saved are filters by name. A saved filter can't use another one.
type Saved map[string]string

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// ValidName reports whether a saved filter can have this name.
func ValidName(name string) bool { return nameForm.MatchString(name) }

// Names are the names, sorted.
func (s Saved) Names() []string { return slices.Sorted(maps.Keys(s)) }

func (s Saved) term(name string, columns Columns) (func(Row) verdict, error) {
	text, ok := s[name]
	if !ok {
		if len(s) == 0 {
			return nil, fmt.Errorf("no saved filter %q: the configuration file has none", name)
		}
		return nil, fmt.Errorf("no saved filter %q, but %s", name, strings.Join(s.Names(), ", "))
	}
	f, err := Parse(text, columns)
	if err != nil {
		return nil, fmt.Errorf("saved filter %s: %w", name, err)
	}
	return f.verdict, nil
}

// verdict is no where any term fails, unknown where none does but one is not known.
func (f Filter) verdict(r Row) verdict {
	out := yes
	for i := range f.terms {
		switch v := f.terms[i].test(r); {
		case v == unknown:
			out = unknown
		case (v == yes) == f.terms[i].not:
			return no
		}
	}
	return out
}
