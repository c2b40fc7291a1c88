package account

import (
	"context"
	"errors"
	"io/fs"
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
// all functions that share it. Layers that could not be read add nothing.
type opt struct {
	external  []program // what Lambda starts from /opt/extensions
	conflicts int       // paths whose shadowed copy differs
	example   string    // one of them
	wrapper   program   // where the wrapper variable leads, if that is below /opt
	packages  map[packageKey][]placed
	repeated  repeats // among the layers
}

// program is a file that Lambda would start.
type program struct {
	name   string
	source string // layer ARN or "code"
	state  programState
	head   head
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
func (r *run) opt(ctx context.Context, f *Facts) *opt {
	var key strings.Builder
	for _, l := range f.LayerFacts {
		key.WriteString(l.ARN)
		key.WriteByte(0)
	}
	key.WriteString(f.Wrapper)
	return once(r, r.opts, key.String(), func() *opt {
		return merge(f.LayerFacts, f.Wrapper, func(l *LayerVersion, name string) head { return r.peek(ctx, l, name) })
	}).wait()
}

// peekInto looks at the first bytes of a wrapper, which lies in a layer that was
// read without knowing who uses it. What can't be read is not looked at.
func (r *run) peekInto(ctx context.Context, l *LayerVersion, name string) head {
	client := r.place(RegionOfARN(l.ARN)).client
	return r.archive(ctx, l.ARN, l.CodeSHA256, name, LayerLocator(client, l.ARN, nil)).heads[name]
}

// merge works it out. peek reads the first bytes of a file of a layer.
func merge(layers []*LayerVersion, wrapper string, peek func(l *LayerVersion, name string) head) *opt {
	merged := make([]optfs.Layer, len(layers))
	for i, l := range layers {
		merged[i] = optfs.Layer{Source: l.ARN, Dir: l.Dir} // nil where it could not be read
	}
	t := optfs.Merge(merged...)
	o := &opt{conflicts: t.Conflicts, packages: layerPackages(layers), repeated: repeated(layers)}
	for i := range t.Entries {
		if t.Entries[i].Conflict() {
			o.example = "/opt/" + t.Entries[i].Path
			break
		}
	}
	for _, e := range t.Children(extensionsDir) {
		if e.Kind != zipdir.Dir {
			p := find(t, e.Path)
			p.head = headOf(layers, t, e.Path)
			p.name, p.source = path.Base(e.Path), layers[e.Winner-1].ARN
			o.external = append(o.external, p)
		}
	}
	if rel, ok := below("/opt", wrapper); ok {
		o.wrapper = find(t, rel)
		if e, err := t.Resolve("/opt", rel); err == nil && e.Winner > 0 && e.Kind == zipdir.File {
			o.wrapper.head = peek(layers[e.Winner-1], e.Path)
		}
	}
	return o
}

// find follows links to what would be started at a path below /opt.
func find(t *optfs.Tree, rel string) program {
	e, err := t.Resolve("/opt", rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return program{state: progMissing}
	case err != nil:
		return program{state: progElsewhere}
	}
	return program{name: path.Base(rel), source: t.Layers[max(e.Winner, 1)-1].Source, state: stateOfEntry(e.Kind, e.Zip)}
}

// headOf is what the first bytes of the program at a path say, where they were read.
func headOf(layers []*LayerVersion, t *optfs.Tree, rel string) head {
	e, err := t.Resolve("/opt", rel)
	if err != nil || e.Winner == 0 {
		return head{}
	}
	return layers[e.Winner-1].heads[e.Path]
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
	return program{name: path.Base(rel), source: "code", state: stateOfEntry(e.Kind, e), head: a.heads[rel]}
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
		out = append(out, p.extension(p.name, "external", p.source))
	}
	if s.Wrapper != "" {
		w, _ := s.wrapper()
		out = append(out, w.extension(s.Wrapper, "internal", wrapperVariable))
	}
	for _, v := range languageVariables {
		if s.hasEnv(v) {
			out = append(out, Extension{Name: v, Kind: "internal", Source: v})
		}
	}
	return out
}

func (p program) extension(name, kind, source string) Extension {
	e := Extension{Name: name, Kind: kind, Executable: p.state == progRunnable, Source: source, Format: p.head.format}
	if p.head.machine != 0 {
		e.Architecture = machineName(p.head.machine)
	}
	return e
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

// startedWrapper is the wrapper that the function's runtime starts; known is
// false where there is none, or where it can't be told.
func (s *subject) startedWrapper() (w program, known bool) {
	if s.opt == nil || s.Wrapper == "" || strings.HasPrefix(s.Runtime, "provided") {
		return program{}, false
	}
	return s.wrapper()
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
