package bulk

import "github.com/optlift/optlift/ui/screen"

// Click implements screen.Clickable: a function is selected and then its journal
// opened.
func (s *Screen) Click(x, y int) (screen.Effect, bool) {
	if s.phase != running && s.phase != ended {
		return screen.Effect{}, false
	}
	row, _ := s.table.At(x, y-s.above)
	switch {
	case row < 0 || row >= len(s.rows):
		return screen.Effect{}, false
	case row != s.table.Cursor():
		s.table.Select(row, s.rows[row].key())
	default:
		for _, a := range s.Actions() {
			if a.ID == "entry" && a.Disabled == "" {
				return s.Do("entry"), true
			}
		}
	}
	return screen.Effect{}, true
}
