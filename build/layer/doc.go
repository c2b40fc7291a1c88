// Package layer converts the zip of a Lambda layer, or of a function's code,
// into an image layer.
//
// The result obeys the rules of Lambda's image reader by construction: gzip in
// one member, every parent directory its own entry before its children, no hard
// links, no duplicate paths, world-readable files, uid and gid 0. The same zip
// always gives the same bytes.
//
// It imports build/zipdir and go-containerregistry's v1 interfaces.
package layer
