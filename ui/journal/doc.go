// Package journal shows the migrations that were made from this machine, and
// goes on with one or takes it back.
package journal
