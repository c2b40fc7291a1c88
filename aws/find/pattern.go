package find

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/zipdir"
)

// Pattern is what is looked for, without regard to letters' case:
//
//	word              a path that contains it
//	dir/word          likewise; a slash is a character of it
//	/opt/bin/x        a path that begins so
//	*.so              a name that matches, of a file or a directory; ? is one character
//	lib/*.so          as many last names of the path as the pattern has
//	package:NAME      a package whose path tells its name, also as package:aws-*
//	package:NAME@1.2  and its version, also as 1.*
//
// Where a directory matches, it stands for all that lies in it.
type Pattern struct {
	text string
	// hit is whether a path matches of which no directory above does; last is its
	// last name. Both are in lower case.
	hit func(p, last string) bool
	// could be false means that no part of a path can match; nil is not known.
	could func(p string) bool
	pack  func(inventory.Named) bool // of a pattern for packages
}

// String is the text that the pattern was made from.
func (p *Pattern) String() string { return p.text }

// Parse reads a pattern.
func Parse(text string) (*Pattern, error) {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"package:", "pkg:"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return parsePackage(text, rest)
		}
	}
	p := &Pattern{text: text}
	want := strings.ToLower(text)
	anchored := strings.HasPrefix(want, "/")
	want = strings.TrimPrefix(strings.TrimPrefix(want, "/opt/"), "/")
	if want == "" {
		return nil, errors.New("nothing to look for: give a part of a path, a name such as *.so, or package:NAME")
	}
	if !strings.ContainsAny(want, "*?[") {
		p.could = func(s string) bool { return strings.Contains(s+"/", want) }
		p.hit = func(s, _ string) bool { return strings.Contains(s+"/", want) }
		if anchored {
			p.hit = func(s, _ string) bool { return strings.HasPrefix(s+"/", want) }
		}
		return p, nil
	}
	want = strings.TrimSuffix(want, "/")
	if _, err := path.Match(want, ""); err != nil {
		return nil, fmt.Errorf("%s is no pattern: %w", text, err)
	}
	names := strings.Count(want, "/") + 1
	switch {
	case anchored:
		p.hit = func(s, _ string) bool { return match(want, s) }
	case names == 1:
		p.hit = func(_, last string) bool { return match(want, last) }
	default:
		p.hit = func(s, _ string) bool {
			at := len(s)
			for range names {
				if at = strings.LastIndexByte(s[:at], '/'); at < 0 {
					break
				}
			}
			return match(want, s[at+1:])
		}
	}
	return p, nil
}

// match reports whether a text matches a pattern that path.Match has accepted.
func match(pattern, text string) bool {
	ok, err := path.Match(pattern, text)
	return ok && err == nil
}

func parsePackage(text, rest string) (*Pattern, error) {
	name, version := strings.ToLower(rest), ""
	// Node's scoped names begin with @.
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		name, version = name[:at], name[at+1:]
	}
	for _, part := range []string{name, version} {
		if _, err := path.Match(part, ""); err != nil {
			return nil, fmt.Errorf("%s is no pattern: %w", text, err)
		}
	}
	if name == "" {
		return nil, errors.New("package: needs a name, such as package:numpy or package:@aws-sdk/*")
	}
	return &Pattern{text: text, pack: func(n inventory.Named) bool {
		if version != "" && (n.Version == "" || !match(version, strings.ToLower(n.Version))) {
			return false
		}
		same := inventory.Named{Ecosystem: n.Ecosystem, Name: name}
		// The slash of a scoped name is a character like any other.
		return strings.EqualFold(same.Key(), n.Key()) || match(strings.ReplaceAll(name, "/", ":"), strings.ReplaceAll(strings.ToLower(n.Name), "/", ":"))
	}}, nil
}

// Hit is a path that matches.
type Hit struct {
	Path string `json:"path"` // absolute, below /opt
	Type string `json:"type"` // file, dir or symlink
	// Files counts the files and links there, Size is their bytes.
	Files int   `json:"files"`
	Size  int64 `json:"size"`
	// Package is what the path tells of, null where packages were not asked for.
	Package *Package `json:"package"`
}

// Package is a package as its path tells it. Version is "" where the path does not
// hold it, as for Node.
type Package struct {
	Ecosystem inventory.Ecosystem `json:"ecosystem"`
	Name      string              `json:"name"`
	Version   string              `json:"version"`
}

// In looks into one file list. The hits are sorted by path.
func (p *Pattern) In(dir *zipdir.Directory) []Hit {
	var out []Hit
	at := map[string]int{}
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if p.pack != nil {
			if h, ok := p.packageAt(e); ok {
				out = append(out, h)
			}
			continue
		}
		found, whole := p.first(e.Name)
		if found == "" {
			continue
		}
		n, known := at[found]
		if !known {
			n = len(out)
			at[found] = n
			out = append(out, Hit{Path: "/opt/" + found, Type: zipdir.Dir.String()})
		}
		if h := &out[n]; e.Kind != zipdir.Dir {
			if whole {
				h.Type = e.Kind.String()
			}
			h.Files++
			h.Size += e.Size
		}
	}
	slices.SortFunc(out, func(a, b Hit) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// first is the shortest part of a path that matches, up to one of its names, and
// whether that is the whole path; "" where none does.
func (p *Pattern) first(name string) (found string, whole bool) {
	lower := strings.ToLower(name)
	if p.could != nil && !p.could(lower) {
		return "", false
	}
	from := 0
	for {
		slash := strings.IndexByte(lower[from:], '/')
		end := len(lower)
		if slash >= 0 {
			end = from + slash
		}
		if p.hit(lower[:end], lower[from:end]) {
			if len(lower) != len(name) {
				// Lower case has another length than the name in some scripts: the
				// path is cut by its names instead.
				return strings.Join(strings.SplitN(name, "/", strings.Count(lower[:end], "/")+2)[:strings.Count(lower[:end], "/")+1], "/"), slash < 0
			}
			return name[:end], slash < 0
		}
		if slash < 0 {
			return "", false
		}
		from = end + 1
	}
}

func (p *Pattern) packageAt(e *zipdir.Entry) (Hit, bool) {
	if e.Kind != zipdir.File {
		return Hit{}, false
	}
	n, ok := inventory.ByName(false, e.Name)
	if !ok || !p.pack(n) {
		return Hit{}, false
	}
	return Hit{
		Path: "/opt/" + e.Name, Type: e.Kind.String(), Files: 1, Size: e.Size,
		Package: &Package{Ecosystem: n.Ecosystem, Name: n.Name, Version: n.Version},
	}, true
}
