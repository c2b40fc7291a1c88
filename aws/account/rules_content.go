package account

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/optlift/optlift/build/zipdir"
)

// maxExtensions is what Lambda registers at most
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html).
const maxExtensions = 10

func programRules() []Rule {
	external := func(want programState, stray bool, format string) func(s *subject) []string {
		return func(s *subject) (out []string) {
			if s.opt == nil {
				return nil
			}
			for _, p := range s.opt.external {
				if p.state == want && isStray(p.name) == stray {
					out = append(out, fmt.Sprintf(format, p.name, p.source))
				}
			}
			return out
		}
	}
	wrapper := func(check func(s *subject, w program) []string) func(s *subject) []string {
		return func(s *subject) []string {
			w, known := s.startedWrapper()
			if !known {
				return nil
			}
			return check(s, w)
		}
	}
	return []Rule{
		{
			ID: "extension-not-executable", Severity: Error, Title: "an extension is not executable", Docs: docsExtensions,
			Remedy: "set the executable bit before zipping the layer: Lambda starts every file in /opt/extensions and fails the environment when one can't be started",
			check:  external(progNoBit, false, "/opt/extensions/%s of %s is not executable"),
		},
		{
			ID: "extension-modes-unknown", Severity: Note, Title: "an extension's archive carries no Unix modes", Docs: docsExtensions,
			Remedy: "zip the layer on a Unix system: which mode Lambda gives such a file is not documented",
			check:  external(progModesUnknown, false, "/opt/extensions/%s of %s has no Unix mode in its archive"),
		},
		{
			ID: "extension-broken-link", Severity: Error, Title: "an extension is a link to nothing", Docs: docsExtensions,
			Remedy: "put the program itself into extensions/, or the file that the link names into a layer",
			check: func(s *subject) []string {
				if s.opt == nil || !s.layersRead() {
					return nil
				}
				return external(progMissing, false, "/opt/extensions/%s of %s is a link to a path that no layer has")(s)
			},
		},
		{
			ID: "stray-in-extensions", Severity: Error, Title: "a file in extensions/ is not an extension", Docs: docsExtensions,
			Remedy: "remove it from the layer: Lambda tries to start every file in /opt/extensions",
			check: func(s *subject) (out []string) {
				for _, state := range []programState{progNoBit, progModesUnknown, progRunnable, progMissing, progElsewhere} {
					out = append(out, external(state, true, "/opt/extensions/%s of %s does not look like an extension")(s)...)
				}
				return out
			},
		},
		{
			ID: "extension-too-many", Severity: Error, Title: "there are more extensions than Lambda starts", Docs: docsExtensions,
			Remedy: "remove layers with extensions: no more than 10 may be registered",
			check: func(s *subject) []string {
				if s.opt == nil || len(s.opt.external) <= maxExtensions {
					return nil
				}
				return one("%d files in /opt/extensions, at most %d are started", len(s.opt.external), maxExtensions)
			},
		},
		{
			ID: "wrapper-missing", Severity: Error, Title: "the wrapper script does not exist", Docs: docsWrapper,
			Remedy: "attach the layer that brings it, or remove " + wrapperVariable + ": every start fails with exit code 127",
			check: wrapper(func(s *subject, w program) []string {
				if w.state != progMissing && w.state != progDirectory {
					return nil
				}
				return one("%s names %q, and no such file is in the layers or the code", wrapperVariable, s.Wrapper)
			}),
		},
		{
			ID: "wrapper-not-executable", Severity: Error, Title: "the wrapper script is not executable", Docs: docsWrapper,
			Remedy: "set the executable bit before zipping: every start fails with exit code 126",
			check: wrapper(func(s *subject, w program) []string {
				if w.state != progNoBit {
					return nil
				}
				return one("%s names %q of %s, which is not executable", wrapperVariable, s.Wrapper, w.source)
			}),
		},
		{
			ID: "wrapper-ignored", Severity: Warning, Title: "OS-only runtimes have no wrapper scripts", Docs: docsWrapper,
			Remedy: "start the wrapper from the function's own bootstrap",
			check: func(s *subject) []string {
				if s.Wrapper == "" || !strings.HasPrefix(s.Runtime, "provided") {
					return nil
				}
				return one("%s is set and %s does not look at it", wrapperVariable, s.Runtime)
			},
		},
	}
}

// isStray tells files that nobody means as a program: hidden ones, and what
// documentation and packaging leave behind.
func isStray(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".txt", ".rst", ".json", ".yml", ".yaml", ".toml", ".html", ".log", ".bak", ".zip":
		return true
	}
	switch strings.ToUpper(name) {
	case "README", "LICENSE", "LICENCE", "NOTICE", "COPYING", "CHANGELOG":
		return true
	}
	return false
}

func contentRules() []Rule {
	return []Rule{
		{
			ID: "shadowed-different", Severity: Warning, Title: "a layer overrides another's file with other content", Docs: docsLayers,
			Remedy: "look at the copies with optlift opt --conflicts; the last layer wins, so order decides",
			check: func(s *subject) []string {
				if s.opt == nil || s.opt.conflicts == 0 {
					return nil
				}
				return one("%d paths come from more than one layer with different content, such as %q", s.opt.conflicts, s.opt.example)
			},
		},
		{
			ID: "layout", Severity: Warning, Title: "a layer's files lie where the runtime does not look", Docs: docsLayers,
			Remedy: "build the layer with the directories that the runtime searches",
			check: func(s *subject) (out []string) {
				for _, l := range s.LayerFacts {
					if l.State == OK {
						out = append(out, misplaced(s, l)...)
					}
				}
				return out
			},
		},
		{
			ID: "unreadable-mode", Severity: Error, Title: "files that the function's user may not read", Docs: docsPermission,
			Remedy: "run chmod -R o+rX on the files before zipping them",
			check: func(s *subject) (out []string) {
				say := func(source string, a *Archive) {
					if a.State != OK {
						return
					}
					if names := unreadable(a.Dir); len(names) > 0 {
						out = append(out, fmt.Sprintf("%d files of %s are not readable by other users, such as %s", len(names), source, some(names)))
					}
				}
				say("code", &s.Code)
				for _, l := range s.LayerFacts {
					say(l.ARN, &l.Archive)
				}
				return out
			},
		},
	}
}

// unreadable lists files without the read bit, and directories without the
// search bit, for others: the function runs as a user who owns none of them.
func unreadable(dir *zipdir.Directory) (names []string) {
	for i := range dir.Entries {
		e := &dir.Entries[i]
		switch {
		case !e.HasMode || e.Kind == zipdir.Symlink:
		case e.Kind == zipdir.File && e.Mode&0o004 == 0, e.Kind == zipdir.Dir && e.Mode&0o005 != 0o005:
			names = append(names, e.Name)
		}
	}
	return names
}

var (
	nodeDir   = regexp.MustCompile(`^nodejs/node(\d+)/node_modules/`)
	pythonDir = regexp.MustCompile(`^python/lib/python(\d+\.\d+)/site-packages/`)
	rubyDir   = regexp.MustCompile(`^ruby/gems/(\d+\.\d+)\.\d+/`)
	version   = regexp.MustCompile(`^(nodejs|python|ruby)(\d+(?:\.\d+)?)`)
)

// misplaced holds a layer's directories against those that the function's
// runtime searches (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
// A search path of the function's own says that somebody knows better.
func misplaced(s *subject, l *LayerVersion) []string {
	m := version.FindStringSubmatch(s.Runtime)
	if m == nil {
		return nil
	}
	var root string // a directory that means something only below its language's own
	var pattern *regexp.Regexp
	own := ""
	switch m[1] {
	case "nodejs":
		if s.hasEnv("NODE_PATH") {
			return nil
		}
		root, pattern, own = "node_modules/", nodeDir, strings.TrimSuffix(m[2], ".")
	case "python":
		if s.hasEnv("PYTHONPATH") {
			return nil
		}
		root, pattern, own = "site-packages/", pythonDir, m[2]
	case "ruby":
		if s.hasEnv("GEM_PATH") || s.hasEnv("RUBYLIB") {
			return nil
		}
		root, pattern, own = "gems/", rubyDir, m[2]
	}
	var out []string
	atRoot, foreign, matching := false, "", false
	for i := range l.Dir.Entries {
		name := l.Dir.Entries[i].Name
		atRoot = atRoot || strings.HasPrefix(name, root)
		if v := pattern.FindStringSubmatch(name); v != nil {
			if v[1] == own {
				matching = true
			} else {
				foreign = v[1]
			}
		}
	}
	if atRoot {
		out = append(out, fmt.Sprintf("%s has %s at its root, where %s does not look", l.ARN, root, s.Runtime))
	}
	if foreign != "" && !matching {
		out = append(out, fmt.Sprintf("%s carries packages for %s %s and the function runs %s", l.ARN, m[1], foreign, s.Runtime))
	}
	return out
}
