// Package difference compares what two sets of archives unpack to: the files
// that were added, removed or changed, and the packages. A Report holds both, as
// the diff command prints them and the terminal shows them.
//
// It compares what is seen after the merge; shadowed copies play no part. It
// imports build/optfs, build/inventory and build/zipdir.
package difference
