package account

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/optlift/optlift/build/image"
)

// ReportSchema is the version of Report's JSON. Fields may be added to it; a
// field that is renamed or changes its meaning makes a new version.
const ReportSchema = 1

// Report is an audit as a document: what audit -o json prints. A size that is
// not known is null; a list is never null.
type Report struct {
	Schema  int      `json:"schema"`
	Created string   `json:"created,omitempty"` // when the audit ended, RFC 3339
	Account string   `json:"account"`           // the first one's where there are several
	Regions []string `json:"regions"`
	// Accounts are the accounts and the profiles that were asked for.
	Accounts  []AccountReport  `json:"accounts,omitempty"`
	Errors    []RegionError    `json:"errors"`
	Functions []FunctionReport `json:"functions"` // sorted by region and name
	// Layers are the layer versions of these functions, sorted by ARN.
	Layers []LayerVersionReport `json:"layers"`
}

// AccountReport is an account that was asked for by a profile.
type AccountReport struct {
	Profile string   `json:"profile"`
	Account string   `json:"account"` // "" where the profile could not be opened
	Caller  string   `json:"caller"`  // ARN
	Regions []string `json:"regions"`
	// Message says why the profile could not be opened, or that another one stands
	// for the same account; "" for neither.
	Message string `json:"message,omitempty"`
	Failed  bool   `json:"failed,omitempty"` // could not be opened
}

// FunctionReport is one function. Sizes are bytes.
type FunctionReport struct {
	ARN           string        `json:"arn"`
	Account       string        `json:"account"`
	Profile       string        `json:"profile,omitempty"` // that asked, where there were several
	Name          string        `json:"name"`
	Region        string        `json:"region"`
	PackageType   string        `json:"packageType"`
	Runtime       string        `json:"runtime"` // "" for images
	Architecture  string        `json:"architecture"`
	CodeSize      int64         `json:"codeSize"`
	UnzippedCode  *int64        `json:"unzippedCode"` // null for images: nobody measured their files
	Layers        []LayerReport `json:"layers"`
	UnzippedTotal *int64        `json:"unzippedTotal"`
	Limit         int64         `json:"limit"`
	Percent       *float64      `json:"percent"` // of the limit, two decimals
	// Headroom is how many bytes may still be added: the sum must stay below the
	// limit. Null where the sum is not known, negative where it is too large.
	Headroom *int64 `json:"headroom"`
	// RuntimeDeprecated is the day on which the runtime's support ends or ended, and
	// RuntimeBlocked that from which its functions can't be updated; left out where
	// AWS has published none.
	RuntimeDeprecated string      `json:"runtimeDeprecated,omitempty"`
	RuntimeBlocked    string      `json:"runtimeBlocked,omitempty"`
	Extensions        []Extension `json:"extensions"`
	Findings          []Finding   `json:"findings"`
	// ManagedBy is "" where there is no sign of a stack and null where the tags
	// could not be read.
	ManagedBy    *string `json:"managedBy"`
	LastModified string  `json:"lastModified,omitempty"` // RFC 3339
	Handler      string  `json:"handler"`                // "" for images
	Description  string  `json:"description"`
	MemoryMB     int     `json:"memoryMB"`
	TimeoutSec   int     `json:"timeoutSec"`
	// EnvNames are the names of the environment's variables, never their
	// values; null where Lambda could not read it, and EnvError says why.
	EnvNames []string `json:"environmentNames"`
	EnvError string   `json:"environmentError,omitempty"`
	// CodeState tells whether the function's zip could be read, CodeMessage why
	// not; an image has none, so it is "unknown" without a message.
	CodeState   State  `json:"codeState"`
	CodeMessage string `json:"codeMessage,omitempty"`
	// Checked is when an earlier audit was told codeState and managedBy, RFC 3339;
	// left out where this one has asked.
	Checked string `json:"checked,omitempty"`
	// History is there where it was asked for.
	History *History `json:"history,omitempty"`
}

// LayerReport is a layer version as a function uses it.
type LayerReport struct {
	ARN      string `json:"arn"`
	Size     int64  `json:"size"`
	Unzipped *int64 `json:"unzipped"`
	State    State  `json:"state"`
	Message  string `json:"message"`
	Checked  string `json:"checked,omitempty"` // when an earlier audit was told the state
	// Publisher is known by the ARN; Image is its own image of the same files.
	Publisher string `json:"publisher,omitempty"`
	Image     string `json:"image,omitempty"`
}

// NewReport makes the document of an audit of these regions.
func NewReport(account string, regions []string, facts []*Facts, errs []RegionError) *Report {
	r := &Report{
		Schema: ReportSchema, Account: account,
		Regions: append([]string{}, regions...), Errors: append([]RegionError{}, errs...),
		Functions: make([]FunctionReport, 0, len(facts)),
	}
	for _, f := range facts {
		r.Functions = append(r.Functions, f.report())
	}
	r.Layers = reportLayers(facts)
	r.namePublishers()
	slices.SortFunc(r.Errors, func(a, b RegionError) int { return cmp.Compare(a.Region, b.Region) })
	slices.SortFunc(r.Functions, func(a, b FunctionReport) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ARN, b.ARN))
	})
	return r
}

// namePublishers tells of each function's layers what is known of their publisher.
func (r *Report) namePublishers() {
	known := map[string]*LayerVersionReport{}
	for i := range r.Layers {
		known[r.Layers[i].ARN] = &r.Layers[i]
	}
	for i := range r.Functions {
		for j := range r.Functions[i].Layers {
			l := &r.Functions[i].Layers[j]
			l.Publisher, l.Image = known[l.ARN].Publisher, known[l.ARN].Image
		}
	}
}

func (f *Facts) report() FunctionReport {
	r := FunctionReport{
		ARN: f.ARN, Account: AccountOfARN(f.ARN), Name: f.Name, Region: f.Region, PackageType: f.PackageType, Runtime: f.Runtime,
		Architecture: f.Architecture, CodeSize: f.CodeSize, UnzippedCode: f.Code.size(), Limit: UnzippedLimit,
		Layers:     make([]LayerReport, 0, len(f.LayerFacts)),
		Extensions: append([]Extension{}, f.Extensions...), Findings: append([]Finding{}, f.Findings...),
		Handler: f.Handler, Description: f.Description, MemoryMB: f.MemoryMB, TimeoutSec: f.TimeoutSec,
		EnvError: f.EnvError, CodeState: f.Code.State, CodeMessage: f.Code.Message, Checked: stamp(f.Asked),
	}
	if f.EnvError == "" {
		r.EnvNames = append([]string{}, f.EnvNames...)
	}
	for _, l := range f.LayerFacts {
		r.Layers = append(r.Layers, LayerReport{ARN: l.ARN, Size: l.Size, Unzipped: l.size(), State: l.State, Message: l.Message, Checked: stamp(l.Asked)})
	}
	if f.Known {
		total, percent := f.Total, math.Round(f.Percent()*100)/100
		headroom := UnzippedLimit - 1 - total
		r.UnzippedTotal, r.Percent, r.Headroom = &total, &percent, &headroom
	}
	if f.TagsState == OK {
		managed := f.ManagedBy
		r.ManagedBy = &managed
	}
	r.LastModified = stamp(f.LastModified)
	if known, ok := image.RuntimeFor(f.Runtime); ok {
		r.RuntimeDeprecated, r.RuntimeBlocked = date(known.Deprecated), date(known.Blocked)
	}
	return r
}

// stamp is a time as reports write it, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// date is a day as reports write it, "" for none.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// Stale tells how many functions and layer versions were told, in part, from an
// earlier audit's answers, and the oldest of these; "" for none.
func (r *Report) Stale() (functions, layers int, oldest string) {
	older := func(t string) {
		if oldest == "" || t < oldest {
			oldest = t
		}
	}
	seen := map[string]bool{}
	for i := range r.Functions {
		f := &r.Functions[i]
		if f.Checked != "" {
			functions++
			older(f.Checked)
		}
		for _, l := range f.Layers {
			if l.Checked != "" && !seen[l.ARN] {
				seen[l.ARN] = true
				layers++
				older(l.Checked)
			}
		}
	}
	return functions, layers, oldest
}

// size is the unzipped size, nil where it is not known.
func (a *Archive) size() *int64 {
	if a.State != OK {
		return nil
	}
	n := a.Unzipped
	return &n
}

// Over splits off the functions at or over a share of the limit, in percent, and
// those whose size is unknown and that may be. Images have no such limit and are
// in neither.
func (r *Report) Over(percent float64) (over, unknown []FunctionReport) {
	for _, f := range r.Functions {
		switch {
		case f.UnzippedTotal != nil:
			// Not Percent, which is rounded.
			if float64(*f.UnzippedTotal)/UnzippedLimit*100 >= percent {
				over = append(over, f)
			}
		case f.PackageType != "Image":
			unknown = append(unknown, f)
		}
	}
	return over, unknown
}

// Worst is the worst severity among the findings, "" without any.
func (f *FunctionReport) Worst() string {
	for _, severity := range []string{Error, Warning, Note} {
		for _, finding := range f.Findings {
			if finding.Severity == severity {
				return severity
			}
		}
	}
	return ""
}
