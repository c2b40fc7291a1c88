// Package export writes what is on screen to new files: the functions in the
// formats of the audit command, and whatever else a screen brings along.
package export
