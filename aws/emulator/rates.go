package emulator

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rates are the requests a second that Lambda allows its control plane, per
// account and region; none can be raised
// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests).
const (
	getFunctionRate = 100
	getPolicyRate   = 15
	controlRate     = 15 // all other operations together
)

// rates enforces them. Lambda's burst isn't published: a second's worth here.
type rates struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// allow takes a place for an operation of Lambda's.
func (r *rates) allow(account, region, operation string, now time.Time) bool {
	per, group := controlRate, "control"
	switch operation {
	case "Invoke":
		return true // bounded by concurrency, not by this quota
	case "GetFunction":
		per, group = getFunctionRate, operation
	case "GetPolicy":
		per, group = getPolicyRate, operation
	}
	key := account + "/" + region + "/" + group
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[key]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(per), per)
		if r.buckets == nil {
			r.buckets = map[string]*rate.Limiter{}
		}
		r.buckets[key] = b
	}
	return b.AllowN(now, 1)
}
