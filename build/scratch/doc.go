// Package scratch makes temporary directories that go away even if the process
// that made them could not see to it: each holds a lock that ends with its
// process, and whoever makes the next one removes those that nobody holds.
//
// It imports nothing of this project.
package scratch
