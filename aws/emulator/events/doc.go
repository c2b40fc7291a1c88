// Package events is the queue between an asynchronous invocation and its
// function: when an event is tried again, when it is given up, and what is then
// sent where. It runs no function and knows no account: whoever makes a Queue
// says how an attempt is made and how something is delivered.
//
// The rules are those of
// docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and
// docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
// It imports wire for what an attempt answers, and nothing else of the account's.
package events
