// Package draw makes the lines of a frame. A Line can't become wider than it
// was asked to be, and every text that goes into one is made fit for a terminal
// on the way (ui/sanitize): no screen can forget either.
package draw
