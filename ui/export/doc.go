// Package export asks for new files and writes what is on screen to them: the functions in the
// formats of the audit command, and whatever else a screen brings along.
package export
