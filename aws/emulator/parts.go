package emulator

import (
	"context"
	"net/http"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/functions"
	"github.com/optlift/optlift/aws/emulator/imagerules"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// The parts of the account meet here. Each lives in a package of its own that
// knows package wire and not this one; Start joins them. What Lambda needs of
// images and of running functions is functions.Images and functions.Invoker.

// service answers the operations of one AWS JSON 1.1 API. The server has routed
// the request by X-Amz-Target, recorded it and applied faults. The answer is the
// encoded output; an error is a *wire.Error, or a bug. An operation the part does
// not have is wire.Errorf(400, "UnknownOperationException", "").
type service interface {
	Call(ctx context.Context, call wire.Call, body []byte) ([]byte, error)
}

// registry is the OCI distribution API under /v2/, with ECR's token,
// repositories and quirks, and the base images for everybody.
type registry interface {
	http.Handler
	// Save and Load keep everything in dir and bring it back; Load of a
	// directory that was never saved to leaves the registry as it is.
	Save(dir string) error
	Load(dir string) error
}

var (
	_ service          = (*ecr.Service)(nil)
	_ registry         = (*ecr.Service)(nil)
	_ functions.Images = (*imagerules.Rules)(nil)
)
