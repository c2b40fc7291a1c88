package inventory

import (
	"cmp"
	"slices"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/report"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/overlay"
)

// History is what was told of one function's versions and aliases.
type History struct {
	ARN string
	*account.History
}

// Tell takes in what was told of a function's versions and aliases, until they
// are asked for again.
func (v *Inventory) Tell(h History) {
	if r, ok := v.byARN[h.ARN]; ok {
		v.version++
		r.History = h.History
	}
}

// Versions counts the published versions as reports do: "not asked" where nobody has.
func (r *Row) Versions() string { return report.Versions(r.History) }

// Aliases are the aliases as reports name them: "not asked" where nobody has.
func (r *Row) Aliases() string { return report.Aliases(r.History) }

// Publisher is who publishes a layer version, by its ARN, and the image of the same
// files; "" for nobody known.
type Publisher struct{ Name, Image string }

// Publisher knows a layer version's publisher by the program's own table.
func (v *Inventory) Publisher(arn string) Publisher {
	if p, ok := v.publishers[arn]; ok {
		return p
	}
	if v.vendors == nil {
		v.vendors, v.publishers = overlay.AllPublishers(), map[string]Publisher{}
	}
	p := Publisher{}
	if known, image := v.vendors.Of(arn); known != nil {
		p = Publisher{known.Publisher, image}
	}
	v.publishers[arn] = p
	return p
}

// Publishers are the known publishers of the function's layers, each once.
func (r *Row) Publishers() []string { return r.publishers }

// Headroom is how many bytes may still be added, negative for too many, and
// whether it is known.
func (r *Row) Headroom() (int64, bool) {
	n, known := r.Unzipped()
	// The sum must stay below the limit.
	return account.UnzippedLimit - 1 - n, known
}

// Deprecated is the day on which the runtime's support ends or ended, "" where
// none has been published.
func (r *Row) Deprecated() string {
	known, ok := image.RuntimeFor(r.Runtime)
	if !ok || known.Deprecated.IsZero() {
		return ""
	}
	return known.Deprecated.Format(time.DateOnly)
}

// Checked is when the oldest of what an earlier run was told was asked, "" where
// this run has asked for all.
func (r *Row) Checked() string {
	if r.Facts == nil {
		return ""
	}
	oldest := r.Facts.Asked
	for _, l := range r.Facts.LayerFacts {
		if !l.Asked.IsZero() && (oldest.IsZero() || l.Asked.Before(oldest)) {
			oldest = l.Asked
		}
	}
	return stamp(oldest)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// Newest are the newest versions of the accounts' own layers, by region.
func (v *Inventory) Newest() []*account.NewestLayers {
	var out []*account.NewestLayers
	for _, n := range v.newest {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *account.NewestLayers) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return out
}

// Code is the unzipped size of the function's own zip, and whether it is known.
func (r *Row) Code() (int64, bool) {
	if r.Facts == nil || r.PackageType == "Image" || r.Facts.Code.State != account.OK {
		return 0, false
	}
	return r.Facts.Code.Unzipped, true
}
