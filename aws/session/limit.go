package session

import (
	"context"

	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// AWS's published request rates per account and region, none of which can be
// raised: GetFunction 100 a second, GetPolicy 15, all other control-plane
// operations 15 together
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests).
const (
	rateGetFunction = 100
	rateGetPolicy   = 15
	rateRest        = 15
)

// limiter spaces the calls of one region. Bursts are kept short: how much AWS
// forgives at once is not published.
type limiter struct {
	getFunction *rate.Limiter
	getPolicy   *rate.Limiter
	rest        *rate.Limiter
}

func newLimiter() *limiter {
	return &limiter{
		getFunction: rate.NewLimiter(rateGetFunction, 10),
		getPolicy:   rate.NewLimiter(rateGetPolicy, 3),
		rest:        rate.NewLimiter(rateRest, 5),
	}
}

// bucket is the budget an operation draws from; nil is none. Invocations have
// the function's own concurrency as their limit.
func (l *limiter) bucket(op string) *rate.Limiter {
	switch op {
	case "Invoke", "InvokeAsync", "InvokeWithResponseStream":
		return nil
	case "GetFunction":
		return l.getFunction
	case "GetPolicy":
		return l.getPolicy
	default:
		return l.rest
	}
}

// middleware waits before every attempt, retries included.
func (l *limiter) middleware(op string) middleware.FinalizeMiddleware {
	bucket := l.bucket(op)
	return middleware.FinalizeMiddlewareFunc("optlift.limit",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if bucket != nil {
				if err := bucket.Wait(ctx); err != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, err
				}
			}
			return next.HandleFinalize(ctx, in)
		})
}
