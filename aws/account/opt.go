package account

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// extensionsDir is where Lambda looks for external extensions, below /opt
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html).
const extensionsDir = "extensions"

// opt is what a combination of layers means for a function, worked out once for
// all functions that share it. Layers that could not be read are left out.
type opt struct {
	external  []program // what Lambda starts from /opt/extensions
	conflicts int       // paths whose shadowed copy differs
	example   string    // one of them
	wrapper   program   // where the wrapper variable leads, if that is below /opt
}

// program is a file that Lambda would start.
type program struct {
	name   string
	source string // layer ARN or "code"
	state  programState
}

type programState int

const (
	progMissing      programState = iota // there is nothing at that path
	progRunnable                         // a file with an executable bit
	progNoBit                            // a file without one
	progModesUnknown                     // its archive carries no Unix modes
	progElsewhere                        // a link that could not be followed
	progDirectory
)

// opt returns the merged view of a function's readable layers.
func (r *run) opt(f *Facts) *opt {
	var key strings.Builder
	for _, l := range f.LayerFacts {
		key.WriteString(l.ARN)
		key.WriteByte(0)
	}
	key.WriteString(f.Wrapper)
	return once(r, r.opts, key.String(), func() *opt { return merge(f.LayerFacts, f.Wrapper) }).wait()
}

func merge(layers []*LayerVersion, wrapper string) *opt {
	var merged []optfs.Layer
	var readable []*LayerVersion
	for _, l := range layers {
		if l.State == OK {
			merged = append(merged, optfs.Layer{Source: l.ARN, Dir: l.Dir})
			readable = append(readable, l)
		}
	}
	o := &opt{}
	if len(merged) == 0 {
		return o
	}
	t := optTree{Tree: optfs.Merge(merged...), layers: readable}
	o.conflicts = t.Conflicts
	if o.conflicts > 0 {
		o.example = firstConflict(t.Tree)
	}
	for _, e := range t.Children(extensionsDir) {
		if e.Kind != zipdir.Dir {
			p := t.find("/opt/" + e.Path)
			p.name, p.source = path.Base(e.Path), t.source(e)
			o.external = append(o.external, p)
		}
	}
	if _, ok := below("/opt", wrapper); ok {
		o.wrapper = t.find(wrapper)
	}
	return o
}

func firstConflict(t *optfs.Tree) string {
	for i := range t.Entries {
		for _, s := range t.Entries[i].Shadows {
			if !s.Identical {
				return "/opt/" + t.Entries[i].Path
			}
		}
	}
	return ""
}

// optTree looks programs up in merged layers.
type optTree struct {
	*optfs.Tree
	layers []*LayerVersion
}

func (t optTree) source(e *optfs.Entry) string { return t.layers[e.Winner-1].ARN }

// maxHops is how many links in a row Linux follows (MAXSYMLINKS).
const maxHops = 40

// find follows links from an absolute path to what would be started there.
func (t optTree) find(p string) program {
	for range maxHops {
		rel, ok := below("/opt", p)
		if !ok {
			return program{state: progElsewhere}
		}
		link, rest, e := t.walk(rel)
		switch {
		case e == nil:
			return program{state: progMissing}
		case link != "":
			target, known := t.layers[e.Winner-1].links[link]
			if !known {
				return program{state: progElsewhere, source: t.source(e)}
			}
			p = path.Join(resolve("/opt/"+link, target), rest)
		default:
			return program{name: path.Base(rel), source: t.source(e), state: stateOfEntry(e.Kind, e.Zip)}
		}
	}
	return program{state: progElsewhere}
}

// walk finds a path, or the first symlink on the way to it with what comes after.
func (t optTree) walk(rel string) (link, rest string, e *optfs.Entry) {
	parts := strings.Split(rel, "/")
	for i := range parts {
		p := strings.Join(parts[:i+1], "/")
		found, ok := t.Lookup(p)
		if !ok {
			return "", "", nil
		}
		if found.Kind == zipdir.Symlink {
			return p, strings.Join(parts[i+1:], "/"), found
		}
		e = found
	}
	return "", "", e
}

func stateOfEntry(kind zipdir.Kind, e *zipdir.Entry) programState {
	switch {
	case kind == zipdir.Dir:
		return progDirectory
	case e == nil || !e.HasMode:
		return progModesUnknown
	case e.Mode&0o111 == 0:
		return progNoBit
	}
	return progRunnable
}

// inCode finds a program in the function's own zip.
func inCode(a *Archive, rel string) program {
	e, ok := a.Dir.Lookup(rel)
	switch {
	case !ok:
		return program{state: progMissing, source: "code"}
	case e.Kind == zipdir.Symlink:
		return program{state: progElsewhere, source: "code"}
	}
	return program{name: path.Base(rel), source: "code", state: stateOfEntry(e.Kind, e)}
}

// subject is a function under judgement.
type subject struct {
	*Facts
	opt *opt // nil for images
	now time.Time
}

// languageVariables load code into the runtime's own process: internal
// extensions (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
var languageVariables = []string{"JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "DOTNET_STARTUP_HOOKS"}

// extensions lists what runs beside or inside the function, external ones
// first, in the order Lambda finds them.
func (s *subject) extensions() []Extension {
	var out []Extension
	for _, p := range s.opt.external {
		out = append(out, Extension{Name: p.name, Kind: "external", Executable: p.state == progRunnable, Source: p.source})
	}
	if s.Wrapper != "" {
		w, _ := s.wrapper()
		out = append(out, Extension{Name: s.Wrapper, Kind: "internal", Executable: w.state == progRunnable, Source: wrapperVariable})
	}
	for _, v := range languageVariables {
		if s.hasEnv(v) {
			out = append(out, Extension{Name: v, Kind: "internal", Source: v})
		}
	}
	return out
}

// wrapper is where the wrapper variable leads; known is false where that can't
// be told, because it lies in the base system or an archive was not readable.
func (s *subject) wrapper() (w program, known bool) {
	if _, ok := below("/opt", s.Wrapper); ok {
		return s.opt.wrapper, s.opt.wrapper.state != progMissing || s.layersRead()
	}
	if rel, ok := below("/var/task", s.Wrapper); ok && s.Code.State == OK {
		return inCode(&s.Code, rel), true
	}
	return program{state: progElsewhere}, false
}

func (s *subject) layersRead() bool {
	for _, l := range s.LayerFacts {
		if l.State != OK {
			return false
		}
	}
	return true
}

func (s *subject) hasEnv(name string) bool {
	_, ok := slices.BinarySearch(s.EnvNames, name)
	return ok
}
