// Package snapshottest compares functions for tests, independently of the code
// under test. The program never imports it.
package snapshottest

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// What can't be equal in two functions that are the same to their owner, and what
// only a Zip function has.
var (
	volatile = []string{"LastModified", "LastModifiedTime", "CreationTime", "RevisionId", "FunctionUrl", "LastProcessingResult", "StateTransitionReason",
		"CodeSha256", "CodeSize", "ConfigSha256", "LastUpdateStatus", "StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode",
		"RuntimeVersionConfig", "Version", "FunctionArn", "AliasArn", "AvailableProvisionedConcurrentExecutions", "AllocatedProvisionedConcurrentExecutions"}
	zipOnly = []string{"Handler", "Layers", "PackageType", "Runtime", "SnapStart", "ImageConfigResponse"}
)

// Portrait is a function as a test sees it: every answer of AWS with the fields
// that can't be equal taken out, and version numbers replaced by the versions'
// descriptions, which must differ. Versions that nothing refers to are left out.
// image leaves out what only a Zip function has, so that a function can be
// compared with the image it became.
func Portrait(snap *snapshot.Snapshot, image bool) (map[string]any, error) {
	p := painter{drop: volatile, names: map[string]string{}, carried: snap.Carried(), of: snap, out: map[string]any{}}
	if image {
		p.drop = append(slices.Clone(volatile), zipOnly...)
	}
	config, err := p.fields(snap.Config)
	if err != nil {
		return nil, err
	}
	p.out["config"] = config
	for _, v := range snap.Versions {
		c, err := p.fields(v.Config)
		if err != nil {
			return nil, err
		}
		p.names[v.Number] = fmt.Sprint("version ", c["Description"])
		if slices.Contains(p.carried, v.Number) {
			if p.out[p.names[v.Number]] != nil {
				return nil, fmt.Errorf("two versions are %q: they can't be told apart", p.names[v.Number])
			}
			p.out[p.names[v.Number]] = c
		}
	}
	for _, a := range snap.Attachments {
		if err := p.attachment(a); err != nil {
			return nil, fmt.Errorf("the %s: %w", a.What(), err)
		}
	}
	return p.out, nil
}

type painter struct {
	drop    []string
	names   map[string]string // of version numbers
	carried []string
	of      *snapshot.Snapshot
	out     map[string]any
}

func (p *painter) fields(raw json.RawMessage) (map[string]any, error) {
	m, err := snapshot.Decode[map[string]any](raw)
	for _, f := range p.drop {
		delete(m, f)
	}
	// AWS answers an environment that was emptied with an empty one.
	if env, _ := m["Environment"].(map[string]any); env != nil && env["Error"] == nil && len(env["Variables"].(map[string]any)) == 0 {
		delete(m, "Environment")
	}
	return m, err
}

func (p *painter) rename(q string) string {
	if n := p.names[q]; n != "" {
		return n
	}
	return q
}

func (p *painter) attachment(a snapshot.Attachment) error {
	switch a.Kind {
	case snapshot.KindCode, snapshot.KindLayer, snapshot.KindRuntime:
		return nil
	}
	if snapshot.IsVersion(a.Qualifier) && !slices.Contains(p.carried, a.Qualifier) {
		return nil
	}
	key := a.Kind + " " + p.rename(a.Qualifier) + " " + a.Name + " " + string(a.Reading)
	if a.Reading != snapshot.Present {
		p.out[key] = a.Message
		return nil
	}
	m, err := p.fields(a.Value)
	if err != nil {
		return err
	}
	switch a.Kind {
	case snapshot.KindAlias:
		m["FunctionVersion"] = p.rename(fmt.Sprint(m["FunctionVersion"]))
		if r, _ := m["RoutingConfig"].(map[string]any); r != nil {
			shares, _ := r["AdditionalVersionWeights"].(map[string]any)
			named := map[string]any{}
			for q, share := range shares {
				named[p.rename(q)] = share
			}
			r["AdditionalVersionWeights"] = named
		}
	case snapshot.KindTags:
		tags, _ := m["Tags"].(map[string]any)
		for k := range tags {
			if strings.HasPrefix(k, "optlift:") {
				delete(tags, k)
			}
		}
		if len(tags) == 0 { // only ours: as good as none
			p.out["tags   absent"] = ""
			return nil
		}
	case snapshot.KindPolicy, snapshot.KindResourcePolicy:
		statements, err := snapshot.Statements(a)
		if err != nil {
			return err
		}
		var lines []string
		for _, st := range statements {
			text := string(st.Raw)
			for number, name := range p.names {
				text = strings.ReplaceAll(text, p.of.Function+":"+number+`"`, p.of.Function+":"+name+`"`)
			}
			lines = append(lines, text)
		}
		sort.Strings(lines)
		m = map[string]any{"statements": lines}
	}
	p.out[key] = m
	return nil
}
