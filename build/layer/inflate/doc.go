// Package inflate decodes raw DEFLATE streams (RFC 1951) chunk by chunk into
// the caller's memory, and tells where in the stream the header of its last
// block lies and at which bit it ends.
//
// It accepts and refuses exactly what compress/flate does. It imports the
// standard library only.
package inflate
