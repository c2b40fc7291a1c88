package functions

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// timeFormat is that of a function's LastModified and a layer's CreatedDate (SDK).
const timeFormat = "2006-01-02T15:04:05.000-0700"

func when(t time.Time) *string { return ptr(t.UTC().Format(timeFormat)) }

func (s *Store) createFunction(ctx context.Context, c wire.Call, in *lambda.CreateFunctionInput) (*types.FunctionConfiguration, error) {
	n, err := newName(c, in.FunctionName)
	if err != nil {
		return nil, err
	}
	set := settingsOf(in)
	kind := in.PackageType
	if kind == "" {
		kind = types.PackageTypeZip
	}
	arch, err := architecture(in.Architectures)
	switch {
	case err != nil:
		return nil, err
	case val(in.Role) == "":
		return nil, missing("role")
	}
	err = first(oneOf(kind, "packageType", types.PackageType("").Values()), checkSettings(c, set), checkKind(set, kind), checkTags(c, in.Tags))
	if err != nil {
		return nil, err
	}
	if kind == types.PackageTypeZip && (set.Runtime == "" || val(set.Handler) == "") {
		// The words are Lambda's, as CloudFormation passes them on in published logs.
		return nil, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if kind == types.PackageTypeImage && in.CodeSigningConfigArn != nil {
		// SDK, CreateFunction: code signing is for .zip archives.
		return nil, invalid("Code signing is not supported for functions created with container images.")
	}
	code, err := s.newCode(ctx, c, in.Code, kind, arch)
	if err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	if r.Functions[n.Function] != nil {
		// https://github.com/hashicorp/terraform-provider-aws/issues/29263
		return nil, conflict("Function already exist: %s", n.Function)
	}
	if in.CodeSigningConfigArn != nil && r.CodeSigning[*in.CodeSigningConfigArn] == nil {
		return nil, noSigningConfig(*in.CodeSigningConfigArn)
	}
	layers, hashes, err := s.attach(c, set.Layers)
	if err != nil {
		return nil, err
	}
	if code.object != nil {
		if err := s.fits(code.object, hashes); err != nil {
			return nil, err
		}
	}
	v := &version{Layers: hashes, Config: types.FunctionConfiguration{
		FunctionName: &n.Function, FunctionArn: ptr(functionARN(c, n.Function)), Version: ptr("$LATEST"),
		PackageType: kind, Architectures: []types.Architecture{arch}, Layers: layers,
		Description: ptr(""), MemorySize: ptr(int32(128)), Timeout: ptr(int32(3)), // SDK: the defaults
		EphemeralStorage: &types.EphemeralStorage{Size: ptr(int32(512))},
		TracingConfig:    &types.TracingConfigResponse{Mode: types.TracingModePassThrough},
		LoggingConfig:    &types.LoggingConfig{LogFormat: types.LogFormatText, LogGroup: ptr("/aws/lambda/" + n.Function)},
		SnapStart:        &types.SnapStartResponse{ApplyOn: types.SnapStartApplyOnNone, OptimizationStatus: types.SnapStartOptimizationStatusOff},
		LastModified:     when(c.Now), TenancyConfig: in.TenancyConfig,
	}}
	apply(c, &v.Config, set)
	code.put(v)
	s.begin(c, v, true)
	f := &function{Name: n.Function, Latest: v, Tags: maps.Clone(in.Tags), CodeSigning: val(in.CodeSigningConfigArn)}
	f.fill()
	s.remember(r, n.Function)
	r.Functions[n.Function], r.names = f, nil
	out := s.view(v)
	if in.Publish { // the answer has the version's number, but the function's ARN: recorded in test_publish_version_on_create
		out.Version = s.publish(c, r, f, nil).Config.Version
	}
	return &out, nil
}

// fill makes the maps that a new or loaded function lacks.
func (f *function) fill() {
	if f.Aliases == nil {
		f.Aliases = map[string]*types.AliasConfiguration{}
	}
	if f.Policies == nil {
		f.Policies = map[string]*policy{}
	}
	if f.Provisioned == nil {
		f.Provisioned = map[string]*provisioned{}
	}
	if f.Async == nil {
		f.Async = map[string]*types.FunctionEventInvokeConfig{}
	}
	if f.URLs == nil {
		f.URLs = map[string]*types.FunctionUrlConfig{}
	}
	if f.Runtimes == nil {
		f.Runtimes = map[string]*runtimeManagement{}
	}
}

// newName reads the name of a function to create, whose pattern is narrower.
func newName(c wire.Call, text *string) (name, error) {
	if val(text) == "" {
		return name{}, missing("functionName")
	}
	if !matchNewName.MatchString(*text) {
		return name{}, badPattern(*text, "functionName", patternNewName)
	}
	n, err := splitName(c, *text, nil)
	if err != nil {
		return n, err
	}
	if len(n.Function) > 64 {
		// Recorded in test_function_arns: this one is no ValidationException.
		return n, invalid("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64", n.Function)
	}
	return n, nil
}

// architecture is recorded in test_create_lambda_exceptions.
func architecture(list []types.Architecture) (types.Architecture, error) {
	all := types.Architecture("").Values()
	switch {
	case len(list) == 0:
		return types.ArchitectureX8664, nil
	case len(list) > 1:
		return "", badValue(set(list), "architectures", "Member must have length less than or equal to 1")
	case !slices.Contains(all, list[0]):
		return "", badValue(set(list), "architectures", "Member must satisfy constraint: [Member must satisfy enum value set: "+set(all)+", Member must not be null]")
	}
	return list[0], nil
}

func (s *Store) getFunction(_ context.Context, c wire.Call, in *lambda.GetFunctionInput) (*lambda.GetFunctionOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, v, err := s.lookup(c, n)
	if err != nil {
		return nil, err
	}
	cfg := s.qualified(n, v)
	out := &lambda.GetFunctionOutput{Configuration: &cfg}
	if v.Image != nil {
		out.Code = &types.FunctionCodeLocation{RepositoryType: ptr("ECR"), ImageUri: &v.Image.URI, ResolvedImageUri: &v.Image.Resolved}
	} else {
		out.Code = &types.FunctionCodeLocation{RepositoryType: ptr("S3"), Location: ptr(s.opts.Objects.Presign(c, v.Object, f.Name))}
	}
	if len(f.Tags) > 0 {
		out.Tags = maps.Clone(f.Tags)
	}
	if f.Reserved != nil {
		out.Concurrency = &types.Concurrency{ReservedConcurrentExecutions: f.Reserved}
	}
	return out, nil
}

// qualified is a version's view under the ARN that was asked for: $LATEST and
// aliases are repeated in it (recorded in test_publish_version_on_create).
func (s *Store) qualified(n name, v *version) types.FunctionConfiguration {
	cfg := s.view(v)
	if n.Qualifier != "" {
		base, _, _ := strings.Cut(*cfg.FunctionArn, ":function:")
		cfg.FunctionArn = ptr(base + ":function:" + n.Function + ":" + n.Qualifier)
	}
	return cfg
}

func (s *Store) getFunctionConfiguration(_ context.Context, c wire.Call, in *lambda.GetFunctionConfigurationInput) (*types.FunctionConfiguration, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, err := s.lookup(c, n)
	if err != nil {
		return nil, err
	}
	cfg := s.qualified(n, v)
	return &cfg, nil
}

func (s *Store) listFunctions(_ context.Context, c wire.Call, in *lambda.ListFunctionsInput) (*lambda.ListFunctionsOutput, error) {
	err := first(
		oneOf(in.FunctionVersion, "functionVersion", types.FunctionVersion("").Values()), // recorded in test_list_functions
		between(in.MaxItems, "maxItems", 1, 10000))
	if err != nil {
		return nil, err
	}
	if val(in.MasterRegion) != "" && in.FunctionVersion != types.FunctionVersionAll {
		return nil, invalid("FunctionVersion must be set to ALL when MasterRegion is given.") // SDK, ListFunctions
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	out := &lambda.ListFunctionsOutput{Functions: []types.FunctionConfiguration{}}
	if val(in.MasterRegion) != "" && *in.MasterRegion != "ALL" {
		// Replicas of other regions' functions: this account has no Lambda@Edge.
		return out, nil
	}
	if in.FunctionVersion != types.FunctionVersionAll {
		page, next, err := cut(r.sorted(), in.Marker, in.MaxItems, 50)
		for _, name := range page {
			if f := s.function(c, r, name); f != nil {
				out.Functions = append(out.Functions, s.listed(f.Latest))
			}
		}
		out.NextMarker = next
		return out, err
	}
	var all []*version
	var labels []string
	for _, name := range r.sorted() {
		f := s.function(c, r, name)
		if f == nil {
			continue
		}
		for _, v := range f.all() {
			all, labels = append(all, v), append(labels, name+":"+*v.Config.Version)
		}
	}
	from, to, next, err := window(labels, in.Marker, in.MaxItems, 50)
	for _, v := range all[from:to] {
		out.Functions = append(out.Functions, s.listedQualified(v))
	}
	out.NextMarker = next
	return out, err
}

// listedQualified is listed with $LATEST in the ARN (recorded in test_list_functions).
func (s *Store) listedQualified(v *version) types.FunctionConfiguration {
	cfg := s.listed(v)
	if *cfg.Version == "$LATEST" {
		cfg.FunctionArn = ptr(*cfg.FunctionArn + ":$LATEST")
	}
	return cfg
}

func (s *Store) deleteFunction(_ context.Context, c wire.Call, in *lambda.DeleteFunctionInput) (*lambda.DeleteFunctionOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if n.Qualifier == "$LATEST" { // recorded in test_ops_with_arn_qualifier_mismatch
		return nil, invalid("$LATEST version cannot be deleted without deleting the function.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	f := r.Functions[n.Function]
	if f == nil { // without the qualifier: recorded in test_delete_on_nonexisting_version
		return nil, noFunction(functionARN(c, n.Function))
	}
	done := &lambda.DeleteFunctionOutput{StatusCode: 204} // recorded in test_event_source_mapping_lifecycle_delete_function
	if n.Qualifier == "" {
		s.remember(r, n.Function)
		delete(r.Functions, n.Function)
		r.names = nil
		for _, v := range f.all() {
			s.forget(v)
		}
		return done, nil
	}
	if !matchNumber.MatchString(n.Qualifier) {
		return nil, invalid("Deletion of aliases is not currently supported.") // SDK, DeleteFunction: only versions
	}
	var names []string
	for _, alias := range keys(f.Aliases) {
		if points(f.Aliases[alias], n.Qualifier) {
			names = append(names, alias)
		}
	}
	if len(names) > 0 { // https://github.com/karl-cardenas-coding/go-lambda-cleanup/issues/45
		return nil, conflict("Unable to delete version because the following aliases reference it: [%s]", strings.Join(names, ", "))
	}
	if v := f.number(n.Qualifier); v != nil { // a version that is not there is deleted all the same
		f.Versions = slices.DeleteFunc(f.Versions, func(x *version) bool { return x == v })
		f.dropQualifier(n.Qualifier)
		s.forget(v)
	}
	return done, nil
}

// dropQualifier removes what hangs on a version or alias.
func (f *function) dropQualifier(q string) {
	delete(f.Policies, q)
	delete(f.Provisioned, q)
	delete(f.Async, q)
	delete(f.URLs, q)
	delete(f.Runtimes, q)
}

// forget drops the warm environments of a version.
func (s *Store) forget(v *version) {
	if s.opts.Invoker != nil {
		s.opts.Invoker.Forget(environment(v))
	}
}

// environment identifies a version's code and configuration.
func environment(v *version) string { return *v.Config.FunctionArn + "@" + v.Build }
