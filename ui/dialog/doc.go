// Package dialog asks one question over a screen: a choice by key, or a word
// that must be typed exactly. It changes nothing; the answer is a value.
package dialog
