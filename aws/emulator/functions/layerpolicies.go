package functions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The refusals of this file are recorded in test_layer_policy_exceptions.

// ownLayer finds a layer version of the caller's. The caller holds s.mu.
func (s *Store) ownLayer(c wire.Call, text *string, version *int64) (layerName, *layerVersion, error) {
	l, err := parseLayer(c, text)
	if err != nil {
		return l, nil, err
	}
	l.Version = val(version)
	if l.Account != c.Account {
		return l, nil, denied(c, "lambda:"+c.Operation, l.versionARN(c))
	}
	v := s.published(l)
	if v == nil {
		return l, nil, notFound("Layer version %s does not exist.", l.versionARN(c))
	}
	return l, v, nil
}

func (s *Store) addLayerVersionPermission(_ context.Context, c wire.Call, in *lambda.AddLayerVersionPermissionInput) (*lambda.AddLayerVersionPermissionOutput, error) {
	switch {
	case val(in.Action) != "lambda:GetLayerVersion":
		return nil, badPattern(val(in.Action), "action", "lambda:GetLayerVersion")
	case !matchStatement.MatchString(val(in.StatementId)):
		return nil, badPattern(val(in.StatementId), "statementId", patternStatement)
	}
	who, err := principal(c, val(in.Principal))
	if err != nil {
		return nil, err
	}
	var cond map[string]map[string]string
	if org := val(in.OrganizationId); org != "" {
		if who != "*" { // SDK, AddLayerVersionPermission
			return nil, invalid("The principal must be * when an organization is given.")
		}
		cond = map[string]map[string]string{"StringEquals": {"aws:PrincipalOrgID": org}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, v, err := s.ownLayer(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	p := &policy{}
	if v.Policy != nil {
		*p = *v.Policy
	}
	if rev := val(in.RevisionId); rev != "" && rev != p.Revision {
		return nil, stale("GetLayerPolicy")
	}
	raw, err := p.add(statement{Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action, Resource: l.versionARN(c), Condition: cond})
	if err != nil {
		return nil, err
	}
	p.Revision = uuid()
	v.Policy = p
	return &lambda.AddLayerVersionPermissionOutput{Statement: ptr(string(raw)), RevisionId: &p.Revision}, nil
}

func (s *Store) getLayerVersionPolicy(_ context.Context, c wire.Call, in *lambda.GetLayerVersionPolicyInput) (*lambda.GetLayerVersionPolicyOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.ownLayer(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	if v.Policy == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	return &lambda.GetLayerVersionPolicyOutput{Policy: ptr(v.Policy.document()), RevisionId: ptr(v.Policy.Revision)}, nil
}

func (s *Store) removeLayerVersionPermission(_ context.Context, c wire.Call, in *lambda.RemoveLayerVersionPermissionInput) (*lambda.RemoveLayerVersionPermissionOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.ownLayer(c, in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	if v.Policy == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	p := *v.Policy
	if rev := val(in.RevisionId); rev != "" && rev != p.Revision {
		return nil, stale("GetLayerPolicy")
	}
	if err := p.remove(val(in.StatementId)); err != nil {
		return nil, err
	}
	p.Revision = uuid()
	v.Policy = &p
	if len(p.Statements) == 0 {
		v.Policy = nil
	}
	return &lambda.RemoveLayerVersionPermissionOutput{}, nil
}
