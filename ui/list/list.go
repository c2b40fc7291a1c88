package list

import "github.com/optlift/optlift/ui/keys"

// List is a window on n rows. The zero value is an empty list.
type List struct {
	n, cursor, offset, height int
	key                       string
	moved                     bool
}

// Sync tells the list its rows after they changed. Until the user moves, the
// first row stays selected; after that the selected row is kept by its key, and
// where its row is gone, the place.
func (l *List) Sync(n int, keyAt func(int) string) {
	l.n = n
	was := l.cursor
	switch {
	case n == 0:
		l.cursor = 0
		return
	case !l.moved:
		l.cursor = 0
	case l.cursor < n && keyAt(l.cursor) == l.key:
	default:
		l.cursor = min(l.cursor, n-1)
		for i := range n {
			if keyAt(i) == l.key {
				// The row stays where it is on screen while others come and go above it.
				l.cursor = i
				l.offset += i - was
				break
			}
		}
	}
	l.scroll()
}

// At is the row in a line of the window drawn last, -1 where there is none.
func (l *List) At(line int) int {
	if row := l.offset + line; line >= 0 && line < l.height && row < l.n {
		return row
	}
	return -1
}

// Remember notes the key of the selected row; called after each move.
func (l *List) Remember(key string) { l.key = key }

// Select moves to row i.
func (l *List) Select(i int, key string) {
	l.moved, l.key = true, key
	l.cursor = min(max(i, 0), max(l.n-1, 0))
	l.scroll()
}

// Len is the number of rows.
func (l *List) Len() int { return l.n }

// Cursor is the selected row, -1 in an empty list.
func (l *List) Cursor() int {
	if l.n == 0 {
		return -1
	}
	return l.cursor
}

// Window returns the rows seen in h lines, from inclusive, to exclusive.
func (l *List) Window(h int) (from, to int) {
	l.height = max(h, 0)
	l.scroll()
	return l.offset, min(l.offset+l.height, l.n)
}

func (l *List) scroll() {
	if l.cursor < l.offset {
		l.offset = l.cursor
	}
	if l.height > 0 && l.cursor >= l.offset+l.height {
		l.offset = l.cursor - l.height + 1
	}
	l.offset = max(min(l.offset, l.n-l.height), 0)
}

// Actions are the moves every list knows.
func Actions() []keys.Action { return moves }

var moves = []keys.Action{
	{ID: "up", Keys: []string{"up", "k"}, Group: "Moving", Help: "one row up"},
	{ID: "down", Keys: []string{"down", "j"}, Group: "Moving", Help: "one row down"},
	{ID: "page-up", Keys: []string{"pgup", "ctrl+b"}, Group: "Moving", Help: "one page up"},
	{ID: "page-down", Keys: []string{"pgdown", "ctrl+f"}, Group: "Moving", Help: "one page down"},
	{ID: "half-up", Keys: []string{"ctrl+u"}, Group: "Moving", Help: "half a page up"},
	{ID: "half-down", Keys: []string{"ctrl+d"}, Group: "Moving", Help: "half a page down"},
	{ID: "top", Keys: []string{"g", "home"}, Group: "Moving", Help: "to the first row"},
	{ID: "bottom", Keys: []string{"G", "end"}, Group: "Moving", Help: "to the last row"},
}

// Do performs one of Actions and reports whether id was one.
func (l *List) Do(id string) bool {
	page := max(l.height-1, 1)
	to := l.cursor
	switch id {
	case "up":
		to--
	case "down":
		to++
	case "page-up":
		to -= page
	case "page-down":
		to += page
	case "half-up":
		to -= max(page/2, 1)
	case "half-down":
		to += max(page/2, 1)
	case "top":
		to = 0
	case "bottom":
		to = l.n - 1
	default:
		return false
	}
	l.moved = true
	l.cursor = min(max(to, 0), max(l.n-1, 0))
	l.scroll()
	return true
}
