package functions

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// layer is one layer with the versions that can still be used. A deleted
// version's archive stays for the functions that have it attached: they keep
// its hash.
type layer struct {
	Name     string
	Versions []*layerVersion // by number
	Last     int             // number of the last version ever published
	Tags     map[string]string
}

type layerVersion struct {
	Number        int64
	ARN           string
	Object        string // SHA-256
	Created       *string
	Description   *string
	License       *string
	Runtimes      []types.Runtime
	Architectures []types.Architecture
	Policy        *policy
}

// layerName is a layer as a client gave it: a name, or the ARN of a layer of any
// account, with or without a version.
type layerName struct {
	Account, Region, Name string
	Version               int64 // 0 when not given
}

func (l layerName) arn(c wire.Call) string {
	return "arn:" + c.Partition() + ":lambda:" + l.Region + ":" + l.Account + ":layer:" + l.Name
}

func (l layerName) versionARN(c wire.Call) string {
	return l.arn(c) + ":" + strconv.FormatInt(l.Version, 10)
}

var (
	matchLayerName  = whole(`(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`)
	patternNewLayer = `(arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`
)

func parseLayer(c wire.Call, text *string) (layerName, error) {
	t := val(text)
	if t == "" {
		return layerName{}, missing("layerName")
	}
	if !matchLayerName.MatchString(t) {
		return layerName{}, badPattern(t, "layerName", patternNewLayer)
	}
	if len(t) > 140 {
		return layerName{}, badValue(t, "layerName", "Member must have length less than or equal to 140")
	}
	if !strings.HasPrefix(t, "arn:") {
		return layerName{Account: c.Account, Region: c.Region, Name: t}, nil
	}
	p := strings.Split(t, ":")
	return layerName{Region: p[3], Account: p[4], Name: p[6]}, nil
}

// parseLayerARN reads the ARN of a layer version; matchLayer has accepted it.
func parseLayerARN(arn string) layerName {
	p := strings.Split(arn, ":")
	if len(p) < 8 || p[5] != "layer" {
		return layerName{} // arn:…:lambda:::awslayer:NAME: this account has none
	}
	n, _ := strconv.ParseInt(p[7], 10, 64)
	return layerName{Region: p[3], Account: p[4], Name: p[6], Version: n}
}

// published finds a layer version in any account, whether the caller may use it
// or not. The caller holds s.mu.
func (s *Store) published(l layerName) *layerVersion {
	r := s.regions[place{l.Account, l.Region}]
	if r == nil || r.Layers[l.Name] == nil {
		return nil
	}
	vs := r.Layers[l.Name].Versions
	i := slices.IndexFunc(vs, func(v *layerVersion) bool { return v.Number == l.Version })
	if i < 0 {
		return nil
	}
	return vs[i]
}

// readable finds a layer version that the caller may read and attach: its own,
// or one whose policy grants it. Another account's version that is not there
// looks like one that isn't granted.
func (s *Store) readable(c wire.Call, l layerName) (*layerVersion, error) {
	v := s.published(l)
	if l.Account != c.Account && (v == nil || !v.Policy.allows("lambda:GetLayerVersion", c)) {
		return nil, denied(c, "lambda:GetLayerVersion", l.versionARN(c))
	}
	return v, nil
}

// attach resolves the layers of a function. The caller holds s.mu; the ARNs have
// passed checkLayerARNs. Recorded in test_layer_function_exceptions.
func (s *Store) attach(c wire.Call, arns []string) ([]types.Layer, []string, error) {
	var layers []types.Layer
	var hashes []string
	seen := map[string]string{}
	for _, arn := range arns {
		l := parseLayerARN(arn)
		if l.Region != c.Region {
			return nil, nil, invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", c.Region)
		}
		v, err := s.readable(c, l)
		if err != nil {
			return nil, nil, err
		}
		if v == nil {
			return nil, nil, invalid("Layer version %s does not exist.", arn)
		}
		if other, ok := seen[l.arn(c)]; ok {
			return nil, nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s are versions of the same layer.", other, arn)
		}
		seen[l.arn(c)] = arn
		layers = append(layers, types.Layer{Arn: &v.ARN, CodeSize: s.opts.Objects.Get(v.Object).Size()})
		hashes = append(hashes, v.Object)
	}
	return layers, hashes, nil
}

func (s *Store) publishLayerVersion(_ context.Context, c wire.Call, in *lambda.PublishLayerVersionInput) (*lambda.GetLayerVersionOutput, error) {
	l, err := parseLayer(c, in.LayerName)
	if err == nil {
		err = first(short(in.Description, "description", 256, nil), short(in.LicenseInfo, "licenseInfo", 512, nil),
			checkCompatible(in.CompatibleRuntimes, in.CompatibleArchitectures))
	}
	switch {
	case err != nil:
		return nil, err
	case l.Account != c.Account:
		return nil, denied(c, "lambda:PublishLayerVersion", l.arn(c))
	case l.Region != c.Region:
		return nil, notFound("Layers from '%s' are not reachable in this region ('%s')", l.Region, c.Region)
	case in.Content == nil:
		return nil, missing("content")
	}
	src := origin{in.Content.ZipFile, in.Content.S3Bucket, in.Content.S3Key, in.Content.S3ObjectVersion, in.Content.S3ObjectStorageMode}
	if src.none() {
		return nil, invalid("Please provide a source for the layer content.")
	}
	o, err := s.fetch(c, src)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	had := r.Layers[l.Name]
	if had == nil {
		had = &layer{Name: l.Name}
		r.Layers[l.Name] = had
	}
	had.Last++
	l.Version = int64(had.Last)
	v := &layerVersion{
		Number: l.Version, ARN: l.versionARN(c), Object: o.SHA256, Created: when(c.Now),
		Description: ptr(val(in.Description)), License: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
	}
	had.Versions = append(had.Versions, v)
	return s.layerAnswer(c, l, v), nil
}

// checkCompatible: at most 15 runtimes and 2 architectures (SDK), of known names.
func checkCompatible(runtimes []types.Runtime, archs []types.Architecture) error {
	known := types.Runtime("").Values()
	for _, r := range runtimes {
		if !slices.Contains(known, r) && !slices.Contains(creatable, r) {
			return badValue(set(runtimes), "compatibleRuntimes", "Member must satisfy enum value set: "+set(creatable))
		}
	}
	for _, a := range archs {
		if all := types.Architecture("").Values(); !slices.Contains(all, a) {
			return badValue(set(archs), "compatibleArchitectures", "Member must satisfy constraint: [Member must satisfy enum value set: "+set(all)+", Member must not be null]")
		}
	}
	if len(runtimes) > 15 {
		return badValue(set(runtimes), "compatibleRuntimes", "Member must have length less than or equal to 15")
	}
	if len(archs) > 2 {
		return badValue(set(archs), "compatibleArchitectures", "Member must have length less than or equal to 2")
	}
	return nil
}

// layerAnswer is what the three operations that describe a layer version answer;
// recorded in test_layer_lifecycle.
func (s *Store) layerAnswer(c wire.Call, l layerName, v *layerVersion) *lambda.GetLayerVersionOutput {
	o := s.opts.Objects.Get(v.Object)
	return &lambda.GetLayerVersionOutput{
		LayerArn: ptr(l.arn(c)), LayerVersionArn: &v.ARN, Version: v.Number, CreatedDate: v.Created,
		Description: v.Description, LicenseInfo: v.License,
		CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
		Content: &types.LayerVersionContentOutput{
			CodeSha256: ptr(o.CodeSHA256()), CodeSize: o.Size(),
			Location: ptr(s.opts.Objects.Presign(c, v.Object, l.Name)),
		},
	}
}

func (s *Store) getLayerVersion(_ context.Context, c wire.Call, in *lambda.GetLayerVersionInput) (*lambda.GetLayerVersionOutput, error) {
	l, err := parseLayer(c, in.LayerName)
	if err != nil {
		return nil, err
	}
	l.Version = val(in.VersionNumber)
	return s.describeLayer(c, l)
}

func (s *Store) getLayerVersionByArn(_ context.Context, c wire.Call, in *lambda.GetLayerVersionByArnInput) (*lambda.GetLayerVersionOutput, error) {
	if !matchLayer.MatchString(val(in.Arn)) {
		return nil, badPattern(val(in.Arn), "arn", patternLayer) // recorded in test_layer_exceptions
	}
	return s.describeLayer(c, parseLayerARN(*in.Arn))
}

func (s *Store) describeLayer(c wire.Call, l layerName) (*lambda.GetLayerVersionOutput, error) {
	if l.Version < 1 && l.Name != "" { // recorded in test_layer_exceptions
		return nil, invalid("Layer Version Cannot be less than 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.readable(c, l)
	if err != nil {
		return nil, err
	}
	if v == nil || l.Region != c.Region {
		return nil, gone()
	}
	return s.layerAnswer(c, l, v), nil
}

func (s *Store) listLayers(_ context.Context, c wire.Call, in *lambda.ListLayersInput) (*lambda.ListLayersOutput, error) {
	if err := first(checkFilter(in.CompatibleRuntime, in.CompatibleArchitecture), between(in.MaxItems, "maxItems", 1, 50)); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	var names []string
	latest := map[string]*layerVersion{}
	for _, n := range keys(r.Layers) {
		for _, v := range slices.Backward(r.Layers[n].Versions) {
			if v.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
				names, latest[n] = append(names, n), v
				break
			}
		}
	}
	page, next, err := cut(names, in.Marker, in.MaxItems, 50)
	out := &lambda.ListLayersOutput{Layers: []types.LayersListItem{}, NextMarker: next}
	for _, n := range page {
		v := latest[n]
		l := layerName{Account: c.Account, Region: c.Region, Name: n}
		out.Layers = append(out.Layers, types.LayersListItem{LayerArn: ptr(l.arn(c)), LayerName: ptr(n), LatestMatchingVersion: v.item()})
	}
	return out, err
}

// checkFilter is recorded in test_layer_exceptions.
func checkFilter(r types.Runtime, a types.Architecture) error {
	return first(
		oneOf(r, "compatibleRuntime", append(types.Runtime("").Values(), creatable...)),
		oneOf(a, "compatibleArchitecture", types.Architecture("").Values()))
}

func (v *layerVersion) fits(r types.Runtime, a types.Architecture) bool {
	return (r == "" || slices.Contains(v.Runtimes, r)) && (a == "" || slices.Contains(v.Architectures, a))
}

func (v *layerVersion) item() *types.LayerVersionsListItem {
	return &types.LayerVersionsListItem{
		LayerVersionArn: &v.ARN, Version: v.Number, CreatedDate: v.Created, Description: v.Description,
		LicenseInfo: v.License, CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
	}
}

func (s *Store) listLayerVersions(_ context.Context, c wire.Call, in *lambda.ListLayerVersionsInput) (*lambda.ListLayerVersionsOutput, error) {
	l, err := parseLayer(c, in.LayerName)
	if err == nil {
		err = first(checkFilter(in.CompatibleRuntime, in.CompatibleArchitecture), between(in.MaxItems, "maxItems", 1, 50))
	}
	if err != nil {
		return nil, err
	}
	if l.Account != c.Account {
		// Only GetLayerVersion can be granted to other accounts (SDK, AddLayerVersionPermission).
		return nil, denied(c, "lambda:ListLayerVersions", l.arn(c))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &lambda.ListLayerVersionsOutput{LayerVersions: []types.LayerVersionsListItem{}}
	had := s.in(c).Layers[l.Name]
	if had == nil {
		return out, nil
	}
	var all []*layerVersion
	var labels []string
	for _, v := range slices.Backward(had.Versions) { // newest first: recorded in test_layer_lifecycle
		if v.fits(in.CompatibleRuntime, in.CompatibleArchitecture) {
			all, labels = append(all, v), append(labels, strconv.FormatInt(v.Number, 10))
		}
	}
	from, to, next, err := window(labels, in.Marker, in.MaxItems, 50)
	for _, v := range all[from:to] {
		out.LayerVersions = append(out.LayerVersions, *v.item())
	}
	out.NextMarker = next
	return out, err
}

// deleteLayerVersion answers 204 whether the version was there or not (recorded
// in test_layer_exceptions). Functions keep their copy.
func (s *Store) deleteLayerVersion(_ context.Context, c wire.Call, in *lambda.DeleteLayerVersionInput) (*lambda.DeleteLayerVersionOutput, error) {
	l, err := parseLayer(c, in.LayerName)
	if err != nil {
		return nil, err
	}
	if val(in.VersionNumber) < 1 {
		return nil, invalid("Layer Version Cannot be less than 1")
	}
	if l.Account != c.Account {
		return nil, denied(c, "lambda:DeleteLayerVersion", l.arn(c))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if had := s.in(c).Layers[l.Name]; had != nil {
		had.Versions = slices.DeleteFunc(had.Versions, func(v *layerVersion) bool { return v.Number == *in.VersionNumber })
	}
	return &lambda.DeleteLayerVersionOutput{}, nil
}
