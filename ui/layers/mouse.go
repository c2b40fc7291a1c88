package layers

import "github.com/optlift/optlift/ui/screen"

// ARN is the selected layer version's, "" when there is none.
func (s *Screen) ARN() string {
	if l := s.selected(); l != nil {
		return l.ARN
	}
	return ""
}

// Click implements screen.Clickable: a row is selected and then opened, a title
// sorts.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	row, col := s.table.At(x, y)
	switch {
	case len(s.rows) == 0 || row < 0 && col < 0:
		return screen.Effect{}, false
	case row >= 0 && row == s.table.Cursor():
		return s.Do("open"), true
	case row >= 0:
		s.table.Select(row, s.rows[row].ARN)
	default:
		s.table.SortBy(col)
		s.sync()
	}
	return screen.Effect{}, true
}
