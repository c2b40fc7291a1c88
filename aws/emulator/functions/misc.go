package functions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

func (s *Store) getRuntimeManagement(_ context.Context, c wire.Call, in *lambda.GetRuntimeManagementConfigInput) (*lambda.GetRuntimeManagementConfigOutput, error) {
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
	if v.Image != nil {
		return nil, noRuntime()
	}
	out := &lambda.GetRuntimeManagementConfigOutput{FunctionArn: ptr(n.arn(c)), UpdateRuntimeOn: types.UpdateRuntimeOnAuto}
	if m := f.Runtimes[latest(n.Qualifier)]; m != nil {
		out.UpdateRuntimeOn, out.RuntimeVersionArn = m.Mode, m.ARN
	}
	return out, nil
}

// noRuntime: an image has no managed runtime
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html).
func noRuntime() error {
	return invalid("Runtime management is not supported for functions created with container images.")
}

// latest is the qualifier that a missing one stands for.
func latest(q string) string {
	if q == "" {
		return "$LATEST"
	}
	return q
}

func (s *Store) putRuntimeManagement(_ context.Context, c wire.Call, in *lambda.PutRuntimeManagementConfigInput) (*lambda.PutRuntimeManagementConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err == nil {
		err = oneOf(in.UpdateRuntimeOn, "updateRuntimeOn", types.UpdateRuntimeOn("").Values())
	}
	switch {
	case err != nil:
		return nil, err
	case in.UpdateRuntimeOn == "":
		return nil, missing("updateRuntimeOn")
	case (in.UpdateRuntimeOn == types.UpdateRuntimeOnManual) != (val(in.RuntimeVersionArn) != ""):
		return nil, invalid("RuntimeVersionArn must be given with the update mode Manual, and only then.") // SDK, PutRuntimeManagementConfig
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, v, err := s.lookup(c, n)
	if err != nil {
		return nil, err
	}
	if v.Image != nil {
		return nil, noRuntime()
	}
	f.Runtimes[latest(n.Qualifier)] = &runtimeManagement{Mode: in.UpdateRuntimeOn, ARN: in.RuntimeVersionArn}
	return &lambda.PutRuntimeManagementConfigOutput{FunctionArn: ptr(n.arn(c)), UpdateRuntimeOn: in.UpdateRuntimeOn, RuntimeVersionArn: in.RuntimeVersionArn}, nil
}

func (s *Store) getRecursion(_ context.Context, c wire.Call, in *lambda.GetFunctionRecursionConfigInput) (*lambda.GetFunctionRecursionConfigOutput, error) {
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
	out := &lambda.GetFunctionRecursionConfigOutput{RecursiveLoop: types.RecursiveLoopTerminate} // recorded in test_put_function_recursion_config_default_terminate
	if f.Recursion != "" {
		out.RecursiveLoop = f.Recursion
	}
	return out, nil
}

func (s *Store) putRecursion(_ context.Context, c wire.Call, in *lambda.PutFunctionRecursionConfigInput) (*lambda.PutFunctionRecursionConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = oneOf(in.RecursiveLoop, "recursiveLoop", []types.RecursiveLoop{"Terminate", "Allow"}) // recorded in test_put_function_recursion_config_invalid_value
	}
	if err == nil && in.RecursiveLoop == "" {
		err = missing("recursiveLoop")
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
	f.Recursion = in.RecursiveLoop
	return &lambda.PutFunctionRecursionConfigOutput{RecursiveLoop: f.Recursion}, nil
}

// getScaling: only functions on capacity providers scale so, and this account
// has none (SDK, PutFunctionScalingConfig). The answer names the function and no
// configuration.
func (s *Store) getScaling(_ context.Context, c wire.Call, in *lambda.GetFunctionScalingConfigInput) (*lambda.GetFunctionScalingConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err == nil && n.Qualifier == "" {
		err = missing("qualifier")
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.lookup(c, n); err != nil {
		return nil, err
	}
	return &lambda.GetFunctionScalingConfigOutput{FunctionArn: ptr(n.arn(c))}, nil
}

// putScaling refuses for the same reason (SDK, PutFunctionScalingConfig: for
// functions on Lambda Managed Instances; the words are ours).
func (s *Store) putScaling(_ context.Context, c wire.Call, in *lambda.PutFunctionScalingConfigInput) (*lambda.PutFunctionScalingConfigOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err == nil && n.Qualifier == "" {
		err = missing("qualifier")
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.lookup(c, n); err != nil {
		return nil, err
	}
	return nil, invalid("A scaling configuration needs a function with a capacity provider: %s has none.", n.arn(c))
}

// getDurable: there is none to be found.
func (s *Store) getDurable(_ context.Context, _ wire.Call, in *lambda.GetDurableExecutionInput) (*lambda.GetDurableExecutionOutput, error) {
	if val(in.DurableExecutionArn) == "" {
		return nil, missing("durableExecutionArn")
	}
	return nil, gone()
}

// listDurable: no function of this account runs durable executions.
func (s *Store) listDurable(_ context.Context, c wire.Call, in *lambda.ListDurableExecutionsByFunctionInput) (*lambda.ListDurableExecutionsByFunctionOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.lookup(c, n); err != nil {
		return nil, err
	}
	return &lambda.ListDurableExecutionsByFunctionOutput{DurableExecutions: []types.Execution{}}, nil
}

// totalCode is the storage quota of a region, in bytes (quotas: 300 GB).
const totalCode = 300 << 30

func (s *Store) accountSettings(_ context.Context, c wire.Call, _ *lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	used := int64(0)
	for _, f := range r.Functions {
		for _, v := range f.all() {
			used += v.Config.CodeSize
		}
	}
	for _, l := range r.Layers {
		for _, v := range l.Versions {
			used += s.opts.Objects.Get(v.Object).Size()
		}
	}
	return &lambda.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{
			CodeSizeUnzipped: mostUnzipped, CodeSizeZipped: mostZipped, TotalCodeSize: totalCode,
			ConcurrentExecutions: pool, UnreservedConcurrentExecutions: ptr(r.unreserved(nil)),
		},
		AccountUsage: &types.AccountUsage{FunctionCount: int64(len(r.Functions)), TotalCodeSize: used},
	}, nil
}
