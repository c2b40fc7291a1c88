// Package functions is the Lambda of the embedded account: functions, versions,
// aliases, layers, policies, mappings and all that hangs on them, per account
// and region, with the states they pass through and the refusals AWS is known
// to give.
//
// Sources, by which the comments name what a rule stands on: "recorded" is a
// response recorded on AWS and published with LocalStack's tests, with the
// test's name; "SDK" is the documentation in aws-sdk-go-v2/service/lambda;
// "quotas" is docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
// A message without a source is ours, in AWS's manner, because none is known.
package functions
