// Package packages shows the packages in a function's layers and code, or in layer
// versions and local zips: name, version, where each lies, and which of them are
// there at more than one version. It shows what build/inventory finds, as the
// inventory command prints it.
package packages
