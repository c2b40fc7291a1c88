// Package findings shows what was found in all functions of the account, the
// gravest first, with what can be done about it.
package findings
