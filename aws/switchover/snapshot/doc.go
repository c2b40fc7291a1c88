// Package snapshot owns what a Lambda function is: its configuration, versions
// and everything attached to it, as the API answered. "Not there", "not allowed
// to look" and "could not look" are three answers.
//
// A Snapshot holds environment values: it is written owner-only and never
// printed. The package only reads; it imports aws/session.
package snapshot
