// Package session opens an AWS account for the rest of the program: the SDK's
// own credential chain and endpoint settings, one set of clients per region, and
// the guard that lets no write through until the session is armed. It keeps to
// AWS's published request rates, remembers the last calls, and turns AWS's
// errors into one line for people.
//
// No other package builds SDK clients. Nothing here asks whether the endpoint is
// AWS or an embedded account. It imports no other room but its own aws/session/bucket.
package session
