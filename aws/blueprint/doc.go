// Package blueprint turns what was captured of a function into the plain
// description that build/infra writes as code. What has no counterpart there, or
// could not be read, becomes a note: nothing is left out in silence.
//
// No environment value and no token gets through. It imports aws/switchover/snapshot and
// build/infra.
package blueprint
