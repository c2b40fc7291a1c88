// Package contract holds what is known of AWS's Lambda and ECR against an
// account that speaks their API: one set of checks over the SDK, each named
// after the fact it holds and the source that the fact stands on. The package
// is its tests; there is nothing to import.
//
// They always run against an embedded account of their own. To run them against
// something else:
//
//	OPTLIFT_CONTRACT_ENDPOINT  the endpoint, such as http://127.0.0.1:5000; "aws" for AWS's own
//	OPTLIFT_CONTRACT_READONLY  1: only the checks that read; the others are skipped by name
//	OPTLIFT_CONTRACT_PEER      whose differences are known: a key of the table in peers_test.go
//	OPTLIFT_CONTRACT_ROLE      ARN of a role that functions can be created with
//	OPTLIFT_CONTRACT_QUEUE     ARN of a queue that event source mappings can read
//
// Region and credentials are the SDK's own variables. The checks that write make
// everything under names that begin with "contract-", and delete it.
//
// A check that fails on a peer passes when the peer's table lists it, with what
// the peer does instead; one that is listed and no longer differs fails, so that
// the table stays true. The source that shows who is right is the check's.
//
// The checks wait for states by asking, never by moving a clock, and hold no
// time: what AWS leaves open, they leave open.
package contract
