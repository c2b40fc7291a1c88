package optview

import "github.com/optlift/optlift/ui/screen"

// Click implements screen.Clickable: a path is selected. A click on a directory's
// mark, and a second one on any path, does what its key does.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	if s.now == nil {
		return screen.Effect{}, false
	}
	t := s.now.tree
	row := t.List.At(y - s.above)
	if row < 0 {
		return screen.Effect{}, false
	}
	n := t.At(row)
	again := row == t.Cursor()
	t.Select(row, n.Entry.Path)
	if mark := s.foldMark(n.Depth); again || n.Dir() && (x == mark || x == mark+1) {
		return s.open(), true
	}
	return screen.Effect{}, true
}

// foldMark is the column of a directory's mark, so many directories deep.
func (s *Screen) foldMark(depth int) int {
	column := 3 + widthLayer + 1 + widthShadow + 1 + widthSize + 2 + widthMode + 2
	if len(s.now.hidden) > 0 {
		column += 1 + widthFound
	}
	if s.now.tree.Flat() {
		return column
	}
	return column + 2*min(depth, 20)
}
