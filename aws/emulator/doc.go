// Package emulator is an AWS account on loopback: Lambda, ECR, STS, buckets, the templates of stacks,
// presigned downloads and an OCI registry on one host and port. The demo and the
// tests run the real program, the real SDK and the real registry client against it.
//
// It is meant to be as strict as AWS is known to be. Every message and limit
// carries the source it was taken from. The rest of the program never knows that
// it talks to it.
//
// # Parts
//
// This package owns the server: the one listener and the protocols behind it,
// who calls from which region, the clock, faults, rates and saved state. What an
// AWS service does lives below; these packages know wire, some know each other,
// none knows this one:
//
//	wire        calls, errors, operations, the SDK's structs as AWS's JSON
//	functions   all of Lambda
//	events      the queue of asynchronous invocations
//	objects     code and layer archives, once by hash, and their presigned URLs
//	s3          buckets, as much as code for Lambda needs
//	oci         the registry under /v2/, and the base images
//	ecr         ECR's JSON API over it
//	imagerules  what Lambda refuses about an image
//	rootfs      the file system a function sees
//	invoke      running JavaScript handlers in it
//	seed        the deterministic account of the demo
//
// # Seeding
//
// Start calls seed.Plant(ctx, seed.Account{…}, n) once, before it serves, when it
// has found no saved state. Account holds the account's id and region, the
// *ecr.Service, and Do, which is Server.Do for calls that are privileged: they
// may set tags of AWS's own, create functions of deprecated runtimes, and what
// they create is settled at once. An archive given twice is kept once.
package emulator
