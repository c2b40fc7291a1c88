package account

import "time"

// SetNow replaces the clock that the deprecation dates are held against.
func (a *Auditor) SetNow(now time.Time) { a.now = func() time.Time { return now } }
