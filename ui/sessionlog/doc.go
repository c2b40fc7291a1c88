// Package sessionlog keeps what went wrong in this session, and shows it.
package sessionlog
