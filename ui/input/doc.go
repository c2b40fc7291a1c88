// Package input is one line of text being typed: bubbles' text input, made safe
// for pasted text and bounded. It is drawn by ui/draw, which counts columns where
// the component's cursor counts characters, so that wide ones keep their place.
package input
