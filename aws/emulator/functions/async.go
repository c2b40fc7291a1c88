package functions

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The refusals of this file are recorded in test_lambda_eventinvokeconfig_exceptions.

const patternDestination = `$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:(` + patternRegion + `)?:(\d{12})?:(.*)`

var matchDestination = whole(patternDestination)

// event reads the name of an asynchronous configuration; its qualifier is
// $LATEST when none is given.
func event(c wire.Call, function, qualifier *string) (name, error) {
	n, err := parseName(c, function, qualifier)
	if n.Qualifier == "" {
		n.Qualifier = "$LATEST"
	}
	return n, err
}

// destination checks one destination; list names its service in refusals. The
// caller holds s.mu.
func (s *Store) destination(c wire.Call, n name, member string, to *string, whole string, services ...string) error {
	if val(to) == "" {
		return nil
	}
	if !matchDestination.MatchString(*to) {
		return badPattern(*to, member, patternDestination)
	}
	p := strings.SplitN(*to, ":", 7)
	if p[0] != "arn" {
		return nil
	}
	known := false
	for _, service := range services {
		known = known || p[2] == service
	}
	if !known {
		return invalid("The provided destination config %s is invalid.", whole)
	}
	if p[2] == "lambda" && len(p) == 7 {
		to, err := splitName(c, *to, nil)
		if err == nil {
			_, _, err = s.lookup(c, to)
		}
		if err != nil {
			return invalid("The destination ARN %s is invalid.", strings.Join(p, ":"))
		}
		if to.Function == n.Function {
			return invalid("You can't specify the function as a destination for itself.")
		}
	}
	return nil
}

func (s *Store) putAsync(c wire.Call, function, qualifier *string, age, retries *int32, d *types.DestinationConfig, update bool) (*types.FunctionEventInvokeConfig, error) {
	n, err := event(c, function, qualifier)
	if err == nil && age == nil && retries == nil && d == nil {
		err = invalid("You must specify at least one of error handling or destination setting.")
	}
	if err == nil {
		err = first(between(age, "maximumEventAgeInSeconds", 60, 21600), between(retries, "maximumRetryAttempts", 0, 2))
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _, err := s.lookup(c, n)
	if err != nil {
		return nil, notFound("The function doesn't exist.")
	}
	cfg := &types.FunctionEventInvokeConfig{}
	if update {
		if f.Async[n.Qualifier] == nil {
			return nil, noAsync(c, n)
		}
		*cfg = *f.Async[n.Qualifier]
	}
	cfg.FunctionArn, cfg.LastModified = ptr(n.arn(c)), ptr(c.Now.UTC().Truncate(time.Millisecond))
	if age != nil || !update {
		cfg.MaximumEventAgeInSeconds = age
	}
	if retries != nil || !update {
		cfg.MaximumRetryAttempts = retries
	}
	if d != nil || !update {
		// Both halves are always there: recorded in test_lambda_eventinvokeconfig_lifecycle.
		dest := &types.DestinationConfig{OnFailure: &types.OnFailure{}, OnSuccess: &types.OnSuccess{}}
		if d != nil && d.OnFailure != nil {
			dest.OnFailure = d.OnFailure
		}
		if d != nil && d.OnSuccess != nil {
			dest.OnSuccess = d.OnSuccess
		}
		ok, ko := val(dest.OnSuccess.Destination), val(dest.OnFailure.Destination)
		text := "DestinationConfig(onSuccess=" + shown("OnSuccess", ok) + ", onFailure=" + shown("OnFailure", ko) + ")"
		err := first(
			s.destination(c, n, "destinationConfig.onSuccess.destination", dest.OnSuccess.Destination, text, "lambda", "sqs", "sns", "events"),
			s.destination(c, n, "destinationConfig.onFailure.destination", dest.OnFailure.Destination, text, "lambda", "sqs", "sns", "events", "s3"))
		if err != nil {
			return nil, err
		}
		cfg.DestinationConfig = dest
	}
	f.Async[n.Qualifier] = cfg
	return cfg, nil
}

func shown(kind, arn string) string {
	if arn == "" {
		return "null"
	}
	return kind + "(destination=" + arn + ")"
}

func noAsync(c wire.Call, n name) error {
	return notFound("The function %s doesn't have an EventInvokeConfig", n.arn(c))
}

func (s *Store) putEventInvokeConfig(_ context.Context, c wire.Call, in *lambda.PutFunctionEventInvokeConfigInput) (*types.FunctionEventInvokeConfig, error) {
	return s.putAsync(c, in.FunctionName, in.Qualifier, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig, false)
}

func (s *Store) updateEventInvokeConfig(_ context.Context, c wire.Call, in *lambda.UpdateFunctionEventInvokeConfigInput) (*types.FunctionEventInvokeConfig, error) {
	return s.putAsync(c, in.FunctionName, in.Qualifier, in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig, true)
}

func (s *Store) getEventInvokeConfig(_ context.Context, c wire.Call, in *lambda.GetFunctionEventInvokeConfigInput) (*types.FunctionEventInvokeConfig, error) {
	n, err := event(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil || f.Async[n.Qualifier] == nil {
		return nil, noAsync(c, n)
	}
	return f.Async[n.Qualifier], nil
}

func (s *Store) listEventInvokeConfigs(_ context.Context, c wire.Call, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	n, err := event(c, in.FunctionName, nil)
	if err == nil {
		err = between(in.MaxItems, "maxItems", 1, 50)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil {
		return nil, notFound("The function doesn't exist.")
	}
	page, next, err := cut(keys(f.Async), in.Marker, in.MaxItems, 50)
	out := &lambda.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []types.FunctionEventInvokeConfig{}, NextMarker: next}
	for _, q := range page {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *f.Async[q])
	}
	return out, err
}

func (s *Store) deleteEventInvokeConfig(_ context.Context, c wire.Call, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	n, err := event(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil || f.Async[n.Qualifier] == nil {
		return nil, noAsync(c, n)
	}
	delete(f.Async, n.Qualifier)
	return &lambda.DeleteFunctionEventInvokeConfigOutput{}, nil
}
