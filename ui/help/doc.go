// Package help shows what can be done: it is made from the action tables of the
// screen it was asked on, so it cannot say anything else than what the keys do.
package help
