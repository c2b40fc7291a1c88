// Package finder shows which layer versions, and so which functions, hold a path or
// a package. The results come while the file lists are looked into; what could not
// be looked into is counted, named, and listed on a page of its own.
package finder
