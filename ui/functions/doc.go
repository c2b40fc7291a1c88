// Package functions is the first screen: every function of the account in a
// table that fills in while it is listed and measured.
package functions
