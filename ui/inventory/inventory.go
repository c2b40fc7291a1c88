package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/build/overlay"
)

// Row is a function and what is known of it so far.
type Row struct {
	account.Function
	// Facts is nil until the function has been measured.
	Facts *account.Facts
	// History is nil until it was asked for.
	History *account.History

	text, name string // lower case, for the filter
	extensions []string
	profile    string
	publishers []string
	generation int
}

// Inventory is an account's functions. The zero value is empty.
type Inventory struct {
	// Ended is when the last audit ended, zero before that.
	Ended time.Time
	// Profiles are those of the accounts on screen, by account; nil for one account.
	Profiles map[string]string

	rows       []*Row
	byARN      map[string]*Row
	regions    map[place]region
	generation int
	version    int
	running    bool
	layers     []*Layer // nil when it must be made again
	progress   progress
	newest     map[place]*account.NewestLayers
	vendors    overlay.Publishers   // made when first asked for
	publishers map[string]Publisher // by layer version
}

// progress is counted once per version.
type progress struct {
	version, measured, found int
	before                   int // told from an earlier run's answers
	listed                   bool
}

// place is a region of an account, "" where there is one account, or a profile
// that could not be opened.
type place struct{ account, region, profile string }

type region struct {
	found int
	done  bool
	err   account.RegionError
}

// Start begins a new audit. What is known stays until it is told anew.
func (v *Inventory) Start() {
	v.generation++
	v.version++
	v.running = true
	v.regions = map[place]region{}
	if v.byARN == nil {
		v.byARN = map[string]*Row{}
	}
}

// Finish ends an audit. Functions that it did not find again are gone, unless
// their region could not be listed to its end.
func (v *Inventory) Finish() {
	v.running = false
	v.version++
	v.layers = nil
	kept := v.rows[:0]
	for _, r := range v.rows {
		reg, ok := v.regions[place{account: r.Account(), region: r.Region}]
		if !ok {
			reg = v.regions[place{region: r.Region}]
		}
		if r.generation != v.generation && reg.done && reg.err.Message == "" {
			delete(v.byARN, r.ARN)
			continue
		}
		kept = append(kept, r)
	}
	clear(v.rows[len(kept):])
	v.rows = kept
}

// Apply takes one event in.
func (v *Inventory) Apply(e account.Event) {
	v.version++
	v.layers = nil
	switch {
	case e.Listed != nil:
		r := v.row(e.Listed.ARN)
		r.Function = *e.Listed
		r.generation = v.generation
		v.index(r)
	case e.Facts != nil:
		v.Put(e.Facts)
	case e.Region != nil:
		at := place{account: e.Region.Account, region: e.Region.Region}
		if at.region == "" {
			at.profile = e.Region.Profile
		}
		reg := v.regions[at]
		reg.err = *e.Region
		v.regions[at] = reg
	case e.Newest != nil:
		if v.newest == nil {
			v.newest = map[place]*account.NewestLayers{}
		}
		v.newest[place{account: e.Newest.Account, region: e.Newest.Region}] = e.Newest
	case e.Listing != nil:
		at := place{account: e.Listing.Account, region: e.Listing.Region}
		reg := v.regions[at]
		reg.found, reg.done = e.Listing.Found, e.Listing.Done
		v.regions[at] = reg
	}
}

// Put takes the facts of one function in, from an audit or measured alone.
func (v *Inventory) Put(f *account.Facts) {
	v.version++
	v.layers = nil
	r := v.row(f.ARN)
	r.Function = f.Function
	r.Facts = f
	r.generation = v.generation
	v.index(r)
}

func (v *Inventory) row(arn string) *Row {
	if v.byARN == nil {
		v.byARN = map[string]*Row{}
	}
	r := v.byARN[arn]
	if r == nil {
		r = &Row{}
		v.byARN[arn] = r
		v.rows = append(v.rows, r)
	}
	return r
}

// Rows are the functions, in the order they were found. The slice must not be
// changed and is good until the next Apply.
func (v *Inventory) Rows() []*Row { return v.rows }

// Get returns a function by ARN.
func (v *Inventory) Get(arn string) (*Row, bool) {
	r, ok := v.byARN[arn]
	return r, ok
}

// Named returns a function by ARN or, where only one has it, by name.
func (v *Inventory) Named(name string) (*Row, bool) {
	if r, ok := v.byARN[name]; ok {
		return r, true
	}
	var found *Row
	for _, r := range v.rows {
		if r.Name == name {
			if found != nil {
				return nil, false
			}
			found = r
		}
	}
	return found, found != nil
}

// Version changes whenever anything does.
func (v *Inventory) Version() int { return v.version }

// Running reports whether an audit is under way.
func (v *Inventory) Running() bool { return v.running }

// Progress tells how many functions are measured of how many found, and whether
// all regions have been listed to their end.
func (v *Inventory) Progress() (measured, found int, listed bool) {
	if v.progress.version != v.version {
		p := progress{version: v.version, listed: !v.running || len(v.regions) > 0}
		if v.running {
			for _, r := range v.regions {
				p.listed = p.listed && (r.done || r.err.Message != "")
			}
		}
		for _, r := range v.rows {
			if r.generation == v.generation {
				p.found++
				if r.Facts != nil && r.Facts.Complete {
					p.measured++
				}
				if r.Before() {
					p.before++
				}
			}
		}
		v.progress = p
	}
	return v.progress.measured, v.progress.found, v.progress.listed
}

// KnownBefore counts the functions that are told, in part, from what an earlier
// run was answered.
func (v *Inventory) KnownBefore() int {
	v.Progress()
	return v.progress.before
}

// Before reports whether an earlier run's answers tell part of the row.
func (r *Row) Before() bool {
	if r.Facts == nil {
		return false
	}
	for _, l := range r.Facts.LayerFacts {
		if !l.Asked.IsZero() {
			return true
		}
	}
	return !r.Facts.Asked.IsZero()
}

// Errors are the regions that could not be listed and the profiles that could not
// be opened, which have no region, with the reason.
func (v *Inventory) Errors() []account.RegionError {
	var out []account.RegionError
	for _, r := range v.regions {
		if r.err.Message != "" {
			out = append(out, r.err)
		}
	}
	sortErrors(out)
	return out
}

// Whose names what an error is about: a region, a profile, or a profile's region.
func Whose(e account.RegionError) string {
	switch {
	case e.Profile == "":
		return e.Region
	case e.Region == "":
		return "profile " + e.Profile
	}
	return e.Region + " of profile " + e.Profile
}

// Account is the id of the function's account.
func (r *Row) Account() string { return account.AccountOfARN(r.ARN) }

// Profile is the profile that asked, "" where there is one account.
func (r *Row) Profile() string { return r.profile }

// index makes the texts that the filter compares.
func (v *Inventory) index(r *Row) {
	r.profile, r.publishers = v.Profiles[r.Account()], nil
	r.name = strings.ToLower(r.Name)
	parts := []string{r.Name, r.Runtime, r.Architecture, r.PackageType, r.Region, r.profile}
	for _, l := range r.Layers {
		parts = append(parts, ShortLayer(l.ARN))
		if p := v.Publisher(l.ARN).Name; p != "" && !slices.Contains(r.publishers, p) {
			r.publishers = append(r.publishers, p)
		}
	}
	r.extensions = nil
	if r.Facts != nil {
		for _, e := range r.Facts.Extensions {
			parts = append(parts, e.Name)
			r.extensions = append(r.extensions, strings.ToLower(e.Name))
		}
	}
	r.text = strings.ToLower(strings.Join(parts, " "))
}

// Unzipped is the function's unzipped size with its layers, and whether it is known.
func (r *Row) Unzipped() (int64, bool) {
	if r.Facts == nil || !r.Facts.Known || r.PackageType == "Image" {
		return 0, false
	}
	return r.Facts.Total, true
}

// Worst is the gravest severity among the findings: "error", "warning", "note" or "".
func (r *Row) Worst() (severity string, count int) {
	if r.Facts == nil {
		return "", 0
	}
	rank := map[string]int{"error": 3, "warning": 2, "note": 1}
	best := 0
	for _, f := range r.Facts.Findings {
		if n := rank[f.Severity]; n > best {
			best, severity = n, f.Severity
		}
	}
	return severity, len(r.Facts.Findings)
}

// ShortLayer is a layer version ARN as "name:version".
func ShortLayer(arn string) string {
	// arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION
	if parts := strings.Split(arn, ":"); len(parts) == 8 && parts[5] == "layer" {
		return parts[6] + ":" + parts[7]
	}
	return arn
}

// LayerAccount is the account a layer version belongs to, "" when arn is none.
func LayerAccount(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) == 8 {
		return parts[4]
	}
	return ""
}

// Unreadable is the state of the first archive whose size is missing, OK when
// none is.
func (r *Row) Unreadable() account.State {
	if r.Facts == nil {
		return account.Unknown
	}
	if s := r.Facts.Code.State; s != account.OK {
		return orUnknown(s)
	}
	for _, l := range r.Facts.LayerFacts {
		if l.State != account.OK {
			return orUnknown(l.State)
		}
	}
	return account.OK
}

func orUnknown(s account.State) account.State {
	if s == "" {
		return account.Unknown
	}
	return s
}

// Why says why a measured function's size is not known, "" when it is.
func (r *Row) Why() string {
	if r.Facts == nil || r.Facts.Known || r.PackageType == "Image" || !r.Facts.Complete {
		return ""
	}
	say := func(what string, a account.Archive) string {
		if a.Message != "" {
			return what + " " + string(orUnknown(a.State)) + ": " + a.Message
		}
		return what + " " + string(orUnknown(a.State))
	}
	if r.Facts.Code.State != account.OK {
		return say("code", r.Facts.Code)
	}
	for _, l := range r.Facts.LayerFacts {
		if l.State != account.OK {
			return say("layer "+ShortLayer(l.ARN), l.Archive)
		}
	}
	return "not measured"
}
