// Package lock keeps two runs of one machine from working on the same thing, by a
// locked file that the system lets go when the process ends.
//
// It imports no room of this program.
package lock
