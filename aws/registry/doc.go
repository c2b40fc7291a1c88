// Package registry owns the way into ECR: the repository, Lambda's right to
// pull from it, credentials, and the push. It imports aws/session and
// go-containerregistry.
package registry
