package functions

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Code signing configurations exist here and attach to functions; no signature
// is ever checked. The refusals are recorded in test_code_signing_not_found_excs.

func noSigningConfig(arn string) error {
	return refuse(schemas.CodeSigningConfigNotFoundException,
		"The code signing configuration cannot be found. Check that the provided configuration is not deleted: %s.", arn)
}

// signing finds a configuration by ARN. The caller holds s.mu.
func (s *Store) signing(c wire.Call, arn *string) (*types.CodeSigningConfig, error) {
	cfg := s.in(c).CodeSigning[val(arn)]
	if cfg == nil {
		e := notFound("The Lambda code signing configuration %s can not be found.", val(arn))
		e.Fields = nil // recorded without a Type
		return nil, e
	}
	return cfg, nil
}

func (s *Store) createSigning(_ context.Context, c wire.Call, in *lambda.CreateCodeSigningConfigInput) (*lambda.CreateCodeSigningConfigOutput, error) {
	if in.AllowedPublishers == nil || len(in.AllowedPublishers.SigningProfileVersionArns) == 0 {
		return nil, missing("allowedPublishers")
	}
	if err := first(short(in.Description, "description", 256, nil), checkTags(c, in.Tags)); err != nil {
		return nil, err
	}
	policies := in.CodeSigningPolicies
	if policies == nil {
		policies = &types.CodeSigningPolicies{UntrustedArtifactOnDeployment: types.CodeSigningPolicyWarn}
	}
	id := "csc-" + strings.ReplaceAll(uuid(), "-", "")[:17]
	cfg := &types.CodeSigningConfig{
		AllowedPublishers: in.AllowedPublishers, CodeSigningPolicies: policies, Description: ptr(val(in.Description)),
		CodeSigningConfigId: &id, LastModified: ptr(c.Now.UTC().Format("2006-01-02T15:04:05.000Z")),
		CodeSigningConfigArn: ptr("arn:" + c.Partition() + ":lambda:" + c.Region + ":" + c.Account + ":code-signing-config:" + id),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.in(c).CodeSigning[*cfg.CodeSigningConfigArn] = cfg
	if in.Tags != nil {
		s.in(c).SigningTags[*cfg.CodeSigningConfigArn] = in.Tags
	}
	return &lambda.CreateCodeSigningConfigOutput{CodeSigningConfig: cfg}, nil
}

func (s *Store) getSigning(_ context.Context, c wire.Call, in *lambda.GetCodeSigningConfigInput) (*lambda.GetCodeSigningConfigOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg, err := s.signing(c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	return &lambda.GetCodeSigningConfigOutput{CodeSigningConfig: cfg}, nil
}

func (s *Store) listSigning(_ context.Context, c wire.Call, in *lambda.ListCodeSigningConfigsInput) (*lambda.ListCodeSigningConfigsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	page, next, err := cut(keys(r.CodeSigning), in.Marker, in.MaxItems, 50)
	out := &lambda.ListCodeSigningConfigsOutput{CodeSigningConfigs: []types.CodeSigningConfig{}, NextMarker: next}
	for _, arn := range page {
		out.CodeSigningConfigs = append(out.CodeSigningConfigs, *r.CodeSigning[arn])
	}
	return out, err
}

// updateSigning changes what it names and keeps the rest (SDK, UpdateCodeSigningConfig).
func (s *Store) updateSigning(_ context.Context, c wire.Call, in *lambda.UpdateCodeSigningConfigInput) (*lambda.UpdateCodeSigningConfigOutput, error) {
	if err := short(in.Description, "description", 256, nil); err != nil {
		return nil, err
	}
	if in.AllowedPublishers != nil && len(in.AllowedPublishers.SigningProfileVersionArns) == 0 {
		return nil, missing("allowedPublishers.signingProfileVersionArns")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg, err := s.signing(c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	next := *cfg
	if in.AllowedPublishers != nil {
		next.AllowedPublishers = in.AllowedPublishers
	}
	if in.CodeSigningPolicies != nil {
		next.CodeSigningPolicies = in.CodeSigningPolicies
	}
	if in.Description != nil {
		next.Description = in.Description
	}
	next.LastModified = ptr(c.Now.UTC().Format("2006-01-02T15:04:05.000Z"))
	s.in(c).CodeSigning[*cfg.CodeSigningConfigArn] = &next
	return &lambda.UpdateCodeSigningConfigOutput{CodeSigningConfig: &next}, nil
}

func (s *Store) listSigned(_ context.Context, c wire.Call, in *lambda.ListFunctionsByCodeSigningConfigInput) (*lambda.ListFunctionsByCodeSigningConfigOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg, err := s.signing(c, in.CodeSigningConfigArn)
	if err != nil {
		return nil, err
	}
	r := s.in(c)
	var names []string
	for _, n := range r.sorted() {
		if r.Functions[n].CodeSigning == *cfg.CodeSigningConfigArn {
			names = append(names, n)
		}
	}
	page, next, err := cut(names, in.Marker, in.MaxItems, 50)
	out := &lambda.ListFunctionsByCodeSigningConfigOutput{FunctionArns: []string{}, NextMarker: next}
	for _, n := range page {
		out.FunctionArns = append(out.FunctionArns, functionARN(c, n))
	}
	return out, err
}

func (s *Store) deleteSigning(_ context.Context, c wire.Call, in *lambda.DeleteCodeSigningConfigInput) (*lambda.DeleteCodeSigningConfigOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.signing(c, in.CodeSigningConfigArn); err != nil {
		return nil, err
	}
	r := s.in(c)
	for _, f := range r.Functions {
		if f.CodeSigning == *in.CodeSigningConfigArn { // SDK, DeleteCodeSigningConfig: only if no function uses it
			return nil, conflict("Cannot delete the code signing configuration %s because functions use it.", f.CodeSigning)
		}
	}
	delete(r.CodeSigning, *in.CodeSigningConfigArn)
	delete(r.SigningTags, *in.CodeSigningConfigArn)
	return &lambda.DeleteCodeSigningConfigOutput{}, nil
}

func (s *Store) putFunctionSigning(_ context.Context, c wire.Call, in *lambda.PutFunctionCodeSigningConfigInput) (*lambda.PutFunctionCodeSigningConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	if r.CodeSigning[val(in.CodeSigningConfigArn)] == nil {
		return nil, noSigningConfig(val(in.CodeSigningConfigArn))
	}
	f, err := s.find(c, name{Function: n.Function})
	if err != nil {
		return nil, err
	}
	if f.Latest.Config.PackageType == types.PackageTypeImage {
		return nil, invalid("Code signing is not supported for functions created with container images.")
	}
	f.CodeSigning = *in.CodeSigningConfigArn
	return &lambda.PutFunctionCodeSigningConfigOutput{CodeSigningConfigArn: in.CodeSigningConfigArn, FunctionName: &f.Name}, nil
}

func (s *Store) getFunctionSigning(_ context.Context, c wire.Call, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(c, name{Function: n.Function})
	if err != nil || f.CodeSigning == "" { // without one the answer is empty
		return &lambda.GetFunctionCodeSigningConfigOutput{}, err
	}
	return &lambda.GetFunctionCodeSigningConfigOutput{CodeSigningConfigArn: ptr(f.CodeSigning), FunctionName: &f.Name}, nil
}

func (s *Store) deleteFunctionSigning(_ context.Context, c wire.Call, in *lambda.DeleteFunctionCodeSigningConfigInput) (*lambda.DeleteFunctionCodeSigningConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(c, name{Function: n.Function})
	if err != nil {
		return nil, err
	}
	f.CodeSigning = ""
	return &lambda.DeleteFunctionCodeSigningConfigOutput{}, nil
}
