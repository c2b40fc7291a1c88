package image

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// limits are the numbers of Lambda's that the lint checks against.
type limits struct {
	unpacked   int64 // bytes of all layers together
	manifest   int   // bytes
	extensions int
}

var lambdaLimits = limits{
	unpacked:   10 << 30, // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	manifest:   25_400,   // https://docs.aws.amazon.com/lambda/latest/dg/images-create.html: smaller than
	extensions: 10,       // https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html
}

// perRule caps the findings of one rule in one layer; the rest are counted.
const perRule = 50

// Lint reads the whole image once and reports every broken rule, worst first.
// See Rules. What an AWS base image brings itself is not held against the image.
func Lint(ctx context.Context, img v1.Image) ([]Finding, error) {
	s, err := new(scanner).scan(ctx, img)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return lint(s, lambdaLimits), nil
}

// LintReference lints what a reference stands for, as Open reads it. An index,
// which Open refuses, is a finding here, and its Linux images are linted too.
func LintReference(ctx context.Context, ref string, opts ...remote.Option) ([]Finding, error) {
	s, err := openSubject(ctx, ref, opts...)
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return Lint(ctx, s.image)
	}
	list, err := listImages(s.index)
	if err != nil {
		return nil, fmt.Errorf("read the index %s: %w", ref, err)
	}
	if s.layout {
		return nil, &IndexError{Reference: ref, Layout: true, Images: describe(list)}
	}
	r := &report{}
	r.add("single-platform", Finding{
		Message: fmt.Sprintf("it is an index of %s, not one image; it holds: %s", count(len(list), "image"), orNone(describe(list))),
		Remedy:  "name one of these by its digest, or build for one platform and without attestations: docker buildx build --platform linux/amd64 --provenance=false --sbom=false",
	})
	scanner := new(scanner)
	for _, l := range list {
		if p := l.descriptor.Platform; p != nil && (p.OS != "linux" || p.Architecture != "amd64" && p.Architecture != "arm64") {
			continue
		}
		img, err := l.open()
		if err != nil {
			return nil, fmt.Errorf("read %s of the index %s: %w", l.descriptor.Digest, ref, err)
		}
		one, err := scanner.scan(ctx, img)
		if err != nil {
			return nil, fmt.Errorf("lint %s of the index %s: %w", l.descriptor.Digest, ref, err)
		}
		r.findings = append(r.findings, lint(one, lambdaLimits)...)
	}
	return r.sorted(), nil
}

func lint(s *scan, limit limits) []Finding {
	r := &report{}
	r.head(s, limit)
	skip := awsLayers(s.config)
	for i, l := range s.layers {
		r.blob(s, i, l)
		if i >= skip && slices.Index(s.layers, l) == i && s.manifest.Layers[i].MediaType.IsLayer() { // a layer that is there twice is told once
			r.tar(l)
		}
	}
	t := newTree(s.layers)
	r.start(s, t)
	r.extensions(s, t, limit)
	r.files(s, t, skip)
	return r.sorted()
}

// awsLayers is how many of an image's layers are those of an AWS base image,
// which Lambda is known to take whatever they hold. The base's Dockerfile sets
// the environment and the entrypoint after its last layer
// (https://github.com/aws/aws-lambda-base-images), and the history says so.
func awsLayers(config *v1.ConfigFile) int {
	layers, environment := 0, false
	for _, h := range config.History {
		if !h.EmptyLayer {
			layers++
		}
		environment = environment || strings.Contains(h.CreatedBy, "LAMBDA_RUNTIME_DIR=")
		if environment && strings.Contains(h.CreatedBy, "ENTRYPOINT") && strings.Contains(h.CreatedBy, lambdaEntrypoint) {
			return layers
		}
	}
	return 0
}

// report collects findings.
type report struct {
	findings []Finding
	told     map[[2]string]int // rule and layer
}

// add reports a finding of a rule, at the rule's severity unless it has its own.
func (r *report) add(rule string, f Finding) {
	f.Rule = rule
	if f.Severity == "" {
		f.Severity = ruleFor(rule).Severity
	}
	if r.told == nil {
		r.told = make(map[[2]string]int)
	}
	key := [2]string{rule, f.Layer}
	if r.told[key]++; r.told[key] > perRule {
		return
	}
	r.findings = append(r.findings, f)
}

// sorted returns the findings, worst first, with a word on those that were left out.
func (r *report) sorted() []Finding {
	for i := len(r.findings) - 1; i >= 0; i-- {
		f := &r.findings[i]
		key := [2]string{f.Rule, f.Layer}
		if n := r.told[key]; n > perRule {
			f.Message += fmt.Sprintf(" (and %d more such paths)", n-perRule)
			delete(r.told, key)
		}
	}
	order := make(map[string]int)
	for i, rule := range Rules() {
		order[rule.ID] = i
	}
	severity := []Severity{Refused, Doubtful, Remark}
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return slices.Index(severity, a.Severity) - slices.Index(severity, b.Severity)
		}
		return order[a.Rule] - order[b.Rule]
	})
	if r.findings == nil {
		return []Finding{} // in JSON, none is a list, too
	}
	return r.findings
}
