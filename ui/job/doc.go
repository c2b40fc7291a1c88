// Package job runs long work beside the screens: each job has its own context,
// ends with exactly one message, and is waited for before the program leaves.
// Work tells how far it is through a Stream, which the screens empty on a tick.
package job
