// Package loading is what screens share that wait for whole archives: how far the
// downloads are, and what is said when there will be none.
package loading
