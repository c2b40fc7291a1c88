package layers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// toggle marks the selected layer version or takes its mark away, and goes on.
func (s *Screen) toggle() {
	l := s.selected()
	if l == nil {
		return
	}
	if i := slices.Index(s.marked, l.ARN); i >= 0 {
		s.marked = slices.Delete(s.marked, i, i+1)
	} else {
		s.marked = append(s.marked, l.ARN)
	}
	s.table.Do("down")
	s.remember()
}

// prune forgets layer versions that are gone.
func (s *Screen) prune() {
	s.marked = slices.DeleteFunc(s.marked, func(arn string) bool { return s.find(arn) == nil })
}

func (s *Screen) find(arn string) *inventory.Layer {
	for _, l := range s.inv.Layers() {
		if l.ARN == arn {
			return l
		}
	}
	return nil
}

func (s *Screen) noMarks() string {
	if len(s.marked) == 0 {
		return "no layer version is marked"
	}
	return ""
}

// tooMany says why the marked ones can't be compared, "" where they can.
func (s *Screen) tooMany() string {
	if n := len(s.marked); n > 2 {
		return strconv.Itoa(n) + " layer versions are marked: a difference is between two"
	}
	return ""
}

// diff compares the two marked ones, or asks what to compare one with.
func (s *Screen) diff() screen.Effect {
	if len(s.marked) == 2 {
		return between(s.marked[0], s.marked[1])
	}
	l := s.selected()
	also := ""
	if len(s.marked) == 1 {
		if l != nil && l.ARN != s.marked[0] {
			also = l.ARN
		}
		l = s.find(s.marked[0])
	}
	if l == nil {
		return screen.Effect{}
	}
	return s.askOther(l, also)
}

// between opens the difference of two layer versions: of one layer from the earlier
// version to the later one, else from a to b.
func between(a, b string) screen.Effect {
	layerA, versionA := cut(a)
	layerB, versionB := cut(b)
	if layerA == layerB && versionB < versionA {
		a, b = b, a
	}
	return screen.Effect{Open: screen.Place{Name: "diff", Args: []string{a, b}}}
}

// cut takes a layer version's ARN apart.
func cut(arn string) (layer string, version int64) {
	i := strings.LastIndexByte(arn, ':')
	if i < 0 {
		return arn, 0
	}
	version, _ = strconv.ParseInt(arn[i+1:], 10, 64)
	return arn[:i], version
}

// offered is how many versions in use the question names; others are typed.
const offered = 6

// askOther asks which other version a layer version is compared with: the newest
// one, those in use, or any by its number. also is another layer version, or "".
func (s *Screen) askOther(l *inventory.Layer, also string) screen.Effect {
	layer, version := cut(l.ARN)
	d := &dialog.Dialog{Title: "Compare " + inventory.ShortLayer(l.ARN) + " with", Tone: theme.Accent}
	add := func(key, label, answer string) {
		d.Choices = append(d.Choices, dialog.Choice{Keys: []string{key}, Label: label, Answer: answer})
	}
	if also != "" {
		add("enter", "the selected one, "+inventory.ShortLayer(also), also)
	}
	var newest int64
	if l.Report != nil && l.Report.Newest != nil {
		newest = *l.Report.Newest
	}
	others := s.versions(layer, version)
	switch {
	case newest > 0 && newest != version:
		add("n", fmt.Sprintf("version %d, the newest", newest), versionOf(layer, newest))
	case newest > 0:
		d.Body = append(d.Body, "It is the newest version.")
	case l.Report != nil && l.Report.NewestMessage != "":
		d.Body = append(d.Body, "The newest version is not known: "+l.Report.NewestMessage+".")
	case l.Report != nil && l.Report.NewestState == account.Deleted:
		d.Body = append(d.Body, "Its account has no version of this layer any more.")
	default:
		d.Body = append(d.Body, "The newest version is not known yet.")
	}
	key := 1
	for _, o := range others {
		if _, v := cut(o.ARN); v != newest && key <= offered {
			add(strconv.Itoa(key), fmt.Sprintf("version %d, of %s", v, draw.Plural(len(o.Functions), "function")), o.ARN)
			key++
		}
	}
	if len(others) == 0 {
		d.Body = append(d.Body, "No other version of it is in use.")
	}
	const typed = "type"
	add("v", "another version, by its number", typed)
	return screen.Effect{Ask: &screen.Question{Dialog: d, Then: func(answer string) screen.Effect {
		switch answer {
		case "":
			return screen.Effect{}
		case typed:
			return askVersion(layer, l.ARN)
		}
		return between(l.ARN, answer)
	}}}
}

func versionOf(layer string, n int64) string { return layer + ":" + strconv.FormatInt(n, 10) }

// versions are the other versions of a layer that are in use, the latest first.
func (s *Screen) versions(layer string, but int64) (out []*inventory.Layer) {
	for _, l := range s.inv.Layers() {
		if of, v := cut(l.ARN); of == layer && v != but {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b *inventory.Layer) int {
		_, x := cut(a.ARN)
		_, y := cut(b.ARN)
		return cmp.Compare(y, x)
	})
	return out
}

func askVersion(layer, arn string) screen.Effect {
	return screen.Effect{Ask: &screen.Question{
		Dialog: dialog.Entry("Compare "+inventory.ShortLayer(arn)+" with", "a version number", "", "Any version of the layer that can still be read, also one that no function has."),
		Then: func(text string) screen.Effect {
			if text == "" {
				return screen.Effect{}
			}
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 1 {
				return screen.Say(screen.Bad, text+" is not a version: they are counted from 1")
			}
			return between(arn, versionOf(layer, n))
		},
	}}
}
