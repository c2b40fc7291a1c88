// Package rights owns what IAM says of a caller: whose policies count, and which of
// the calls that the program makes they do not allow. It reads only.
//
// It imports aws/policy and aws/session.
package rights
