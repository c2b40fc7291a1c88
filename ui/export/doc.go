// Package export writes the functions on screen to a file, in the formats of the
// audit command.
package export
