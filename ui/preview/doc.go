// Package preview shows what is in a file of a layer: highlighted text, what a
// program, an archive or a picture is, bytes in hexadecimal, or what sets two
// copies apart. It keeps no more than a bounded part of a file, and nothing of it
// reaches the terminal raw.
package preview
