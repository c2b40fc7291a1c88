package emulator

import (
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The parts of the account meet here. Each lives in a package of its own that
// knows package wire and not this one; Start joins them.

// service answers the operations of one AWS JSON 1.1 API (aws/emulator/ecr).
// The server has routed the request by X-Amz-Target, read call.Operation,
// recorded it and applied faults and rates. The answer is the encoded output;
// an error is a *wire.Error, or a bug. An operation the part does not have is
// wire.Errorf(400, "UnknownOperationException", "").
type service interface {
	Call(ctx context.Context, call wire.Call, body []byte) ([]byte, error)
}

// registry is the OCI distribution API under /v2/ (aws/emulator/oci), with ECR's
// token, repositories and quirks, and the base images for everybody.
type registry interface {
	http.Handler
	// Save and Load keep everything in dir and bring it back; Load of a
	// directory that was never saved to leaves the registry as it is.
	Save(dir string) error
	Load(dir string) error
}

// images validates the images that functions are made of (aws/emulator/imagerules).
type images interface {
	// Resolve checks, while CreateFunction or UpdateFunctionCode is answered,
	// what Lambda refuses at once, and pins the tag. architecture is x86_64 or
	// arm64. It adds Lambda's pull policy to the repository where it is missing,
	// as Lambda does. An error is a *wire.Error.
	Resolve(ctx context.Context, call wire.Call, uri, architecture string) (wire.Image, error)
	// Check finds what Lambda finds while it optimizes the image: one defect at a
	// time, as the StateReasonCode and StateReason of a Failed function. Both are
	// "" when the image is fit.
	Check(ctx context.Context, image wire.Image) (code types.StateReasonCode, reason string)
}

// invoker runs functions (aws/emulator/invoke).
type invoker interface {
	Invoke(ctx context.Context, req wire.Invocation) wire.InvocationResult
	// Forget drops the warm execution environments of a function that was
	// deleted or changed; key is wire.Invocation's Environment.
	Forget(key string)
}

var _ io.ReaderAt = wire.Zip{}.Reader
