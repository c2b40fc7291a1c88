// Package ziptest makes archives for tests: well-formed ones in a line, and
// hostile ones by overriding any field of any record. It is test support; the
// program never imports it.
//
//	b := ziptest.Bytes(
//		ziptest.Dir("bin"),
//		ziptest.File("bin/x", "#!/bin/sh\n").Perm(0o755).Deflated(),
//		ziptest.Link("bin/y", "x"),
//	)
//	path := ziptest.Write(t, ziptest.File("index.js", "…")) // a file in t.TempDir()
//
// Entries are values; their methods return changed copies:
//
//	Perm(mode)        permission bits            Type(mode)    the whole Unix st_mode
//	Deflated()        compressed, not stored     Streamed()    a data descriptor behind the data
//	DOS()             made on DOS: no Unix mode  Wide()        zip64 fields although not needed
//	Central(f)        change the directory's header just before it is written
//	Local(f)          change the local header    Both(f)       change both
//	Raw(data)         the bytes in the archive, whatever method and sizes say
//
// Archive adds what concerns the whole: bytes put before it (with or without
// corrected offsets), a comment, zip64 end records, and overrides of the end
// record.
package ziptest
