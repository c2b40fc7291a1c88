// Package recipe writes down how a function's image is made, for people to own:
// a Dockerfile with everything pinned, a script that fetches and unpacks the zips
// with the user's own credentials before any build starts, and the exact calls
// that publish the result.
//
// New decides what the folder holds, as values; Write makes it appear whole or
// not at all. What a layer's content is taken from, its zip or an image, is the
// caller's choice; see build/overlay for when an image may stand for a layer.
//
// No credential, link or environment value is ever part of a recipe.
//
// It imports build/image, build/layer, build/overlay, build/zipdir and
// go-containerregistry.
package recipe
