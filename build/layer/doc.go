// Package layer converts the zip of a Lambda layer, or of a function's code,
// into an image layer.
//
// The result obeys the rules of Lambda's image reader by construction: gzip in
// one member, every parent directory its own entry before its children, no hard
// links, no duplicate paths, world-readable files, uid and gid 0. The same zip
// always gives the same bytes.
//
// A zip holds its files as DEFLATE streams and so does a gzipped tar: the
// streams are copied from one into the other and nothing is compressed again.
// What remains to do is inflating once, for the hash of the tar and to check
// the archive, and two SHA-256.
//
// So there are two floors. No way to an image layer does without the two hashes;
// they are the bound on processors without SHA instructions. On those with them a
// core hashes faster than it inflates, and the bound is inflating and hashing,
// divided among the cores as far as can be: files are inflated side by side, but the
// bytes of one file, and the tar's hash, come one after the other. BenchmarkConvert
// prints both.
//
// It imports build/zipdir, its own build/layer/inflate, and
// go-containerregistry's v1 interfaces.
package layer
