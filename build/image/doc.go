// Package image makes a Lambda container image out of a base image and
// converted layers, checks it against the rules of Lambda's image reader, proves
// that it holds what the zips held, and writes it out.
//
// It imports build/zipdir, build/optfs, build/layer and go-containerregistry.
package image
