package list

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The selection stays on its row whatever comes and goes, and in sight.
func TestSelectionKeepsItsRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
		var l List
		rows := slices.Clone(all)
		sync := func() { l.Sync(len(rows), func(i int) string { return rows[i] }) }
		note := func() {
			if c := l.Cursor(); c >= 0 {
				l.Remember(rows[c])
			}
		}
		sync()
		note()
		h := rapid.IntRange(1, 12).Draw(t, "h")
		moved := false
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			was := ""
			if c := l.Cursor(); c >= 0 {
				was = rows[c]
			}
			if rapid.Bool().Draw(t, "move") {
				l.Do(rapid.SampledFrom([]string{"up", "down", "page-up", "page-down", "half-up", "half-down", "top", "bottom"}).Draw(t, "id"))
				moved = true
				note()
			} else {
				rows = rapid.Permutation(all).Draw(t, "order")[:rapid.IntRange(0, len(all)).Draw(t, "n")]
				sync()
				if c := l.Cursor(); moved && slices.Contains(rows, was) && rows[c] != was {
					t.Fatalf("the selection went from %s to %s", was, rows[c])
				}
				note()
			}
			from, to := l.Window(h)
			if c := l.Cursor(); c >= 0 && (c < from || c >= to) {
				t.Fatalf("row %d is selected, %d to %d are seen", c, from, to)
			}
			if to-from > h || len(rows) >= h && to-from != h && len(rows) > 0 {
				t.Fatalf("%d of %d rows are seen in %d lines", to-from, len(rows), h)
			}
		}
	})
}

func TestFirstRowStaysSelectedUntilTheUserMoves(t *testing.T) {
	var l List
	rows := []string{"m"}
	sync := func() { l.Sync(len(rows), func(i int) string { return rows[i] }) }
	sync()
	l.Remember("m")
	rows = []string{"a", "m"}
	sync()
	if l.Cursor() != 0 {
		t.Fatalf("row %d is selected", l.Cursor())
	}
}
