// Package rootfs is the file system a function sees: a tree of files with modes
// and links whose contents are read on demand, made either of layer and code
// archives or of an image's layers. Invoke reads only this, so that a zip and an
// image with the same files give the same results.
package rootfs
