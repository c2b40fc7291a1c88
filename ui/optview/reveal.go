package optview

import (
	"strings"

	"github.com/optlift/optlift/ui/screen"
)

// GoTo selects an absolute path, as soon as the archives are open.
func (s *Screen) GoTo(path string) screen.Effect {
	s.wanted = path
	return s.reveal()
}

// reveal selects the path that is wanted, if any.
func (s *Screen) reveal() screen.Effect {
	path := s.wanted
	if path == "" || s.now == nil {
		return screen.Effect{}
	}
	s.wanted = ""
	for _, r := range []*root{s.opt, s.task} {
		if r == nil {
			continue
		}
		if rel, ok := strings.CutPrefix(path, r.path+"/"); ok && r.tree.Reveal(rel) {
			s.now = r
			return screen.Effect{}
		}
	}
	return screen.Say(screen.Info, "there is no "+path+" here")
}
