// Package s3 is as much of S3 as code for Lambda needs: buckets of an account in
// a region, and whole objects put, read, headed and deleted, by path or by host
// name. Listing, versions and multipart uploads are answered NotImplemented.
//
// Errors are S3's own (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
package s3
