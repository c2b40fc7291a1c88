package account

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/optlift/optlift/build/inventory"
	"github.com/optlift/optlift/build/zipdir"
)

// placed is a package in one archive. What tells its versions apart is the
// version, or the manifest's CRC-32 where its path does not hold one.
type placed struct {
	inventory.Named
	manifest uint32
	source   string // layer ARN or "code"
}

type packageKey struct {
	ecosystem inventory.Ecosystem
	name      string
}

// packagesOf adds the packages that an archive's paths tell of. Each path costs
// a look at its end only, unless it is one.
func packagesOf(dir *zipdir.Directory, source string, inCode bool, into map[packageKey][]placed) {
	for i := range dir.Entries {
		e := &dir.Entries[i]
		if e.Kind != zipdir.File || !tellsPackage(e.Name) {
			continue
		}
		n, ok := inventory.ByName(inCode, e.Name)
		if !ok {
			continue
		}
		p := placed{Named: n, source: source}
		if n.Version == "" {
			p.manifest = e.CRC32
		}
		k := packageKey{n.Ecosystem, n.Key()}
		into[k] = append(into[k], p)
	}
}

func tellsPackage(name string) bool {
	switch path.Ext(name) {
	case ".json":
		return strings.HasSuffix(name, "/package.json")
	case ".jar", ".gemspec":
		return true
	}
	return strings.HasSuffix(name, ".dist-info/METADATA") || strings.HasSuffix(name, ".egg-info/PKG-INFO")
}

// divided lists the packages that lie in more than one archive at more than one
// version, sorted.
func divided(packages map[packageKey][]placed) (out []string) {
	for _, copies := range packages {
		first, sources, versions := copies[0], false, false
		for _, p := range copies[1:] {
			sources = sources || p.source != first.source
			versions = versions || p.Version != first.Version || p.manifest != first.manifest
		}
		if !sources || !versions {
			continue
		}
		var places []string
		for _, p := range copies {
			place := p.source
			if p.Version != "" {
				place = p.Version + " in " + p.source
			}
			if !slices.Contains(places, place) {
				places = append(places, place)
			}
		}
		text := fmt.Sprintf("%s %s (%s)", first.Ecosystem, first.Name, strings.Join(places, ", "))
		if first.Version == "" {
			text = fmt.Sprintf("%s %s (manifests differ in %s)", first.Ecosystem, first.Name, strings.Join(places, ", "))
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

// repeats is content that lies in an archive more than it needs to.
type repeats struct {
	files   int
	bytes   int64
	example string
}

func (r *repeats) add(e *zipdir.Entry, where string) {
	if r.files == 0 {
		r.example = where
	}
	r.files++
	r.bytes += e.Size
}

const (
	// minRepeated is the size of files that are compared: licences and empty
	// modules are the same everywhere.
	minRepeated = 4 << 10
	// manyRepeated is how many bytes make a finding: some part of the 250 MB.
	manyRepeated = 1 << 20
)

// content tells files apart by size and CRC-32, which is what a directory holds.
type content struct {
	size int64
	crc  uint32
}

// repeated finds the files that more than one layer brings, whatever their paths.
func repeated(layers []*LayerVersion) (r repeats) {
	seen := map[content]int{}
	for i, l := range layers {
		if l.Dir == nil {
			continue
		}
		for j := range l.Dir.Entries {
			e := &l.Dir.Entries[j]
			if e.Kind != zipdir.File || e.Size < minRepeated {
				continue
			}
			c := content{e.Size, e.CRC32}
			switch at, known := seen[c]; {
			case !known:
				seen[c] = i
			case at != i:
				r.add(e, e.Name)
			}
		}
	}
	return r
}

// searchRoots are the directories of a layer whose contents lie elsewhere in a
// function's own zip (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
var searchRoots = []struct {
	layer *regexp.Regexp
	code  string
}{
	{regexp.MustCompile(`^python/lib/python\d+\.\d+/site-packages/`), ""},
	{regexp.MustCompile(`^python/`), ""},
	{regexp.MustCompile(`^nodejs/node\d+/`), ""},
	{regexp.MustCompile(`^nodejs/`), ""},
	{regexp.MustCompile(`^java/lib/`), "lib/"},
	{regexp.MustCompile(`^ruby/gems/`), "vendor/bundle/ruby/"},
}

// inCodeToo finds the files of a layer that the function's own zip holds as
// well: at the place where its runtime searches the code, at the same path, or
// below an opt directory.
func inCodeToo(code, layer *zipdir.Directory) (r repeats) {
	for i := range layer.Entries {
		e := &layer.Entries[i]
		if e.Kind != zipdir.File || e.Size < minRepeated {
			continue
		}
		for _, name := range codePaths(e.Name) {
			if c, ok := code.Lookup(name); ok && c.Kind == zipdir.File && c.Size == e.Size && c.CRC32 == e.CRC32 {
				r.add(e, name)
				break
			}
		}
	}
	return r
}

func codePaths(name string) []string {
	paths := []string{name, "opt/" + name}
	for _, root := range searchRoots {
		if at := root.layer.FindStringIndex(name); at != nil {
			return append(paths, root.code+name[at[1]:])
		}
	}
	return paths
}
