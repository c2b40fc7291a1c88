package lookup

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// The two roots a function is made of
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
const (
	opt  = "/opt"
	task = "/var/task"
)

// Hidden is something under /opt that is found elsewhere first.
type Hidden struct {
	Path string // absolute: the file, or the directory of a package
	By   string // absolute: what is found instead
	Kind string // "python module", "node package", "ruby file", "shared library"
}

// kind is one sort of things that are searched for in a list of directories, the
// first that has it wins.
type kind struct {
	name     string
	variable string // where a function sets it, its own search path counts
	roots    []string
	// names returns what a directory offers: the name it is asked for by, and the
	// path of each below the directory.
	names func(t *optfs.Tree, dir string) map[string]string
}

var (
	python = regexp.MustCompile(`^python(\d+\.\d+)$`)
	node   = regexp.MustCompile(`^nodejs(\d+)\.x$`)
)

// kinds are what a runtime searches for, in the order of the variables that it
// starts with
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html and
// https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
func kinds(runtime string) []kind {
	out := []kind{{name: "shared library", variable: "LD_LIBRARY_PATH", roots: []string{task, task + "/lib", opt + "/lib"}, names: libraries}}
	switch {
	case python.MatchString(runtime):
		version := python.FindStringSubmatch(runtime)[1]
		out = append(out, kind{name: "python module", variable: "PYTHONPATH", names: modules,
			roots: []string{task, opt + "/python/lib/python" + version + "/site-packages", opt + "/python"}})
	case node.MatchString(runtime):
		major := node.FindStringSubmatch(runtime)[1]
		// The packages beside the code come before NODE_PATH
		// (https://nodejs.org/api/modules.html#loading-from-the-global-folders).
		out = append(out, kind{name: "node package", variable: "NODE_PATH", names: packages,
			roots: []string{task + "/node_modules", opt + "/nodejs/node" + major + "/node_modules", opt + "/nodejs/node_modules"}})
	case strings.HasPrefix(runtime, "ruby"):
		out = append(out, kind{name: "ruby file", variable: "RUBYLIB", names: rubyFiles, roots: []string{task, opt + "/ruby/lib"}})
	}
	return out
}

// Find returns what of the layers the runtime does not get to see, by path below
// /opt ("python/requests"). env are the names of the function's variables: what
// it has a search path of its own for is left out. code may be nil; it is what
// lies under /var/task.
func Find(runtime string, env []string, layers, code *optfs.Tree) map[string]Hidden {
	out := map[string]Hidden{}
	for _, k := range kinds(runtime) {
		if slices.Contains(env, k.variable) {
			continue
		}
		first := map[string]string{} // name → absolute path
		for _, root := range k.roots {
			t, dir := layers, strings.TrimPrefix(root, opt+"/")
			if strings.HasPrefix(root, task) {
				t, dir = code, strings.TrimPrefix(strings.TrimPrefix(root, task), "/")
			}
			if t == nil {
				continue
			}
			for name, at := range k.names(t, dir) {
				abs := path.Join(root, at)
				by, taken := first[name]
				switch {
				case !taken:
					first[name] = abs
				case strings.HasPrefix(abs, opt+"/"):
					out[strings.TrimPrefix(abs, opt+"/")] = Hidden{Path: abs, By: by, Kind: k.name}
				}
			}
		}
	}
	return out
}

// At returns what hides a path below /opt: itself, or a package it lies in.
func At(hidden map[string]Hidden, p string) (Hidden, bool) {
	for ; p != "." && p != "/" && p != ""; p = path.Dir(p) {
		if h, ok := hidden[p]; ok {
			return h, true
		}
	}
	return Hidden{}, false
}

// libraries are the files that a loader takes for shared objects.
func libraries(t *optfs.Tree, dir string) map[string]string {
	out := map[string]string{}
	for _, e := range t.Children(dir) {
		name := path.Base(e.Path)
		if e.Kind != zipdir.Dir && (strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.")) {
			out[name] = name
		}
	}
	return out
}

// modules are what `import` finds: packages with an __init__, source files and
// extension modules. A directory without one is only part of a namespace and
// hides nothing (https://docs.python.org/3/reference/import.html#namespace-packages).
func modules(t *optfs.Tree, dir string) map[string]string {
	out := map[string]string{}
	for _, e := range t.Children(dir) {
		name := path.Base(e.Path)
		if e.Kind == zipdir.Dir {
			if _, ok := t.Lookup(path.Join(e.Path, "__init__.py")); ok {
				out[name] = name
			}
			continue
		}
		module, rest, _ := strings.Cut(name, ".")
		source := rest == "py"
		if !source && rest != "so" && !strings.HasSuffix(rest, ".so") {
			continue
		}
		// A package comes before an extension module, and that before a source file.
		if at, taken := out[module]; !taken || !source && strings.HasSuffix(at, ".py") {
			out[module] = name
		}
	}
	return out
}

// packages are the directories of a node_modules, those of a scope each by itself.
func packages(t *optfs.Tree, dir string) map[string]string {
	out := map[string]string{}
	for _, e := range t.Children(dir) {
		name := path.Base(e.Path)
		switch {
		case strings.HasPrefix(name, "."):
		case strings.HasPrefix(name, "@"):
			for _, in := range t.Children(e.Path) {
				scoped := name + "/" + path.Base(in.Path)
				out[scoped] = scoped
			}
		default:
			out[name] = name
		}
	}
	return out
}

func rubyFiles(t *optfs.Tree, dir string) map[string]string {
	out := map[string]string{}
	for _, e := range t.Children(dir) {
		if name := path.Base(e.Path); e.Kind != zipdir.Dir && strings.HasSuffix(name, ".rb") {
			out[name] = name
		}
	}
	return out
}
