// Package mark says how the states of things look: a shape or a word and a
// tone, the same on every screen and readable without colour.
package mark
