// Package settings owns what becomes of a function's configuration when the function
// is made or changed anew: which fields of the SDK are carried, changed, refused or
// only read, the calls that create and update, and whether an update is needed.
//
// It asks nobody; it imports aws/switchover/snapshot.
package settings
