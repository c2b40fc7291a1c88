// Package ui is the terminal: one root model, one package per screen. It knows
// aws and build, nobody knows ui, and it imports no AWS SDK: everything it does
// to an account goes through Backend.
package ui
