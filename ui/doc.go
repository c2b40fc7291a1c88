// Package ui is the terminal: one root model, one package per screen. It knows
// aws and build, nobody knows ui, and it imports no AWS SDK: everything it does
// to an account goes through Backend.
//
// The root owns a stack of screens (ui/screen says what one is), the prompt, the
// question on screen and the jobs (ui/job). A key finds its action in the tables
// of the screen and the root (ui/keys); the screen answers with an Effect, which
// the root performs. Only Update changes state; work runs in jobs, which the
// screens look at on a tick while one runs. Lines are made by ui/draw, so that
// none grows too wide and no remote text reaches the terminal raw.
package ui
