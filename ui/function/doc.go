// Package function shows one function: what it is, what it weighs and of what,
// which extensions it carries, what is wrong with it.
package function
