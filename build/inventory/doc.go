// Package inventory lists the packages in a merged /opt and /var/task: Python
// distributions, Node modules, Java archives, Ruby gems, .NET libraries and the
// modules that Go programs were built from. It reads the files in which each
// ecosystem's own tools write down what they installed, and never guesses from
// a program's contents.
//
// Archives are hostile until proven otherwise: every file read has a cap,
// archives inside archives are read as a stream, and what could not be read is
// told (Unread) and not left out in silence. Memory grows with the number of
// packages, not with the size of their files.
//
// It imports build/zipdir, build/optfs, and libraries for package URLs and
// CycloneDX.
package inventory
