// Package switchover moves a function from package type Zip to Image and back.
//
// A function's package type cannot be changed
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html), so a
// switch replaces the function. The package owns everything that makes this
// safe: Capture reads all that a function is and has attached; Backup keeps code
// and layers, verified; PlanFor is a pure function of what was captured; Apply
// walks the plan with a journal line on disk before and after each call that
// changes something; Rollback is a plan too.
package switchover
