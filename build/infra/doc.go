// Package infra writes a function of package type Image, with what is attached to
// it, in the languages that infrastructure is written in: CloudFormation, SAM, CDK
// (TypeScript), Terraform and calls of the AWS CLI. It is for what comes after a
// switch: the account has changed, and the code that describes it has to follow.
//
// The outputs are pure functions of a Function, which is plain data. Environment
// values and tokens are not in it: each becomes a parameter that is not echoed.
//
// One template, in memory, is what CloudFormation, SAM and CDK are written from,
// so that they can't differ. It imports nothing of the house.
package infra
