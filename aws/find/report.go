package find

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/account"
)

// Report is what a search has found. Fields may be added, never renamed; lists are
// never null but where it says so.
type Report struct {
	Schema  int    `json:"schema"` // 1
	Pattern string `json:"pattern"`
	// Layers is how many layer versions were to be looked into, Searched how many
	// were. The others are in Unread, or the search was stopped before their turn.
	Layers   int                   `json:"layers"`
	Searched int                   `json:"searched"`
	Found    []Found               `json:"found"`  // sorted by ARN once Sort was called
	Unread   []Unread              `json:"unread"` // likewise
	Errors   []account.RegionError `json:"errors"` // regions whose functions are not all known
}

// Found is a layer version in which something matches.
type Found struct {
	ARN       string   `json:"arn"`
	Functions []string `json:"functions"` // ARNs of those that have it
	Matches   int      `json:"matches"`   // paths that match
	Hits      []Hit    `json:"hits"`      // the first MaxHits of them, sorted by path
}

// Unread is a layer version that could not be looked into.
type Unread struct {
	ARN       string        `json:"arn"`
	State     account.State `json:"state"` // deleted, denied or failed
	Message   string        `json:"message"`
	Functions []string      `json:"functions"`
}

// NewReport begins a report on some layer versions. errs are the regions whose
// functions are not all known.
func NewReport(p *Pattern, layers int, errs []account.RegionError) *Report {
	return &Report{Schema: 1, Pattern: p.String(), Layers: layers, Found: []Found{}, Unread: []Unread{}, Errors: append([]account.RegionError{}, errs...)}
}

// Take takes in what is known of one layer version, and which functions have it.
func (r *Report) Take(res Result, functions []string) {
	functions = append([]string{}, functions...)
	if res.State != account.OK {
		r.Unread = append(r.Unread, Unread{res.ARN, res.State, res.Message, functions})
		return
	}
	r.Searched++
	if res.Total > 0 {
		r.Found = append(r.Found, Found{res.ARN, functions, res.Total, res.Hits})
	}
}

// Sort puts the layer versions in order.
func (r *Report) Sort() {
	slices.SortFunc(r.Found, func(a, b Found) int { return cmp.Compare(a.ARN, b.ARN) })
	slices.SortFunc(r.Unread, func(a, b Unread) int { return cmp.Compare(a.ARN, b.ARN) })
}

// Rows are a row of text for each path, the titles first; sizes are bytes.
func (r *Report) Rows() [][]string {
	out := [][]string{{"layer", "path", "type", "files", "size", "package", "functions"}}
	for _, l := range r.Found {
		for _, h := range l.Hits {
			out = append(out, Row(l.ARN, &h, l.Functions))
		}
	}
	return out
}

// Row is one of Rows.
func Row(arn string, h *Hit, functions []string) []string {
	return []string{arn, h.Path, h.Type, strconv.Itoa(h.Files), strconv.FormatInt(h.Size, 10), h.Package.String(), strings.Join(functions, " ")}
}

// String is the package with its version, "" for none.
func (p *Package) String() string {
	if p == nil {
		return ""
	}
	return strings.TrimSpace(p.Name + " " + p.Version)
}
