// Package prompt is the line in which a filter or a command is typed.
package prompt
