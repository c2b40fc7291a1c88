package wire

import (
	"context"
	"fmt"

	"github.com/aws/smithy-go"
)

// Operation is one operation of a service: its schemas, which say how it
// travels, and what runs it.
type Operation struct {
	Schema, Input, Output *smithy.Schema
	// New makes an empty input: a pointer to the SDK's struct.
	New func() any
	// Run answers a pointer to the SDK's output struct, or an error, which is an
	// *Error unless it is a bug.
	Run func(ctx context.Context, call Call, input any) (any, error)
}

// Name is the operation's name.
func (o Operation) Name() string { return o.Schema.ID().Name }

// Op makes an Operation of a typed function.
func Op[I, O any](op, in, out *smithy.Schema, run func(context.Context, Call, *I) (*O, error)) Operation {
	return Operation{
		Schema: op, Input: in, Output: out,
		New: func() any { return new(I) },
		Run: func(ctx context.Context, call Call, input any) (any, error) {
			typed, ok := input.(*I)
			if !ok {
				return nil, fmt.Errorf("%s takes a %T, not a %T", op.ID().Name, new(I), input)
			}
			res, err := run(ctx, call, typed)
			if err != nil {
				return nil, err
			}
			return res, nil
		},
	}
}
