// Package switchover moves a function from package type Zip to Image and back.
//
// A function's package type cannot be changed
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html), so a
// switch replaces the function. The package owns everything that makes this
// safe:
//
//   - Capture (package snapshot) reads all that a function is and has attached,
//     and keeps "not there", "not allowed to look" and "could not look" apart.
//   - PlanFor is a pure function of what was captured: steps in order, what
//     stands against them, what is lost.
//     Plan adds what only the account can tell: rights, role, concurrency,
//     repository, bucket.
//   - Apply walks the plan. A line is on disk before and after each call that
//     changes something, and every step looks before it acts, so that Resume goes
//     on from any point and Rollback comes back from any point.
//
// A Snapshot and a backup hold environment values: they are written owner-only
// and never printed. A Plan, a journal and an Event hold none.
//
// Rooms of their own hold what it captures (snapshot), what a function's
// configuration becomes in calls (settings), how the answers of a rehearsal compare
// (answer), what keeps two runs apart (lock), and what IAM says of a caller
// (aws/rights).
//
// It imports aws/session, aws/archive, aws/policy, aws/registry, aws/rights and the
// build rooms.
package switchover
