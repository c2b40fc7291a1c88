// Package objects keeps the account's archives, each once by its SHA-256, and
// serves them behind presigned URLs as S3 does behind Lambda's: by GET only, with
// Range, conditional requests and expiry.
package objects
