// Package inventory keeps what an audit has told so far: functions with their
// facts, and the layer versions they use. It is changed by Apply only and is
// not safe for concurrent use; it belongs to the root model's Update.
package inventory
