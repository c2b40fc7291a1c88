package functions

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The refusals of this file are recorded in test_notfound_and_invalid_routingconfigs
// and test_alias_naming.

// points reports whether an alias leads to a version.
func points(a *types.AliasConfiguration, number string) bool {
	if *a.FunctionVersion == number {
		return true
	}
	if a.RoutingConfig == nil {
		return false
	}
	_, ok := a.RoutingConfig.AdditionalVersionWeights[number]
	return ok
}

// checkRouting checks where an alias is to lead. The caller holds s.mu.
func (s *Store) checkRouting(c wire.Call, f *function, number string, r *types.AliasRoutingConfiguration) error {
	exists := func(n string) error {
		if n != "$LATEST" && f.number(n) == nil {
			return noFunction(functionARN(c, f.Name) + ":" + n)
		}
		return nil
	}
	if r != nil {
		if len(r.AdditionalVersionWeights) > 1 {
			return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
		}
		for n, w := range r.AdditionalVersionWeights {
			shown := fmt.Sprintf("{%s=%s}", n, decimal(w))
			switch {
			case w < 0 || w > 1:
				return badValue(shown, "routingConfig.additionalVersionWeights", "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]")
			case !matchNumber.MatchString(n):
				return badValue(shown, "routingConfig.additionalVersionWeights", "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]")
			case n == number:
				return invalid("Invalid function version %s. Function version %s is already included in routing configuration.", n, n)
			case number == "$LATEST":
				e := invalid("$LATEST is not supported for an alias pointing to more than 1 version")
				e.Fields = nil // recorded without a Type
				return e
			}
			if err := exists(n); err != nil {
				return err
			}
		}
	}
	return exists(number)
}

// decimal writes a weight as Java does: always with a fraction.
func decimal(w float64) string {
	text := strconv.FormatFloat(w, 'f', -1, 64)
	if w == float64(int64(w)) {
		text += ".0"
	}
	return text
}

// routing is what is kept: an empty routing configuration is none.
func routing(r *types.AliasRoutingConfiguration) *types.AliasRoutingConfiguration {
	if r == nil || len(r.AdditionalVersionWeights) == 0 {
		return nil
	}
	return r
}

var matchVersion = whole(`(\$LATEST|[0-9]+)`)

func (s *Store) createAlias(_ context.Context, c wire.Call, in *lambda.CreateAliasInput) (*types.AliasConfiguration, error) {
	n, err := parseName(c, in.FunctionName, nil)
	switch {
	case err != nil:
		return nil, err
	case val(in.Name) == "":
		return nil, missing("name")
	case !aliasName(*in.Name):
		return nil, badPattern(*in.Name, "name", patternAlias)
	case len(*in.Name) > 128:
		return nil, badValue(*in.Name, "name", "Member must have length less than or equal to 128")
	case val(in.FunctionVersion) == "":
		return nil, missing("functionVersion")
	case !matchVersion.MatchString(*in.FunctionVersion):
		return nil, badPattern(*in.FunctionVersion, "functionVersion", `(\$LATEST(\.PUBLISHED)?|[0-9]+)`)
	}
	if err := short(in.Description, "description", 256, nil); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil {
		return nil, noFunction(functionARN(c, n.Function) + ":" + *in.FunctionVersion)
	}
	if err := s.checkRouting(c, f, *in.FunctionVersion, in.RoutingConfig); err != nil {
		return nil, err
	}
	arn := functionARN(c, f.Name) + ":" + *in.Name
	if f.Aliases[*in.Name] != nil {
		return nil, conflict("Alias already exists: %s", arn)
	}
	a := types.AliasConfiguration{
		AliasArn: &arn, Name: in.Name, FunctionVersion: in.FunctionVersion, Description: ptr(val(in.Description)),
		RoutingConfig: routing(in.RoutingConfig), RevisionId: ptr(uuid()),
	}
	f.Aliases[*in.Name] = &a
	out := a
	return &out, nil
}

// alias finds an alias. The caller holds s.mu.
func (s *Store) alias(c wire.Call, function, alias *string, text string) (*function, *types.AliasConfiguration, error) {
	n, err := parseName(c, function, nil)
	if err != nil {
		return nil, nil, err
	}
	arn := functionARN(c, n.Function) + ":" + val(alias)
	f := s.in(c).Functions[n.Function]
	if f == nil || f.Aliases[val(alias)] == nil {
		return f, nil, notFound("%s: %s", text, arn)
	}
	return f, f.Aliases[val(alias)], nil
}

func (s *Store) getAlias(_ context.Context, c wire.Call, in *lambda.GetAliasInput) (*types.AliasConfiguration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, a, err := s.alias(c, in.FunctionName, in.Name, "Cannot find alias arn")
	if err != nil {
		return nil, err
	}
	out := *a
	return &out, nil
}

func (s *Store) listAliases(_ context.Context, c wire.Call, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
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
	names := slices.DeleteFunc(keys(f.Aliases), func(a string) bool {
		return val(in.FunctionVersion) != "" && !points(f.Aliases[a], *in.FunctionVersion)
	})
	page, next, err := cut(names, in.Marker, in.MaxItems, 50)
	out := &lambda.ListAliasesOutput{Aliases: []types.AliasConfiguration{}, NextMarker: next}
	for _, a := range page {
		out.Aliases = append(out.Aliases, *f.Aliases[a])
	}
	return out, err
}

func (s *Store) updateAlias(_ context.Context, c wire.Call, in *lambda.UpdateAliasInput) (*types.AliasConfiguration, error) {
	if err := short(in.Description, "description", 256, nil); err != nil {
		return nil, err
	}
	if v := val(in.FunctionVersion); v != "" && !matchVersion.MatchString(v) {
		return nil, badPattern(v, "functionVersion", `(\$LATEST(\.PUBLISHED)?|[0-9]+)`)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, a, err := s.alias(c, in.FunctionName, in.Name, "Alias not found") // recorded in test_non_existent_alias_update
	if err != nil {
		return nil, err
	}
	if err := revision(in.RevisionId, a.RevisionId, "GetFunction/GetAlias"); err != nil {
		return nil, err
	}
	next := *a
	if val(in.FunctionVersion) != "" {
		next.FunctionVersion = in.FunctionVersion
	}
	if in.Description != nil {
		next.Description = in.Description
	}
	if in.RoutingConfig != nil {
		next.RoutingConfig = routing(in.RoutingConfig)
	}
	if err := s.checkRouting(c, f, *next.FunctionVersion, next.RoutingConfig); err != nil {
		return nil, err
	}
	next.RevisionId = ptr(uuid())
	if p := f.Provisioned[*a.Name]; p != nil && *next.FunctionVersion != *a.FunctionVersion {
		s.reprovision(p) // recorded in test_lambda_provisioned_concurrency_moves_with_alias
	}
	f.Aliases[*a.Name] = &next
	out := next
	return &out, nil
}

// deleteAlias answers 204 for an alias that isn't there, too (recorded in
// test_non_existent_alias_deletion).
func (s *Store) deleteAlias(_ context.Context, c wire.Call, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
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
	if f.Aliases[val(in.Name)] != nil {
		delete(f.Aliases, *in.Name)
		f.dropQualifier(*in.Name)
	}
	return &lambda.DeleteAliasOutput{}, nil
}
