package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/account"
)

// maxReport is what is read of a saved report, in bytes: some hundred thousand
// functions.
const maxReport = 512 << 20

// Load reads a report that audit -o json printed. Fields it does not know are
// left out; a document of another kind or of a newer schema is refused.
func Load(r io.Reader) (*account.Report, error) {
	limited := &io.LimitedReader{R: r, N: maxReport}
	dec := json.NewDecoder(limited)
	var doc account.Report
	if err := dec.Decode(&doc); err != nil {
		if limited.N == 0 {
			return nil, fmt.Errorf("more than %d bytes", int64(maxReport))
		}
		return nil, fmt.Errorf("not a report of optlift audit -o json: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the report")
	}
	switch {
	case doc.Schema == 0 || doc.Functions == nil:
		return nil, errors.New("not a report of optlift audit -o json")
	case doc.Schema != account.ReportSchema:
		return nil, fmt.Errorf("a report of schema %d: this version reads schema %d", doc.Schema, account.ReportSchema)
	}
	if doc.Layers == nil {
		// Of an older version: what its functions tell of their layers.
		doc.Layers = account.NewReport(doc.Account, doc.Regions, Facts(&doc), nil).Layers
	}
	return &doc, nil
}

// Facts turns a report back into what an audit tells of each function, for
// those who show audits. What a report does not hold stays zero: archives' file
// lists, hashes and roles. What was unknown is unknown again.
func Facts(r *account.Report) []*account.Facts {
	out := make([]*account.Facts, len(r.Functions))
	layers := map[string]*account.LayerVersionReport{}
	for i := range r.Layers {
		layers[r.Layers[i].ARN] = &r.Layers[i]
	}
	for i := range r.Functions {
		out[i] = facts(&r.Functions[i], layers)
	}
	return out
}

func facts(r *account.FunctionReport, layers map[string]*account.LayerVersionReport) *account.Facts {
	f := &account.Facts{
		Function: account.Function{
			ARN: r.ARN, Name: r.Name, Region: r.Region, PackageType: r.PackageType, Runtime: r.Runtime, Handler: r.Handler,
			Architecture: r.Architecture, CodeSize: r.CodeSize, EnvNames: r.EnvNames, EnvError: r.EnvError,
			Description: r.Description, MemoryMB: r.MemoryMB, TimeoutSec: r.TimeoutSec,
		},
		Code:       archive(r.CodeState, r.CodeMessage, r.UnzippedCode),
		Extensions: r.Extensions, Findings: r.Findings, TagsState: account.Unknown, Complete: true,
		Asked: moment(r.Checked),
	}
	for _, l := range r.Layers {
		f.Layers = append(f.Layers, account.LayerRef{ARN: l.ARN, Size: l.Size})
		v := &account.LayerVersion{ARN: l.ARN, Size: l.Size, Archive: archive(l.State, l.Message, l.Unzipped), Asked: moment(l.Checked)}
		if known := layers[l.ARN]; known != nil {
			v.CodeSHA256, v.Runtimes, v.Architectures = known.SHA256, known.DeclaredRuntimes, known.DeclaredArchitectures
		}
		f.LayerFacts = append(f.LayerFacts, v)
	}
	if r.UnzippedTotal != nil {
		f.Total, f.Known = *r.UnzippedTotal, true
	}
	if r.ManagedBy != nil {
		f.ManagedBy, f.TagsState = *r.ManagedBy, account.OK
	}
	f.LastModified = moment(r.LastModified)
	return f
}

// moment reads a time. One that can't be read is one that is not known.
func moment(s string) time.Time {
	t, _ := time.Parse(time.RFC3339, s)
	return t
}

// archive is OK only together with its size.
func archive(state account.State, message string, unzipped *int64) account.Archive {
	a := account.Archive{State: state, Message: message}
	switch {
	case unzipped != nil && (state == account.OK || state == ""):
		a.State, a.Unzipped = account.OK, *unzipped
	case state == account.OK || state == "":
		a.State = account.Unknown
	}
	return a
}

// Replay tells a report as the audit that made it would have: what those who
// follow an audit need to show a saved one. emit is called as by
// account.Auditor.Audit.
func Replay(r *account.Report, emit func(account.Event)) {
	found := map[string]int{}
	for _, region := range r.Regions {
		found[region] = 0
	}
	all := Facts(r)
	for _, f := range all {
		found[f.Region]++
		emit(account.Event{Listed: &f.Function})
	}
	for _, f := range all {
		emit(account.Event{Facts: f})
	}
	for i := range r.Errors {
		emit(account.Event{Region: &r.Errors[i]})
	}
	for _, n := range newest(r) {
		emit(account.Event{Newest: n})
	}
	for _, region := range slices.Sorted(maps.Keys(found)) {
		emit(account.Event{Listing: &account.Listing{Region: region, Found: found[region], Done: true}})
	}
}

// newest is what a report knows of newest versions, by region.
func newest(r *account.Report) (out []*account.NewestLayers) {
	for i := range r.Layers {
		l := &r.Layers[i]
		if l.Newest == nil {
			continue
		}
		at := slices.IndexFunc(out, func(n *account.NewestLayers) bool { return n.Region == l.Region })
		if at < 0 {
			at = len(out)
			out = append(out, &account.NewestLayers{Account: r.Account, Region: l.Region, Versions: map[string]int64{}, State: account.OK})
		}
		layer, _, _ := strings.Cut(l.ARN, ":layer:"+l.Name+":")
		out[at].Versions[layer+":layer:"+l.Name] = *l.Newest
	}
	return out
}
