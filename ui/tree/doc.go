// Package tree owns the index of a merged file system for the screen: which
// paths are seen, in which order, what a directory weighs. Building it is done
// once, beside the screens; after that a key costs no more with a hundred
// thousand files than with ten.
package tree
