// Package sanitize makes text that came from elsewhere fit to be shown: names,
// messages, file contents. Nothing that a terminal could act on passes it.
//
// It imports no room of this program.
package sanitize
