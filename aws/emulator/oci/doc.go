// Package oci is a container registry behind ECR's manners: content-addressed
// blobs, uploads spooled to disk, manifests by tag and digest, Basic
// authentication with a twelve-hour token, and ECR's own error texts.
//
// It owns blobs, manifests and tags, and knows nothing of ECR's JSON API, which
// package ecr lays over it. Repositories are either ECR repositories, which need
// the token, or public ones, which are read-only and need none.
package oci
