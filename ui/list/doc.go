// Package list owns the window of a long list: which rows are seen, which one
// is selected. It holds no rows, so its cost does not grow with their number.
// The selection is a key, not an index: it stays on its row when rows come, go
// or change order.
package list
