package main

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes, part of the program's contract.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3 // partly done, or over a threshold
	exitInterrupted = 130
)

// usageError is a mistake on the command line: exit 2.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// partlyError is work that ended with something missing or over a threshold:
// exit 3. Its message has been printed with the result where silent is set.
type partlyError struct {
	message string
	silent  bool
}

func (e partlyError) Error() string { return e.message }

// exitCode maps a command's error to the program's exit code.
func exitCode(err error) int {
	var usage usageError
	var partly partlyError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &partly):
		return exitPartly
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitFailed
	}
}
