package migrate

import "github.com/optlift/optlift/ui/screen"

// Click implements screen.Clickable: a step is selected and then all that is known
// of it shown.
func (s *Screen) Click(_, y int) (screen.Effect, bool) {
	if s.phase != running && s.phase != ended {
		return screen.Effect{}, false
	}
	row := s.list.At(y - s.above)
	switch {
	case row < 0 || row >= len(s.steps):
		return screen.Effect{}, false
	case row == s.list.Cursor():
		return s.Do("detail"), true
	}
	s.follow = false
	s.list.Select(row, s.steps[row].ID)
	return screen.Effect{}, true
}

// Click implements screen.Clickable: a layer is selected.
func (s *sources) Click(_, y int) (screen.Effect, bool) {
	row := s.list.At(y - s.above)
	if row < 0 || row >= len(s.rows) {
		return screen.Effect{}, false
	}
	s.list.Select(row, s.rows[row].arn)
	return screen.Effect{}, true
}
