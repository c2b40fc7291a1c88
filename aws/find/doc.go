// Package find looks for a path, a file's name or a package in the file lists of
// many layer versions. Lists that are on disk answer first and cost nothing; the
// others are read by range, a request or two each. A layer version that can't be
// read is a result like any other, with the reason.
//
// It reads no file's content and imports no terminal library.
package find
