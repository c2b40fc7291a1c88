package functions

import (
	"encoding/base64"
	"slices"
)

// window finds a page of a sorted list: those after marker, at most the given
// number, which AWS caps. The marker is opaque to clients, and stays good while
// items come and go.
func window(labels []string, marker *string, most *int32, limit int) (from, to int, next *string, err error) {
	if m := val(marker); m != "" {
		last, err := base64.RawURLEncoding.DecodeString(m)
		if err != nil {
			return 0, 0, nil, invalid("Invalid marker value. Please pass the NextMarker value returned by the previous call.")
		}
		from = after(labels, string(last))
	}
	if most != nil && int(*most) < limit {
		limit = int(*most)
	}
	to = min(len(labels), from+limit)
	if to < len(labels) {
		next = ptr(base64.RawURLEncoding.EncodeToString([]byte(labels[to-1])))
	}
	return from, to, next, nil
}

// after is the index of the first label behind last. A list that isn't sorted,
// such as versions by number, is searched for last itself.
func after(labels []string, last string) int {
	if i := slices.Index(labels, last); i >= 0 {
		return i + 1
	}
	i, _ := slices.BinarySearch(labels, last)
	return i
}

// cut is window for a list of names.
func cut(names []string, marker *string, most *int32, limit int) (page []string, next *string, err error) {
	from, to, next, err := window(names, marker, most, limit)
	return names[from:to], next, err
}
