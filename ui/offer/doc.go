// Package offer says what a line being typed could become: words that are known,
// and paths of this machine, whose directories are read by jobs so that a slow
// disk stops no key.
package offer
