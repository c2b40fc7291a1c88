// Package emulator is an AWS account on loopback: Lambda, ECR, STS, presigned
// downloads and an OCI registry on one host and port. The demo and the tests run
// the real program, the real SDK and the real registry client against it.
//
// It is meant to be as strict as AWS is known to be. Every message and limit
// carries the source it was taken from. The rest of the program never knows that
// it talks to it.
//
// # Parts
//
// This package owns the server, the clock, states, errors, faults, rates and the
// whole of Lambda. The sub-packages know package wire and never this one:
//
//	wire        calls, errors, the SDK's structs as AWS's JSON
//	oci         the registry under /v2/ and its store; base images
//	ecr         ECR's JSON API over that store
//	imagerules  what Lambda refuses about an image
//	invoke      running JavaScript handlers
//	seed        the deterministic account
//
// They join as follows; host is "localhost:PORT", known only when the server
// listens, hence a function:
//
//	store := oci.New(oci.Options{Host: func() string, Account: "…", Region: "…", Now: func() time.Time})
//	         implements registry of parts.go; serves /v2/
//	ecr.New(store)                   implements service
//	imagerules.New(store)            implements images
//	invoke.New(store)                implements invoker; image file systems come from the store
//	seed.Plant(ctx, seed.Account{…}) is called once by Start, before serving
//
// seed.Account holds Do, Region, Account and Store:
//
//	Do func(ctx context.Context, call wire.Call, input any) (output any, err error)
//
// Do runs any Lambda operation in process: input is the SDK's *lambda.XxxInput,
// output its *lambda.XxxOutput; of call, only Region, Account, Now and Privileged
// are read, and empty ones get the server's. While seeding, states settle at
// once. Zip bytes that were given before are kept once.
package emulator
