package functions

import (
	"fmt"

	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/screen"
)

// marks are the functions that an action is meant for, by ARN, so that they stay
// through sorting, filtering and refreshing.
type marks map[string]bool

// prune forgets functions that are gone.
func (s *Screen) prune() {
	for arn := range s.marked {
		if _, ok := s.inv.Get(arn); !ok {
			delete(s.marked, arn)
		}
	}
}

// toggle marks the selected function or takes its mark away, and goes on.
func (s *Screen) toggle() {
	r := s.Selected()
	if r == nil {
		return
	}
	if s.marked[r.ARN] {
		delete(s.marked, r.ARN)
	} else {
		s.marked[r.ARN] = true
	}
	s.table.Do("down")
	s.remember()
}

// toggleAll marks all that are on screen, or none of them where all are.
func (s *Screen) toggleAll() {
	all := true
	for _, r := range s.rows {
		all = all && s.marked[r.ARN]
	}
	for _, r := range s.rows {
		if all {
			delete(s.marked, r.ARN)
		} else {
			s.marked[r.ARN] = true
		}
	}
}

// bulk hands the marked functions over, in the order of the list. Those that are
// images already stay behind.
func (s *Screen) bulk() screen.Effect {
	var arns []string
	images := 0
	for _, r := range s.sorted {
		switch {
		case !s.marked[r.ARN]:
		case r.PackageType == "Image":
			images++
		default:
			arns = append(arns, r.ARN)
		}
	}
	e := screen.Effect{Open: screen.Place{Name: screen.Bulk, Args: arns}}
	if images > 0 {
		e.Note = fmt.Sprintf("%s already: left out", draw.Plural(images, "marked function")+" "+be(images)+" an image")
	}
	return e
}

func be(n int) string {
	if n == 1 {
		return "is"
	}
	return "are each"
}

// markedCount says how many are marked, and how many of them the filter hides.
func (s *Screen) markedCount() string {
	if len(s.marked) == 0 {
		return ""
	}
	seen := 0
	for _, r := range s.rows {
		if s.marked[r.ARN] {
			seen++
		}
	}
	if hidden := len(s.marked) - seen; hidden > 0 {
		return fmt.Sprintf("%d marked, %d of them hidden · ", len(s.marked), hidden)
	}
	return fmt.Sprintf("%d marked · ", len(s.marked))
}

// convertible reports whether a marked function is a Zip.
func (s *Screen) convertible() bool {
	for arn := range s.marked {
		if r, ok := s.inv.Get(arn); ok && r.PackageType != "Image" {
			return true
		}
	}
	return false
}
