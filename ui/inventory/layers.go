package inventory

import (
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
)

// Layer is a layer version and who uses it.
type Layer struct {
	ARN       string
	Size      int64                 // zip bytes
	Facts     *account.LayerVersion // nil until measured
	Functions []*Row                // sorted by name
	// Report is what reports tell of it, nil until a function that has it is measured.
	Report *account.LayerVersionReport

	publisher  Publisher
	text, name string
}

// Publisher is who publishes it, as far as the program knows.
func (l *Layer) Publisher() Publisher { return l.publisher }

// Behind is how many versions newer the newest one is, and whether that is known.
func (l *Layer) Behind() (int64, bool) {
	if l.Report == nil || l.Report.Newest == nil {
		return 0, false
	}
	return max(*l.Report.Newest-l.Report.Version, 0), true
}

// State is how the layer's archive could be read.
func (l *Layer) State() account.State {
	if l.Facts == nil || l.Facts.State == "" {
		return account.Unknown
	}
	return l.Facts.State
}

// Layers are the distinct layer versions of all functions, sorted by ARN. The
// slice is good until the next Apply.
func (v *Inventory) Layers() []*Layer {
	if v.layers != nil {
		return v.layers
	}
	byARN := map[string]*Layer{}
	out := []*Layer{}
	for _, r := range v.rows {
		for i, ref := range r.Layers {
			l := byARN[ref.ARN]
			if l == nil {
				l = &Layer{ARN: ref.ARN, Size: ref.Size}
				byARN[ref.ARN] = l
				out = append(out, l)
			}
			if n := len(l.Functions); n == 0 || l.Functions[n-1] != r {
				l.Functions = append(l.Functions, r)
			}
			if l.Facts == nil && r.Facts != nil && i < len(r.Facts.LayerFacts) {
				l.Facts = r.Facts.LayerFacts[i]
			}
		}
	}
	var facts []*account.Facts
	for _, r := range v.rows {
		if r.Facts != nil {
			facts = append(facts, r.Facts)
		}
	}
	reports := account.LayerReports(facts, v.Newest())
	for i := range reports {
		if l := byARN[reports[i].ARN]; l != nil {
			l.Report = &reports[i]
		}
	}
	for _, l := range out {
		slices.SortFunc(l.Functions, func(a, b *Row) int { return strings.Compare(a.Name, b.Name) })
		l.name = strings.ToLower(ShortLayer(l.ARN))
		l.publisher = v.Publisher(l.ARN)
		l.text = strings.ToLower(l.ARN + " " + string(l.State()) + " " + l.publisher.Name)
	}
	slices.SortFunc(out, func(a, b *Layer) int { return strings.Compare(a.ARN, b.ARN) })
	v.layers = out
	return out
}

// FilterText implements filter.Row.
func (l *Layer) FilterText() string { return l.text }

// FilterName implements filter.Row.
func (l *Layer) FilterName() string { return l.name }

// FilterField implements filter.Row.
func (l *Layer) FilterField(column string) []string {
	switch column {
	case "name", "layer":
		return []string{strings.ToLower(l.ARN)}
	case "owner":
		return []string{LayerAccount(l.ARN)}
	case "publisher":
		return []string{strings.ToLower(l.publisher.Name)}
	case "state":
		return []string{string(l.State())}
	case "function", "functions":
		out := make([]string, len(l.Functions))
		for i, r := range l.Functions {
			out[i] = r.name
		}
		return out
	}
	return nil
}

// FilterNumber implements filter.Row.
func (l *Layer) FilterNumber(column string) (float64, filter.Presence) {
	switch column {
	case "functions":
		return float64(len(l.Functions)), filter.Known
	case "zip":
		return float64(l.Size), filter.Known
	case "behind":
		n, known := l.Behind()
		return float64(n), filter.KnownIf(known)
	case "newest":
		if l.Report == nil || l.Report.Newest == nil {
			return 0, filter.Unknown
		}
		return float64(*l.Report.Newest), filter.Known
	case "undeclared":
		if l.Report == nil || l.Report.DeclaredRuntimes == nil {
			return 0, filter.Unknown
		}
		return float64(len(l.Report.Undeclared)), filter.Known
	case "same":
		if l.Report == nil || l.State() != account.OK {
			return 0, filter.Unknown
		}
		return float64(len(l.Report.SameContent)), filter.Known
	case "size", "unzipped":
		if l.State() == account.OK {
			return float64(l.Facts.Unzipped), filter.Known
		}
		return 0, filter.Unknown
	}
	return 0, filter.None
}
