// Package s3 is as much of S3 as code for Lambda needs: buckets of an account in
// a region, with or without versions; whole objects and multipart uploads, put,
// copied, read, headed and deleted; listings by pages. Paths may name the bucket,
// or the host name. What configures a bucket otherwise is answered NotImplemented.
//
// Objects are held in memory, as the rest of the account is; uploads that were
// not completed are no part of the saved state.
//
// Operations are those of docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html,
// errors those of docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; their
// texts are as LocalStack has recorded them from AWS (tests/aws/services/s3, the
// tests that are named here).
package s3
