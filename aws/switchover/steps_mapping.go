package switchover

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// mappingOff pauses a mapping and waits until it has stopped. It stays bound to
// the function's ARN while the function is replaced.
func mappingOff(m mapping) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		return r.mapping(ctx, m.uuid, "Disabled", "")
	}
}

// mappingBack gives a mapping the state it had, and the version it had under the
// version's new number.
func mappingBack(m mapping) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		q, err := r.version(m.qualifier)
		if err != nil {
			return outcome{}, err
		}
		return r.mapping(ctx, m.uuid, m.state(), r.arn+colon(q))
	}
}

// moveMapping points a mapping at the function beside.
func moveMapping(m mapping) func(context.Context, *run) (outcome, error) { return mappingBack(m) }

func (m mapping) state() string {
	if m.on {
		return "Enabled"
	}
	return "Disabled"
}

// mapping brings a mapping into a state and, where target is not "", to a
// function, and waits until both are so.
func (r *run) mapping(ctx context.Context, uuid, state, target string) (outcome, error) {
	settled := func(ctx context.Context) (so, pointed bool, err error) {
		got, err := r.api.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &uuid})
		if err != nil {
			return false, false, fmt.Errorf("look at event source mapping %s: %w", uuid, err)
		}
		pointed = target == "" || aws.ToString(got.FunctionArn) == target
		return pointed && aws.ToString(got.State) == state, pointed, nil
	}
	out, err := r.ensure(ctx, "UpdateEventSourceMapping", uuid+" to "+state,
		func(ctx context.Context) (bool, error) {
			so, _, err := settled(ctx)
			return so, err
		},
		func(ctx context.Context) error {
			_, pointed, err := settled(ctx)
			if err != nil {
				return err
			}
			in := &lambda.UpdateEventSourceMappingInput{UUID: &uuid, Enabled: aws.Bool(state == "Enabled")}
			if !pointed {
				in.FunctionName = &target
			}
			_, err = r.api.UpdateEventSourceMapping(ctx, in)
			return err
		})
	if err != nil {
		return out, err
	}
	err = poll(ctx, r.s.patience, func(ctx context.Context) (bool, error) {
		so, _, err := settled(ctx)
		return so, err
	})
	if err != nil {
		return out, fmt.Errorf("wait until event source mapping %s is %s: %w", uuid, state, err)
	}
	return out, nil
}
