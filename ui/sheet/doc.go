// Package sheet is a table whose rows are filtered and sorted: what screens share
// that show a list of things nobody else changes. It knows no kind of row; the
// screens say what stands in a cell, what comes before what, and what a filter may
// ask for.
package sheet
