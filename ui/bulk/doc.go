// Package bulk is the screen on which many functions are switched as one: first
// the plan of all of them, with who is left alone and why and the warnings to be
// accepted, then a row for each that fills in as the waves go by, and how it
// ended. Fleets of the journal are shown, gone on with and rolled back on it too.
package bulk
