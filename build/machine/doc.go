// Package machine tells which processor a program was built for, from its first
// bytes. What an archive or an image says of its own architecture is a label, and
// labels are wrong at times: the files are not.
//
// It imports build/zipdir and build/layer/inflate.
package machine
