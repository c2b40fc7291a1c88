// Package layers shows the distinct layer versions of the account's functions:
// what they weigh, whether they can still be read, and who uses them.
package layers
