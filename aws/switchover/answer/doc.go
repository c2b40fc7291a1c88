// Package answer owns how the answers of two functions to one event compare: the
// status, the payload, what was measured, and the shape of the log. It tells
// where they differ and never what they say, which may be secret.
//
// It asks nobody; it imports the SDK's types and nothing of this project.
package answer
