package answer

import (
	"encoding/json"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Ignored reports whether a path, as differences are told ($.order.id, $.items[3]),
// is one of those that the user does not count, or lies below it. [*] stands for
// every element of a list.
func Ignored(at string, paths []string) bool {
	every := anyElement.ReplaceAllString(at, "[*]")
	for _, p := range paths {
		for _, is := range []string{at, every} {
			if rest, ok := strings.CutPrefix(is, p); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return true
			}
		}
	}
	return false
}

var anyElement = regexp.MustCompile(`\[[0-9]+\]`)

// Difference is the path of the first difference of two decoded JSON values, below
// the path at; "" for none. Paths for which skip, which may be nil, is true do not
// count.
func Difference(a, b any, at string, skip func(string) bool) string {
	if skip != nil && skip(at) {
		return ""
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return at
		}
		keys := map[string]bool{}
		for k := range a {
			keys[k] = true
		}
		for k := range b {
			keys[k] = true
		}
		sorted := make([]string, 0, len(keys))
		for k := range keys {
			sorted = append(sorted, k)
		}
		sort.Strings(sorted)
		for _, k := range sorted {
			x, inA := a[k]
			y, inB := b[k]
			if inA != inB && (skip == nil || !skip(at+"."+k)) {
				return at + "." + k
			}
			if d := Difference(x, y, at+"."+k, skip); d != "" {
				return d
			}
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return at
		}
		for i := range a {
			if d := Difference(a[i], b[i], at+"["+strconv.Itoa(i)+"]", skip); d != "" {
				return d
			}
		}
	default:
		if !reflect.DeepEqual(a, b) {
			return at
		}
	}
	return ""
}

// SameJSON compares two JSON texts by their values, other texts byte by byte.
func SameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return Difference(x, y, "", nil) == "" && (x == nil) == (y == nil)
}
