// Package inflate decodes raw DEFLATE streams (RFC 1951) chunk by chunk into
// the caller's memory, and tells where in the stream the header of its last
// block lies and at which bit it ends.
//
// It accepts and refuses exactly what compress/flate does. The loop that most
// of the time goes to is written twice: in Go, and for x86-64 with BMI2 in
// assembly, a quarter faster, which the build tag purego leaves out. The tests
// hold both to the standard library.
//
// It imports the standard library, and golang.org/x/sys/cpu to ask for BMI2.
package inflate
