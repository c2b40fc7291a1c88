// Package ecr is ECR's JSON API over the registry of package oci: repositories
// with their settings and policies, images as ECR describes them, and tokens. The
// messages are ECR's own.
//
// It serves every account and region on one registry: repositories of the home
// account and region are "HOST/NAME", all others carry their region, and their
// account where it is another, in front of the name.
package ecr
