package optview

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/build/lookup"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/list"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
	"github.com/optlift/optlift/ui/tree"
)

// maxKeys is how many layers have a key of their own; a function can't have more
// than five.
const maxKeys = 9

// Actions implements screen.Screen.
func (s *Screen) Actions() []keys.Action {
	if s.now == nil {
		if s.failed != "" {
			return []keys.Action{{ID: "again", Keys: []string{"r"}, Label: "try again", Group: "Tree", Help: "open the archives again"}}
		}
		return nil
	}
	t := s.now.tree
	n := t.Selected()
	nothing, compare := "", "nothing is shadowed here"
	if n == nil {
		nothing = "nothing is selected"
	} else if len(n.Entry.Shadows) > 0 && !n.Dir() {
		compare = ""
		if n.Entry.Kind != zipdir.File || n.Entry.Shadows[0].Zip.Kind != zipdir.File {
			compare = "one of the copies is not a file"
		}
	}
	order, flat, noOrder := "by name", "biggest files", ""
	if !t.SizeFirst() {
		order = "by size"
	}
	if t.Flat() {
		flat, noOrder = "tree", "the biggest files come first"
	}
	which := "shadowed only"
	if t.Only().Shadowed {
		which = "all paths"
	}
	own := []keys.Action{
		{ID: "open", Keys: []string{"enter"}, Label: "open", Group: "Tree", Help: "unfold or fold a directory, look into a file", Disabled: nothing},
		{ID: "compare", Keys: []string{"c"}, Label: "compare", Group: "Tree", Help: "compare what is used with what it shadows", Disabled: compare},
		{ID: "shadowed", Keys: []string{"x"}, Label: which, Group: "Tree", Help: "show only what shadows something, or everything"},
		{ID: "flat", Keys: []string{"b"}, Label: flat, Group: "Tree", Help: "the biggest files whatever directory they are in, or the tree"},
		{ID: "order", Keys: []string{"s"}, Label: order, Minor: true, Group: "Tree", Help: "sort by size or by name", Disabled: noOrder},
		{ID: "mark", Keys: []string{"space"}, Label: "mark", Minor: true, Group: "Tree", Help: "mark the path to extract it with others, or unmark it", Disabled: nothing},
		{ID: "unmark", Keys: []string{"n"}, Group: "Tree", Help: "unmark all", Disabled: s.noMarks()},
		s.extractAction(nothing),
		{ID: "unfold", Keys: []string{"right", "l"}, Group: "Tree", Help: "unfold the directory"},
		{ID: "fold", Keys: []string{"left", "h"}, Group: "Tree", Help: "fold the directory, or go to it"},
		{ID: "unfold-all", Keys: []string{"+", "E"}, Group: "Tree", Help: "unfold all"},
		{ID: "fold-all", Keys: []string{"-", "C"}, Group: "Tree", Help: "fold all"},
		{ID: "packages", Keys: []string{"p"}, Label: "packages", Minor: true, Group: "Tree", Help: "the packages in these layers and the code"},
		{ID: "copy", Keys: []string{"y"}, Group: "Tree", Help: "copy the AWS CLI call"},
	}
	own = append(own, s.onlyActions()...)
	if s.task != nil {
		label := "code"
		if s.now == s.task {
			label = "/opt"
		}
		own = append(own, keys.Action{ID: "root", Keys: []string{"t"}, Label: label, Group: "Tree", Help: "between the layers under /opt and the code under /var/task"})
	}
	if s.trial.outcome != nil || s.trial.failed.why != "" {
		// What can be done about it comes first.
		return slices.Concat(s.whatIf(), own, list.Actions())
	}
	return slices.Concat(own, s.whatIf(), list.Actions())
}

// onlyActions narrow the tree to a layer or to the extensions.
func (s *Screen) onlyActions() []keys.Action {
	const group = "Only a part"
	layers, extensions := "", ""
	if s.now != s.opt {
		layers, extensions = "this is the code", "extensions lie under /opt"
	}
	out := []keys.Action{
		{ID: "extensions", Keys: []string{"X"}, Group: group, Help: "the extensions: /opt/extensions and the exec wrapper, or everything", Disabled: extensions},
		{ID: "layer-0", Keys: []string{"0"}, Group: group, Help: "all layers", Disabled: layers},
	}
	last := len(s.real.merged.Layers)
	for i := range s.now.stats {
		last = max(last, s.now.number(i+1)) // added ones have the numbers after those
	}
	for i := range min(last, maxKeys) {
		key := strconv.Itoa(i + 1)
		out = append(out, keys.Action{ID: "layer-" + key, Keys: []string{key}, Group: group, Help: "what layer " + name(i+1) + " has, used or shadowed", Disabled: layers})
	}
	return out
}

func (s *Screen) noMarks() string {
	if len(s.marked) == 0 {
		return "nothing is marked"
	}
	return ""
}

// Do implements screen.Screen.
func (s *Screen) Do(id string) screen.Effect {
	if id == "again" {
		return s.Start()
	}
	if s.now == nil {
		return screen.Effect{}
	}
	t := s.now.tree
	if layer, ok := strings.CutPrefix(id, "layer-"); ok {
		return s.onlyLayer(layer)
	}
	switch id {
	case "open":
		return s.open()
	case "compare":
		return s.compare()
	case "shadowed":
		only := t.Only()
		only.Shadowed = !only.Shadowed
		t.SetOnly(only)
	case "extensions":
		only := t.Only()
		if only.Paths == nil {
			only.Paths = s.extensionPaths()
		} else {
			only.Paths = nil
		}
		t.SetOnly(only)
	case "flat":
		t.SetFlat(!t.Flat())
	case "order":
		t.SetSizeFirst(!t.SizeFirst())
	case "mark":
		s.mark()
	case "unmark":
		clear(s.marked)
	case "unfold":
		t.Fold(true)
	case "fold":
		t.Fold(false)
	case "unfold-all":
		t.FoldAll(true)
	case "fold-all":
		t.FoldAll(false)
	case "root":
		if s.now == s.opt {
			s.now = s.task
		} else {
			s.now = s.opt
		}
	case "extract":
		return s.askExtract()
	case "packages":
		return screen.Effect{Open: screen.Place{Name: "packages", Args: s.targets}}
	case "copy":
		return screen.Effect{Copy: s.call()}
	default:
		if !t.List.Do(id) {
			return s.try(id)
		}
		t.Note()
	}
	return screen.Effect{}
}

// onlyLayer shows one layer's paths; its own key again, or 0, shows all.
func (s *Screen) onlyLayer(key string) screen.Effect {
	n, err := strconv.Atoi(key)
	if err != nil || s.now != s.opt {
		return screen.Effect{}
	}
	t := s.now.tree
	only := t.Only()
	letter := ""
	if n > 0 {
		letter = theme.Letter(n)
	}
	if only.Layer == letter {
		letter = ""
	}
	only.Layer = letter
	t.SetOnly(only)
	return screen.Effect{}
}

// mark marks the selected path, or unmarks it, and goes on to the next.
func (s *Screen) mark() {
	t := s.now.tree
	n := t.Selected()
	if n == nil {
		return
	}
	p := s.now.path + "/" + n.Entry.Path
	if s.marked[p] {
		delete(s.marked, p)
	} else {
		s.marked[p] = true
	}
	t.List.Do("down")
	t.Note()
}

// isMarked reports whether a path is marked, by itself or with a directory above.
func (s *Screen) isMarked(n *tree.Node) (itself, within bool) {
	if len(s.marked) == 0 {
		return false, false
	}
	p := s.now.path + "/" + n.Entry.Path
	if s.marked[p] {
		return true, true
	}
	for p = path.Dir(p); len(p) > len(s.now.path); p = path.Dir(p) {
		if s.marked[p] {
			return false, true
		}
	}
	return false, false
}

// extensionPaths are where extensions lie
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html): the
// external ones, and the script that the runtime is started through.
func (s *Screen) extensionPaths() []string {
	out := []string{"extensions"}
	if s.set.Function != nil {
		if p, ok := strings.CutPrefix(path.Clean(s.set.Function.Wrapper), "/opt/"); ok {
			out = append(out, p)
		}
	}
	return out
}

// instead is what the runtime finds instead of a path, or, of the code, what is
// not found because of it.
func (s *Screen) instead(n *tree.Node) (lookup.Hidden, bool) {
	if len(s.now.hidden) == 0 {
		return lookup.Hidden{}, false
	}
	return lookup.At(s.now.hidden, n.Entry.Path)
}
