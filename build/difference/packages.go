package difference

import (
	"cmp"
	"slices"

	"github.com/optlift/optlift/build/inventory"
)

// Package is a package that is not there in the same versions on both sides.
type Package struct {
	Ecosystem inventory.Ecosystem `json:"ecosystem"`
	Name      string              `json:"name"`
	Change    Change              `json:"change"`
	// Old and New are the versions, sorted; "" is a version that is not known.
	Old []string `json:"old"`
	New []string `json:"new"`
}

type packageKey struct {
	ecosystem inventory.Ecosystem
	name      string
}

type versions struct {
	name string // as it is spelled
	all  []string
}

// Packages compares the packages that are seen, wherever they lie. The result
// is sorted by ecosystem and name and never nil.
func Packages(a, b *inventory.Inventory) []Package {
	old, now := seen(a), seen(b)
	out := []Package{}
	for k, v := range old {
		w, there := now[k]
		switch {
		case !there:
			out = append(out, Package{Ecosystem: k.ecosystem, Name: v.name, Change: Removed, Old: v.all, New: []string{}})
		case !slices.Equal(v.all, w.all):
			out = append(out, Package{Ecosystem: k.ecosystem, Name: w.name, Change: Changed, Old: v.all, New: w.all})
		}
	}
	for k, w := range now {
		if _, there := old[k]; !there {
			out = append(out, Package{Ecosystem: k.ecosystem, Name: w.name, Change: Added, Old: []string{}, New: w.all})
		}
	}
	slices.SortFunc(out, func(x, y Package) int {
		return cmp.Or(cmp.Compare(x.Ecosystem, y.Ecosystem), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// seen gathers the versions of each package that is not shadowed.
func seen(inv *inventory.Inventory) map[packageKey]versions {
	m := map[packageKey]versions{}
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if p.Shadowed {
			continue
		}
		k := packageKey{p.Ecosystem, p.Key()}
		v := m[k]
		v.name = p.Name
		// Packages are sorted by version within a name.
		if n := len(v.all); n == 0 || v.all[n-1] != p.Version {
			v.all = append(v.all, p.Version)
		}
		m[k] = v
	}
	return m
}
