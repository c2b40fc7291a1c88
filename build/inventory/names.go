package inventory

import (
	"path"
	"regexp"
	"strings"
)

// Named is a package as a path tells it, without a look into any file.
type Named struct {
	Ecosystem Ecosystem
	Name      string
	// Version is "" where the path does not hold it, as for Node: a path is
	// then the module's manifest, and two that differ are two versions.
	Version string
}

// Key is the name as the ecosystem compares names.
func (n *Named) Key() string {
	p := Package{Ecosystem: n.Ecosystem, Name: n.Name}
	return p.Key()
}

var (
	eggTag  = regexp.MustCompile(`-py\d+(\.\d+)?$`)
	jarName = regexp.MustCompile(`^(.+?)-(\d[0-9A-Za-z.]*(?:[-_+][0-9A-Za-z.]+)*)\.jar$`)
)

// ByName tells the package that a file stands for by its path alone, for those
// files that lie once in each package and where a runtime searches by itself.
// inCode is set for paths below /var/task, else they are below /opt.
func ByName(inCode bool, name string) (Named, bool) {
	dir, file := path.Split(name)
	dir = strings.TrimSuffix(dir, "/")
	switch {
	case file == "METADATA" && strings.HasSuffix(dir, ".dist-info"),
		file == "PKG-INFO" && strings.HasSuffix(dir, ".egg-info"):
		site := path.Dir(dir)
		if inCode && site != "." || !inCode && !pythonSite.MatchString(site) {
			return Named{}, false
		}
		full := strings.TrimSuffix(strings.TrimSuffix(path.Base(dir), ".dist-info"), ".egg-info")
		if strings.HasSuffix(dir, ".egg-info") {
			full = eggTag.ReplaceAllString(full, "")
		}
		i := strings.LastIndexByte(full, '-')
		if i <= 0 {
			return Named{}, false
		}
		return Named{Python, full[:i], full[i+1:]}, true
	case file == "package.json":
		if inCode && nodeOwn.MatchString(name) || !inCode && nodeTop.MatchString(name) {
			if m := nodeModule.FindStringSubmatch(name); m != nil {
				return Named{Node, m[1], ""}, true
			}
		}
	case strings.HasSuffix(file, ".gemspec") && path.Base(dir) == "specifications":
		home := path.Dir(dir)
		var f found
		if inCode && !gemOwn.MatchString(home) || !inCode && !gemTop.MatchString(home) || !fullName(strings.TrimSuffix(file, ".gemspec"), &f) {
			return Named{}, false
		}
		return Named{Ruby, f.name, f.version}, true
	case strings.HasSuffix(file, ".jar"):
		if inCode && dir == "lib" || !inCode && dir == "java/lib" {
			if m := jarName.FindStringSubmatch(file); m != nil {
				return Named{Java, m[1], m[2]}, true
			}
		}
	}
	return Named{}, false
}
