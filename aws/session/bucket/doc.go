// Package bucket makes the four calls of S3 that the program needs: is the bucket
// there and where, is the object there and whole, read it, put it. The SDK's
// signer, retries and middleware do the work; its S3 client is not used because it
// holds itself in an interface, which keeps all of its more than a hundred
// operations, four megabytes, in the program. A test compares the two. It imports
// no other room.
package bucket
