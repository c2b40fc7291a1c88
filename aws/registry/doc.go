// Package registry owns the way into ECR: the repository, Lambda's right to
// pull from it, credentials, and the push, whose layers may leave while their
// image is still made. It imports aws/session and go-containerregistry.
package registry
