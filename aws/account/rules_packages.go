package account

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"
)

// headRules look at the first bytes of what Lambda starts.
func headRules() []Rule {
	wrong := func(s *subject, p program) bool {
		own, known := machines[s.Architecture]
		return known && p.head.machine != 0 && p.head.machine != own
	}
	crlf := func(_ *subject, p program) bool { return p.head.crlf }
	extensions := func(is func(*subject, program) bool, say func(s *subject, p program) string) func(s *subject) []string {
		return func(s *subject) (out []string) {
			if s.opt == nil {
				return nil
			}
			for _, p := range s.opt.external {
				if is(s, p) {
					out = append(out, say(s, p))
				}
			}
			return out
		}
	}
	wrapper := func(is func(*subject, program) bool, say func(s *subject, p program) string) func(s *subject) []string {
		return func(s *subject) []string {
			w, known := s.startedWrapper()
			if !known || !is(s, w) {
				return nil
			}
			return []string{say(s, w)}
		}
	}
	return []Rule{
		{
			ID: "extension-wrong-architecture", Severity: Error, Title: "an extension is built for another architecture", Docs: docsArch,
			Remedy: "attach the layer's build for the function's architecture: the environment fails with \"exec format error\"",
			check: extensions(wrong, func(s *subject, p program) string {
				return fmt.Sprintf("/opt/extensions/%s of %s is built for %s and the function runs on %s", p.name, p.source, machineName(p.head.machine), s.Architecture)
			}),
		},
		{
			ID: "extension-line-endings", Severity: Error, Title: "an extension's first line ends as on DOS", Docs: docsExtensions,
			Remedy: "save the script with Unix line endings: Linux looks for an interpreter whose name ends in a carriage return and finds none",
			check: extensions(crlf, func(_ *subject, p program) string {
				return fmt.Sprintf("/opt/extensions/%s of %s is a script whose first line ends with a carriage return", p.name, p.source)
			}),
		},
		{
			ID: "wrapper-wrong-architecture", Severity: Error, Title: "the wrapper is built for another architecture", Docs: docsArch,
			Remedy: "attach the layer's build for the function's architecture: every start fails with \"exec format error\"",
			check: wrapper(wrong, func(s *subject, p program) string {
				return fmt.Sprintf("%s names %q of %s, which is built for %s, and the function runs on %s", wrapperVariable, s.Wrapper, p.source, machineName(p.head.machine), s.Architecture)
			}),
		},
		{
			ID: "wrapper-line-endings", Severity: Error, Title: "the wrapper script's first line ends as on DOS", Docs: docsWrapper,
			Remedy: "save the script with Unix line endings: Linux looks for an interpreter whose name ends in a carriage return and finds none",
			check: wrapper(crlf, func(s *subject, p program) string {
				return fmt.Sprintf("%s names %q of %s, a script whose first line ends with a carriage return", wrapperVariable, s.Wrapper, p.source)
			}),
		},
	}
}

// packageRules compare what layers and code bring.
func packageRules() []Rule {
	return []Rule{
		{
			ID: "package-versions", Severity: Warning, Title: "a package lies in several places at different versions", Docs: docsLayers,
			Remedy: "keep one version of each package: which one is used depends on search paths and the order of the layers (optlift inventory lists them)",
			check: func(s *subject) []string {
				if s.opt == nil {
					return nil
				}
				all := s.opt.packages
				if s.Code.State == OK {
					all = map[packageKey][]placed{}
					packagesOf(s.Code.Dir, "code", true, all)
					for k, copies := range s.opt.packages {
						all[k] = append(slices.Clip(copies), all[k]...)
					}
				}
				names := divided(all)
				if len(names) == 0 {
					return nil
				}
				const shown = 3
				text := fmt.Sprintf("%d packages lie at different versions in layers or code: %s", len(names), names[0])
				for _, n := range names[1:min(shown, len(names))] {
					text += "; " + n
				}
				if more := len(names) - shown; more > 0 {
					text += fmt.Sprintf("; and %d more", more)
				}
				return []string{text}
			},
		},
		{
			ID: "layer-in-code", Severity: Warning, Title: "the code holds what a layer brings", Docs: docsLayers,
			Remedy: "leave the layer's files out of the code when packaging it, or drop the layer: both count against the limit, and the code's copy is used",
			check: func(s *subject) (out []string) {
				if s.Code.State != OK {
					return nil
				}
				for _, l := range s.LayerFacts {
					if l.State != OK {
						continue
					}
					if r := inCodeToo(s.Code.Dir, l.Dir); r.bytes >= manyRepeated {
						out = append(out, fmt.Sprintf("%d files, %s of the code are the same as in %s, such as %q", r.files, humanize.IBytes(uint64(r.bytes)), l.ARN, r.example))
					}
				}
				return out
			},
		},
		{
			ID: "repeated-content", Severity: Note, Title: "several layers bring the same bytes", Docs: docsLayers,
			Remedy: "move what layers share into one of them: every copy counts against the limit",
			check: func(s *subject) []string {
				if s.opt == nil || s.opt.repeated.bytes < manyRepeated {
					return nil
				}
				r := s.opt.repeated
				return one("%d files, %s come in more than one layer, such as %q", r.files, humanize.IBytes(uint64(r.bytes)), r.example)
			},
		},
	}
}

// layerPackages gathers the packages of the layers that could be read.
func layerPackages(layers []*LayerVersion) map[packageKey][]placed {
	all := map[packageKey][]placed{}
	for _, l := range layers {
		if l.Dir != nil {
			packagesOf(l.Dir, l.ARN, false, all)
		}
	}
	return all
}
