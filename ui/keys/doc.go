// Package keys holds actions as data: one record gives a key its effect, its
// place in the footer, its line in the help, and the reason why it does nothing
// just now. Keys are matched and named by bubbles' bindings.
package keys
