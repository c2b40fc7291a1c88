// Package sessionlog keeps what went wrong in this session, and shows it with the
// AWS calls that were made. What it is given holds no secret.
package sessionlog
