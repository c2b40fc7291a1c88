// Package answers keeps on disk, between runs, what AWS answered to questions
// about single functions and layer versions, and when it was asked. What can't
// change, such as the SHA-256 of a layer version, is as good as asked just now;
// what can, such as whether the layer may still be read, is worth as much as it
// is young, and whoever shows it says how old it is.
//
// It imports build/lru only.
package answers
