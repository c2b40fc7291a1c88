// Package emulator is an AWS account on loopback: Lambda, ECR, STS, presigned
// downloads and an OCI registry on one host and port. The demo and the tests run
// the real program, the real SDK and the real registry client against it.
//
// It is meant to be as strict as AWS is known to be. Every message and limit
// carries the source it was taken from. The rest of the program never knows that
// it talks to it.
package emulator
