// Package screen is what the root model and a screen agree on: the screen
// draws, names its actions and answers with an Effect, which only the root
// performs.
package screen
