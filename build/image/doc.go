// Package image makes a Lambda container image out of a base image and
// converted layers, checks it against the rules of Lambda's image reader, proves
// that it holds what the zips held, and writes it out.
//
// An image is the base's layers, untouched, then one image layer for each zip,
// the code's last. Build makes it, in the base's family of media types; Lint and
// Prove read any image, built here or elsewhere, once and streaming; Open,
// WriteOCI and WriteTarball are its ways in and out. Runtimes is the one table of
// runtime identifiers, their base images and their dates.
//
// A layer that Build has just made is proven against its archive while it is made,
// by bits: what lies in the layer must be the archive's own deflate streams. Where
// that can't be seen, and in Prove, SHA-256 of both sides decide.
//
// Of the rules, those that show at create (see Moment) make Lambda answer
// CreateFunction with an error or end in State Failed; those that show at run
// make the function's start or an invocation fail.
//
// It imports build/zipdir, build/optfs, build/layer, build/machine and
// go-containerregistry.
package image
