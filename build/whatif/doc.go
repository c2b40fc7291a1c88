// Package whatif works out what other layers, or the same in another order,
// would mean for a function: size, conflicts, and what is seen under /opt. It
// works on directories that were read before and touches nothing.
//
// It imports build/optfs, build/difference and build/machine.
package whatif
