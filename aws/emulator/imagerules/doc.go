// Package imagerules is what Lambda checks about a container image: at once,
// while CreateFunction or UpdateFunctionCode is answered (Resolve), and later,
// while the image is being optimized (Check). It also opens an accepted image for
// running (Open).
//
// It shares no code with the program's own lint of images, so that each can find
// the other wrong. Where AWS's behaviour is not known it takes the strict side.
package imagerules
