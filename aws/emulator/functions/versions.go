package functions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

func (s *Store) publishVersion(_ context.Context, c wire.Call, in *lambda.PublishVersionInput) (*types.FunctionConfiguration, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := first(n.unqualified(), short(in.Description, "description", 256, nil)); err != nil {
		return nil, err
	}
	if in.PublishTo != "" {
		// SDK, PublishVersion: for functions on capacity providers.
		return nil, invalid("PublishTo is supported for functions with a capacity provider only.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(c, n)
	if err != nil {
		return nil, err
	}
	latest := s.view(f.Latest)
	if err := revision(in.RevisionId, latest.RevisionId, "GetFunction/GetAlias"); err != nil {
		return nil, err
	}
	if sha := val(in.CodeSha256); sha != "" && sha != *latest.CodeSha256 { // recorded in test_publish_with_wrong_sha256
		return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", sha, *latest.CodeSha256)
	}
	if err := s.steady(f.Latest); err != nil {
		return nil, err
	}
	out := s.view(s.publish(c, s.in(c), f, in.Description))
	return &out, nil
}

// revision refuses a RevisionId that is not the present one.
func revision(given, present *string, api string) error {
	if val(given) != "" && *given != val(present) {
		return stale(api)
	}
	return nil
}

// publish makes a version of $LATEST, or returns the last one when code and
// configuration have not changed since (SDK, PublishVersion; recorded in
// test_version_lifecycle). The caller holds s.mu.
func (s *Store) publish(c wire.Call, r *region, f *function, description *string) *version {
	print := fingerprint(f.Latest)
	if last := len(f.Versions) - 1; last >= 0 && f.Published == print && *f.Versions[last].Config.Version == f.PublishedAs {
		return f.Versions[last]
	}
	r.Issued[f.Name]++ // never used twice, even after the function was deleted
	number := strconv.Itoa(r.Issued[f.Name])
	v := &version{Config: f.Latest.Config, Object: f.Latest.Object, Image: f.Latest.Image, Layers: f.Latest.Layers, Build: uuid(), Used: s.opts.Now()}
	cfg := &v.Config
	cfg.Version, cfg.FunctionArn = ptr(number), ptr(functionARN(c, f.Name)+":"+number)
	cfg.LastModified, cfg.RevisionId = when(c.Now), ptr(uuid())
	if description != nil {
		cfg.Description = description
	}
	snap := cfg.SnapStart != nil && cfg.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions
	if snap {
		cfg.SnapStart = &types.SnapStartResponse{ApplyOn: cfg.SnapStart.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOn}
	}
	if f.Latest.Change != nil || snap {
		s.begin(c, v, true)
	}
	f.Versions = append(f.Versions, v)
	f.Published, f.PublishedAs = print, number
	// Publishing moves the revision of $LATEST: recorded in test_function_revisions_version_and_alias.
	f.Latest.Config.RevisionId = ptr(uuid())
	return v
}

// fingerprint identifies the code and configuration of a version, without what
// changes by itself.
func fingerprint(v *version) string {
	cfg := v.Config
	cfg.RevisionId, cfg.LastModified, cfg.Version, cfg.FunctionArn = nil, nil, nil, nil
	cfg.State, cfg.StateReason, cfg.StateReasonCode = "", nil, ""
	cfg.LastUpdateStatus, cfg.LastUpdateStatusReason, cfg.LastUpdateStatusReasonCode = "", nil, ""
	text, _ := json.Marshal(cfg) // plain data always encodes
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (s *Store) listVersions(_ context.Context, c wire.Call, in *lambda.ListVersionsByFunctionInput) (*lambda.ListVersionsByFunctionOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = between(in.MaxItems, "maxItems", 1, 10000)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(c, name{Function: n.Function})
	if err != nil {
		return nil, err
	}
	all := f.all()
	labels := make([]string, len(all))
	for i, v := range all {
		labels[i] = *v.Config.Version
	}
	from, to, next, err := window(labels, in.Marker, in.MaxItems, 50) // SDK: 50 a page
	out := &lambda.ListVersionsByFunctionOutput{Versions: []types.FunctionConfiguration{}, NextMarker: next}
	for _, v := range all[from:to] {
		out.Versions = append(out.Versions, s.listedQualified(v))
	}
	return out, err
}
