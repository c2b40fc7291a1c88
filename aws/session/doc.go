// Package session opens an AWS account for the rest of the program: the SDK's
// own credential chain and endpoint settings, one set of clients per region, and
// the guard that lets no write through until the session is armed.
//
// No other package builds SDK clients. Nothing here asks whether the endpoint is
// AWS or an embedded account.
package session
