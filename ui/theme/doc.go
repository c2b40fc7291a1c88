// Package theme owns the colours. Screens speak of tones, what a text means;
// only this package knows how a tone looks on a dark, a light or a colourless
// terminal.
package theme
