// Package zipdir reads a zip's central directory as a validated file tree.
//
// It owns one idea: what an archive holds, and that it can be trusted before a
// byte of it is used. It reads through an io.ReaderAt, so an archive behind a
// ranged HTTP reader costs its directory and nothing more. Every rule an
// archive can break has a name (see Rule) and every refusal names the archive
// and the entry.
//
// It imports the standard library and an inflater, nothing of this program.
package zipdir
