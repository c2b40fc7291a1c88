package findings

import "github.com/optlift/optlift/ui/screen"

// Click implements screen.Clickable: a row is selected and then opened.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	row, _ := s.table.At(x, y)
	switch {
	case row < 0 || row >= len(s.rows):
		return screen.Effect{}, false
	case row == s.table.Cursor():
		return s.Do("open"), true
	}
	s.table.Select(row, s.rows[row].key)
	return screen.Effect{}, true
}
