// Package archive reads the zips behind AWS's presigned URLs: the central
// directory by HTTP Range in a request or two, single entries by their own
// range, the whole archive into a verified file, which a Stream lets others read
// while it still grows. Where the server ignores Range
// the archive is streamed once into a bounded temporary file instead. A Cache
// keeps on disk what was read of an archive, by the archive's SHA-256, so that
// no later run asks for it again.
//
// URLs are secrets: they appear in no error, log or file. It imports the
// standard library and a compressor.
package archive
