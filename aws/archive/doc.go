// Package archive reads the zips behind AWS's presigned URLs: the central
// directory by HTTP Range in a request or two, single entries by their own
// range, the whole archive into a verified file. Where the server ignores Range
// the archive is streamed once into a bounded temporary file instead.
//
// URLs are secrets: they appear in no error, log or file. It imports
// build/zipdir.
package archive
