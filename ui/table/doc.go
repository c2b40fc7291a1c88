// Package table draws rows in columns: it decides which columns fit, how wide
// they are, and shows the order. It asks only for the cells that are seen.
package table
