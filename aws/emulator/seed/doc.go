// Package seed fills the embedded account: functions of several teams over the
// runtimes and architectures, shared layers in several versions, and everything
// that a function can have attached, the awkward cases among it. The same number
// gives the same account every time; only what AWS itself draws at random, such
// as revision ids and URL addresses, differs.
//
// It calls the account's own operations in process, so that nothing is in the
// account that its API would not take.
package seed
