// Package lookup says what of /opt a runtime never gets to see: modules and
// shared libraries that it finds elsewhere first, in the code or in another
// directory of the layers.
//
// A merge of layers can't tell this, because the paths differ: /opt/python/x and
// /var/task/x are two files, but one module. What is said here holds for the
// search paths that Lambda sets; a function may set its own.
//
// It imports build/optfs and build/zipdir.
package lookup
