package inventory

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/optfs"
	"github.com/optlift/optlift/build/zipdir"
)

// Ecosystem is the kind of a package.
type Ecosystem string

// The ecosystems that are looked for.
const (
	Python Ecosystem = "python"
	Node   Ecosystem = "node"
	Java   Ecosystem = "java"
	Ruby   Ecosystem = "ruby"
	DotNet Ecosystem = "dotnet"
	Go     Ecosystem = "go"
)

// Package is one package at one place.
type Package struct {
	Ecosystem Ecosystem `json:"ecosystem"`
	// Name and Version are as the package's own metadata spells them; Version
	// is "" where it does not say.
	Name    string `json:"name"`
	Version string `json:"version"`
	// Path is the absolute path of the file that tells of the package. What
	// lies in an archive follows its path and "!/".
	Path string `json:"path"`
	// Layer is the 1-based number of the layer; 0 is the function's code.
	Layer int `json:"layer"`
	// PURL is the package URL (https://github.com/package-url/purl-spec), ""
	// where not all that it needs is known.
	PURL string `json:"purl"`
	// TopLevel says that the package lies where a runtime searches by itself,
	// not among another package's own
	// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
	TopLevel bool `json:"topLevel"`
	// Shadowed says that a later layer has another file at Path.
	Shadowed bool `json:"shadowed"`
}

// Unread is a file that should tell of packages and does not.
type Unread struct {
	Path   string `json:"path"`
	Layer  int    `json:"layer"`
	Reason string `json:"reason"`
}

// Divided is a package that lies in several layers, or in a layer and in the
// code, at more than one version, and where runtimes search.
type Divided struct {
	Ecosystem Ecosystem `json:"ecosystem"`
	Name      string    `json:"name"`
	// Copies are sorted by layer and path, code first.
	Copies []Package `json:"copies"`
}

// Inventory is what was found. Its lists are never nil.
type Inventory struct {
	// Packages are sorted by ecosystem, name, version, layer and path.
	Packages []Package `json:"packages"`
	Unread   []Unread  `json:"unread"`
	Divided  []Divided `json:"divided"`
}

// MaxPackages is how many packages are listed; more is told as unread. An
// account's largest functions hold some thousands.
const MaxPackages = 100_000

// Take lists the packages of every layer of opt, unpacked at /opt, and of task,
// unpacked at /var/task; either may be nil. Shadowed copies are listed as such.
// A file that can't be read or understood is in Unread; the error is ctx's.
func Take(ctx context.Context, opt, task *optfs.Tree) (*Inventory, error) {
	inv := &Inventory{Packages: []Package{}, Unread: []Unread{}, Divided: []Divided{}}
	for _, t := range []struct {
		tree *optfs.Tree
		root string
	}{{opt, optRoot}, {task, taskRoot}} {
		if t.tree == nil {
			continue
		}
		for i, l := range t.tree.Layers {
			s := &scan{Inventory: inv, tree: t.tree, root: t.root, number: i + 1, dir: l.Dir}
			if l.Dir == nil {
				inv.Unread = append(inv.Unread, Unread{Path: t.root, Layer: s.layer(), Reason: "the archive could not be read"})
				continue
			}
			if err := s.run(ctx); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(inv.Packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Key(), b.Key()), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Path, b.Path))
	})
	inv.Divided = Divide(inv.Packages)
	return inv, nil
}

// Where layers and code are unpacked to
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
const (
	optRoot  = "/opt"
	taskRoot = "/var/task"
)

// scan reads one archive.
type scan struct {
	*Inventory
	tree   *optfs.Tree
	root   string
	number int // of the archive in tree, 1-based
	dir    *zipdir.Directory
	full   bool
}

func (s *scan) layer() int {
	if s.root == taskRoot {
		return 0
	}
	return s.number
}

// found is what a reader says of a package; the rest follows from the place.
type found struct {
	ecosystem     Ecosystem
	name, version string
	inside        string // path within the file, for archives
	group         string // Java's group
	platform      string // Ruby's platform
	top           bool
}

// finder is a kind of file that tells of packages. read gets the entry with its
// scan and calls add for each package, skip for what it can't tell.
type finder struct {
	match func(root, name string) bool
	read  func(ctx context.Context, s *scan, e *zipdir.Entry) error
}

func finders() []finder {
	return []finder{
		{isPython, readPython}, {isNode, readNode}, {isJar, readJar}, {isPom, readPom},
		{isGemspec, readGemspec}, {isDeps, readDeps}, {func(string, string) bool { return true }, readProgram},
	}
}

func (s *scan) run(ctx context.Context) error {
	all := finders()
	for i := range s.dir.Entries {
		e := &s.dir.Entries[i]
		if e.Kind != zipdir.File {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, f := range all {
			if !f.match(s.root, e.Name) {
				continue
			}
			if err := f.read(ctx, s, e); err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				s.skip(e, "", err.Error())
			}
			break
		}
	}
	s.gemDirs()
	return nil
}

func (s *scan) path(name, inside string) string {
	p := path.Join(s.root, name)
	if inside != "" {
		p += "!/" + inside
	}
	return p
}

func (s *scan) skip(e *zipdir.Entry, inside, reason string) {
	s.Unread = append(s.Unread, Unread{Path: s.path(e.Name, inside), Layer: s.layer(), Reason: reason})
}

func (s *scan) add(name string, f found) {
	if len(s.Packages) >= MaxPackages {
		if !s.full {
			s.full = true
			s.Unread = append(s.Unread, Unread{Path: s.root, Layer: s.layer(), Reason: fmt.Sprintf("more than %d packages: the rest is not listed", MaxPackages)})
		}
		return
	}
	p := Package{
		Ecosystem: f.ecosystem, Name: strings.ToValidUTF8(f.name, "\uFFFD"), Version: strings.ToValidUTF8(f.version, "\uFFFD"),
		Path: s.path(name, strings.ToValidUTF8(f.inside, "\uFFFD")), Layer: s.layer(), TopLevel: f.top,
	}
	if e, ok := s.tree.Lookup(name); !ok || e.Winner != s.number {
		p.Shadowed = true
	}
	p.PURL = purl(p, f)
	s.Packages = append(s.Packages, p)
}

// Key is the name as the ecosystem compares names.
func (p *Package) Key() string {
	switch p.Ecosystem {
	case Python:
		return pythonKey(p.Name)
	case DotNet:
		return strings.ToLower(p.Name)
	}
	return p.Name
}

// Divide finds the packages that lie at more than one version in more than one
// layer, where runtimes search. packages are sorted as an Inventory's are.
func Divide(packages []Package) []Divided {
	out := []Divided{}
	for len(packages) > 0 {
		n := 1
		for n < len(packages) && packages[n].Ecosystem == packages[0].Ecosystem && packages[n].Key() == packages[0].Key() {
			n++
		}
		var copies []Package
		versions, layers := map[string]bool{}, map[int]bool{}
		for _, p := range packages[:n] {
			if p.TopLevel && p.Version != "" {
				copies = append(copies, p)
				versions[p.Version], layers[p.Layer] = true, true
			}
		}
		if len(versions) > 1 && len(layers) > 1 {
			slices.SortStableFunc(copies, func(a, b Package) int {
				return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Path, b.Path))
			})
			out = append(out, Divided{Ecosystem: copies[0].Ecosystem, Name: copies[0].Name, Copies: copies})
		}
		packages = packages[n:]
	}
	return out
}
