// Package wire holds what the parts of the embedded account share: who calls
// (Call), how AWS refuses (Error), and the translation between the SDK's input
// and output structs and AWS's JSON, driven by the SDK's own schemas.
//
// It imports the SDK's types and nothing of this program, so that every part of
// the account can import it.
package wire
