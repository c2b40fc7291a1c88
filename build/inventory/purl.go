package inventory

import (
	"strings"

	"github.com/package-url/packageurl-go"
)

// purl makes a package URL, "" where a part that the type needs is not known.
func purl(p Package, f found) string {
	namespace, name := "", p.Name
	var qualifiers packageurl.Qualifiers
	kind := ""
	switch p.Ecosystem {
	case Python:
		kind, name = packageurl.TypePyPi, pythonKey(name)
	case Node:
		kind = packageurl.TypeNPM
		if scope, rest, ok := strings.Cut(name, "/"); ok {
			namespace, name = scope, rest
		}
	case Java:
		if f.group == "" {
			return ""
		}
		kind, namespace = packageurl.TypeMaven, f.group
	case Ruby:
		kind = packageurl.TypeGem
		if f.platform != "" && f.platform != "ruby" {
			qualifiers = packageurl.QualifiersFromMap(map[string]string{"platform": f.platform})
		}
	case DotNet:
		kind = packageurl.TypeNuget
	case Go:
		kind = packageurl.TypeGolang
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			namespace, name = name[:i], name[i+1:]
		}
	}
	u := packageurl.NewPackageURL(kind, namespace, name, p.Version, qualifiers, "")
	if err := u.Normalize(); err != nil {
		return ""
	}
	return u.ToString()
}
