// Package input is one line of text being typed: the keys of a shell's line,
// nothing to draw. The widget library's own costs each start of the program, the
// commands' too, some 60 ms of tables; this is all that is needed of it.
package input
