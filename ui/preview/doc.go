// Package preview shows what is in a file of a layer: highlighted text, or bytes
// in hexadecimal, or what sets two copies apart. It reads no more than a bounded
// part of a file, and nothing of it reaches the terminal raw.
package preview
