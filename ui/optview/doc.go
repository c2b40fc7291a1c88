// Package optview shows what lies under /opt: the layers of a function merged
// into one tree, with who wins at every path and who is shadowed. It looks into
// single layer versions and local zips the same way, and at a function's code
// under /var/task.
package optview
