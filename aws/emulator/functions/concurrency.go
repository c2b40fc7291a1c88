package functions

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The account's pool of concurrent executions, of which 100 stay unreserved
// (quotas; docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
const (
	pool          = 1000
	minUnreserved = 100
)

// provisioned is one provisioned concurrency configuration.
type provisioned struct {
	Requested int32
	Allocated int32 // before Until
	Until     time.Time
	Modified  *string
}

// unmarked is invalid without a Type: so are the refusals about the pool recorded.
func unmarked(format string, args ...any) *wire.Error {
	e := invalid(format, args...)
	e.Fields = nil
	return e
}

// unreserved is what is left of the pool without f. The caller holds s.mu.
func (r *region) unreserved(without *function) int32 {
	left := int32(pool)
	for _, f := range r.Functions {
		if f == without {
			continue
		}
		if f.Reserved != nil {
			left -= *f.Reserved
			continue
		}
		left -= f.provisionedTotal("")
	}
	return left
}

// provisionedTotal is the provisioned concurrency of all qualifiers but one.
func (f *function) provisionedTotal(but string) int32 {
	sum := int32(0)
	for q, p := range f.Provisioned {
		if q != but {
			sum += p.Requested
		}
	}
	return sum
}

// putFunctionConcurrency: the refusals are recorded in
// test_function_concurrency_exceptions, _limits and test_reserved_provisioned_overlap.
func (s *Store) putFunctionConcurrency(_ context.Context, c wire.Call, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = n.unqualified()
	}
	if err == nil && in.ReservedConcurrentExecutions == nil {
		err = missing("reservedConcurrentExecutions")
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.in(c)
	f := r.Functions[n.Function]
	if f == nil {
		return nil, noFunction(functionARN(c, n.Function) + ":$LATEST")
	}
	want := *in.ReservedConcurrentExecutions
	if want < 0 {
		return nil, badValue(want, "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	if total := f.provisionedTotal(""); want < total {
		return nil, unmarked(" ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].", want, total)
	}
	if r.unreserved(f)-want < minUnreserved {
		return nil, unmarked("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
	}
	f.Reserved = &want
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: &want}, nil
}

func (s *Store) getFunctionConcurrency(_ context.Context, c wire.Call, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = n.unqualified()
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil {
		return nil, noFunction(functionARN(c, n.Function))
	}
	return &lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: f.Reserved}, nil
}

func (s *Store) deleteFunctionConcurrency(_ context.Context, c wire.Call, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = n.unqualified()
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil {
		return nil, noFunction(functionARN(c, n.Function))
	}
	f.Reserved = nil
	return &lambda.DeleteFunctionConcurrencyOutput{}, nil
}

// provisionable finds the version or alias that provisioned concurrency is for;
// latest is the message about $LATEST. Recorded in
// test_provisioned_concurrency_exceptions. The caller holds s.mu.
func (s *Store) provisionable(c wire.Call, function, qualifier *string, latest string) (*function, string, error) {
	n, err := parseName(c, function, qualifier)
	switch {
	case err != nil:
		return nil, "", err
	case n.Qualifier == "":
		return nil, "", missing("qualifier")
	case n.Qualifier == "$LATEST":
		return nil, "", invalid("%s", latest)
	}
	f := s.in(c).Functions[n.Function]
	if matchNumber.MatchString(n.Qualifier) {
		if f == nil || f.number(n.Qualifier) == nil {
			return nil, "", noFunction(n.arn(c))
		}
	} else if f == nil || f.Aliases[n.Qualifier] == nil {
		return nil, "", notFound("Cannot find alias arn: %s", n.arn(c))
	}
	return f, n.Qualifier, nil
}

const notPublished = "The function resource provided must be an alias or a published version."

func (s *Store) putProvisioned(_ context.Context, c wire.Call, in *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	if in.ProvisionedConcurrentExecutions == nil {
		return nil, missing("provisionedConcurrentExecutions")
	}
	want := *in.ProvisionedConcurrentExecutions
	if want < 1 {
		return nil, badValue(want, "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, q, err := s.provisionable(c, in.FunctionName, in.Qualifier, "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	if err != nil {
		return nil, err
	}
	// The two conflicts are recorded in test_lambda_provisioned_lifecycle.
	if a := f.Aliases[q]; a != nil {
		if f.Provisioned[*a.FunctionVersion] != nil {
			return nil, conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
	} else {
		for name, a := range f.Aliases {
			if f.Provisioned[name] != nil && points(a, q) {
				return nil, conflict("Version is pointed by a Provisioned Concurrency alias")
			}
		}
	}
	others := f.provisionedTotal(q)
	if f.Reserved != nil {
		if others+want > *f.Reserved { // recorded in test_reserved_provisioned_overlap
			return nil, invalid("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
		}
	} else {
		left := s.in(c).unreserved(f) - others // the two refusals are recorded in test_provisioned_concurrency_limits
		if want > left {
			return nil, unmarked("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", left)
		}
		if left-want < minUnreserved {
			return nil, unmarked("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", minUnreserved)
		}
	}
	p := &provisioned{Requested: want, Modified: when(c.Now)}
	if had := f.Provisioned[q]; had != nil {
		p.Allocated = had.Requested
	}
	s.reprovision(p)
	if c.Privileged {
		p.Until = s.opts.Now()
	}
	f.Provisioned[q] = p
	return s.provisionedView(p), nil
}

// reprovision starts allocating again.
func (s *Store) reprovision(p *provisioned) { p.Until = s.opts.Now().Add(s.opts.Delay) }

// provisionedView is what the three operations answer (recorded in
// test_lambda_provisioned_lifecycle). The caller holds s.mu.
func (s *Store) provisionedView(p *provisioned) *lambda.GetProvisionedConcurrencyConfigOutput {
	out := &lambda.GetProvisionedConcurrencyConfigOutput{
		RequestedProvisionedConcurrentExecutions: ptr(p.Requested), LastModified: p.Modified,
		AllocatedProvisionedConcurrentExecutions: ptr(p.Allocated), AvailableProvisionedConcurrentExecutions: ptr(p.Allocated),
		Status: types.ProvisionedConcurrencyStatusEnumInProgress,
	}
	if !s.opts.Now().Before(p.Until) {
		p.Allocated = p.Requested
		out.AllocatedProvisionedConcurrentExecutions, out.AvailableProvisionedConcurrentExecutions = ptr(p.Requested), ptr(p.Requested)
		out.Status = types.ProvisionedConcurrencyStatusEnumReady
	}
	return out
}

func (s *Store) getProvisioned(_ context.Context, c wire.Call, in *lambda.GetProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, q, err := s.provisionable(c, in.FunctionName, in.Qualifier, notPublished)
	if err != nil {
		return nil, err
	}
	p := f.Provisioned[q]
	if p == nil {
		return nil, refuse(schemas.ProvisionedConcurrencyConfigNotFoundException, "No Provisioned Concurrency Config found for this function")
	}
	return s.provisionedView(p), nil
}

func (s *Store) listProvisioned(_ context.Context, c wire.Call, in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = between(in.MaxItems, "maxItems", 1, 50)
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
	page, next, err := cut(keys(f.Provisioned), in.Marker, in.MaxItems, 50)
	out := &lambda.ListProvisionedConcurrencyConfigsOutput{ProvisionedConcurrencyConfigs: []types.ProvisionedConcurrencyConfigListItem{}, NextMarker: next}
	for _, q := range page {
		v := s.provisionedView(f.Provisioned[q])
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, types.ProvisionedConcurrencyConfigListItem{
			FunctionArn: ptr(functionARN(c, f.Name) + ":" + q), LastModified: v.LastModified, Status: v.Status,
			AllocatedProvisionedConcurrentExecutions: v.AllocatedProvisionedConcurrentExecutions,
			AvailableProvisionedConcurrentExecutions: v.AvailableProvisionedConcurrentExecutions,
			RequestedProvisionedConcurrentExecutions: v.RequestedProvisionedConcurrentExecutions,
		})
	}
	return out, err
}

func (s *Store) deleteProvisioned(_ context.Context, c wire.Call, in *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, q, err := s.provisionable(c, in.FunctionName, in.Qualifier, notPublished)
	if err != nil {
		return nil, err
	}
	delete(f.Provisioned, q) // 204 without one, too: recorded in test_provisioned_concurrency_exceptions
	return &lambda.DeleteProvisionedConcurrencyConfigOutput{}, nil
}
