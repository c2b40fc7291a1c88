package functions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Payloads of invocations, in bytes (quotas: 6 MB synchronous, 1 MB asynchronous).
const (
	mostSync  = 6 << 20
	mostAsync = 1 << 20
)

// logTail is how much of the log LogType Tail returns (SDK, Invoke: the last 4 KB).
const logTail = 4 << 10

func (s *Store) invoke(ctx context.Context, c wire.Call, in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err == nil {
		err = first(
			oneOf(in.InvocationType, "invocationType", types.InvocationType("").Values()),
			oneOf(in.LogType, "logType", types.LogType("").Values()))
	}
	if err != nil {
		return nil, err
	}
	most := mostSync
	if in.InvocationType == types.InvocationTypeEvent {
		most = mostAsync
	}
	if len(in.Payload) > most {
		// Not the RequestTooLargeException of the model: published answers have this one.
		return nil, tooLarge("Request must be smaller than %d bytes for the InvokeFunction operation", most)
	}
	if len(in.Payload) > 0 && !json.Valid(in.Payload) {
		// The beginning is recorded in test_lambda_invoke_payload_encoding_error; what
		// follows there is the text of a Java library.
		return nil, refuse(schemas.InvalidRequestContentException, "Could not parse request body into json: Could not parse payload into json: the payload is not valid JSON")
	}
	if in.InvocationType == types.InvocationTypeEvent {
		return s.queue(c, n, in)
	}
	req, leave, err := s.prepare(c, n, in.ClientContext, in.Payload, in.InvocationType == types.InvocationTypeDryRun)
	if err != nil {
		return nil, err
	}
	defer leave()
	if in.InvocationType == types.InvocationTypeDryRun {
		return &lambda.InvokeOutput{StatusCode: 204}, nil
	}
	out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: req.Function.Version}
	res := s.opts.Invoker.Invoke(ctx, req)
	if res.Err != nil {
		return nil, res.Err
	}
	out.Payload = res.Payload
	if res.FunctionError != "" {
		out.FunctionError = &res.FunctionError
	}
	if in.LogType == types.LogTypeTail {
		log := res.Log
		if len(log) > logTail {
			log = log[len(log)-logTail:]
		}
		out.LogResult = ptr(base64.StdEncoding.EncodeToString(log))
	}
	return out, nil
}

// prepare finds what to run and takes a place in the function's concurrency, or
// in what is left of the account's, which leave gives back.
func (s *Store) prepare(c wire.Call, n name, clientContext *string, payload []byte, dry bool) (req wire.Invocation, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, v, err := s.invocable(c, n)
	if err != nil {
		return wire.Invocation{}, nil, err
	}
	r := s.in(c)
	places, taken, reason := r.unreserved(nil), &r.running, types.ThrottleReasonConcurrentInvocationLimitExceeded
	if f.Reserved != nil {
		places, taken, reason = *f.Reserved, &f.running, types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded
	}
	if *taken >= int(places) { // recorded in test_reserved_provisioned_overlap
		e := refuse(schemas.TooManyRequestsException, "Rate Exceeded.")
		e.Fields["Reason"] = string(reason)
		return wire.Invocation{}, nil, e
	}
	req = wire.Invocation{Call: c, Environment: environment(v), Function: v.Config, ARN: n.arn(c), Image: v.Image, Payload: payload}
	if clientContext != nil {
		req.ClientContext, _ = base64.StdEncoding.DecodeString(*clientContext)
	}
	if v.Image == nil {
		code := s.opts.Objects.Get(v.Object).Zip()
		req.Code = &code
		for _, l := range v.Layers {
			req.Layers = append(req.Layers, s.opts.Objects.Get(l).Zip())
		}
	}
	if s.opts.Invoker == nil && !dry {
		return req, nil, refuse(schemas.InvalidRuntimeException, "This account can't run functions.")
	}
	v.Used = s.opts.Now()
	*taken++
	return req, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*taken--
	}, nil
}

// invocable finds what an invocation of n runs, once it is ready. The caller
// holds s.mu.
func (s *Store) invocable(c wire.Call, n name) (*function, *version, error) {
	f, v, err := s.lookup(c, n)
	if err != nil {
		return nil, nil, err
	}
	if a := f.Aliases[n.Qualifier]; a != nil && a.RoutingConfig != nil {
		roll := rand.Float64()
		for number, w := range a.RoutingConfig.AdditionalVersionWeights {
			if other := f.number(number); other != nil && roll < w {
				v = other
			}
		}
	}
	s.settle(v)
	if v.Change != nil && v.Prior != nil {
		v = v.Prior // an update under way: the old code still answers (docs.aws.amazon.com/lambda/latest/dg/functions-states.html)
	}
	if state := s.view(v).State; state != types.StateActive {
		if state == types.StateInactive {
			s.restore(v) // this invocation fails, and wakes the function (docs.aws.amazon.com/lambda/latest/dg/functions-states.html)
		}
		// https://github.com/remotion-dev/remotion/issues/1186
		return nil, nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: %s", state)
	}
	return f, v, nil
}
