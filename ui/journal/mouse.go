package journal

import "github.com/optlift/optlift/ui/screen"

// Click implements screen.Clickable: a row is selected and then opened.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	row, _ := s.table.At(x, y)
	switch {
	case row < 0 || row >= len(s.entries):
		return screen.Effect{}, false
	case row == s.table.Cursor():
		return s.Do("open"), true
	}
	s.table.Select(row, s.entries[row].ID)
	return screen.Effect{}, true
}
