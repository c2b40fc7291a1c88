// Package zipdir reads a zip's central directory as a validated file tree.
//
// It owns one idea: what an archive holds, and that it can be trusted before a
// byte of it is used. It reads through an io.ReaderAt, so an archive behind a
// ranged HTTP reader costs its directory and nothing more. Every rule an
// archive can break has a name (see Rule) and every refusal names the archive
// and the entry.
//
// Trust comes in steps, by what each costs. Read knows the directory: names
// and how they fit together, kinds, sizes, places. ReadLinks adds the symlinks'
// targets, CheckHeaders every local header. Open checks one entry's header,
// and its stream, size and CRC-32 while it is read. CheckBomb holds sizes
// against limits, for those who unpack. OpenFile does the first three, since
// they cost little on a local file.
//
// Where readers of zips disagree, an archive that two of them could see
// differently is refused: two entries of one name (directories too, and also
// after "./" is cleaned away), two end records, zip64 and plain fields that
// differ, a local header unlike its directory entry, a symlink in a DOS
// archive. A backslash is a character of a name like any other, as on Linux,
// unless it would make ".." or a root if it were a separator.
//
// It imports the standard library and an inflater, nothing of this program.
// The ziptest package beside it makes archives for tests.
package zipdir
