// Package optfs merges the archives of Lambda layers into the one tree that a
// function sees under /opt, and says for every path which layer won and whom it
// shadows.
//
// Lambda extracts layers in the order the function lists them; of files with
// the same path the last extracted one is used
// (https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html).
//
// A tree is made from the directories alone and never changes. Confirm reads
// contents where the directories leave a doubt; Open and Resolve read and
// follow what is in the tree; Report is its JSON form.
//
// It imports build/zipdir only.
package optfs
