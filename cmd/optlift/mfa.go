package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/ui"
)

// maxCode is more than any device's token code has.
const maxCode = 32

// askMFA asks the person at the terminal for the token code of a profile's role.
// While the screens are open they ask, and after that nobody can.
func (a *app) askMFA(profile string) (string, error) {
	if ask := a.ask.Load(); ask != nil {
		code, err := (*ask)(profile)
		if err != nil && !errors.Is(err, ui.ErrNotTyped) {
			err = session.ErrMFAOver
		}
		return strings.Join(strings.Fields(code), ""), err
	}
	if profile != "" {
		profile = " for profile " + printable(profile)
	}
	fmt.Fprintf(a.io.err, "MFA token code%s: ", profile)
	// Byte by byte: what follows the line is not ours to read.
	var line strings.Builder
	for line.Len() < maxCode {
		var b [1]byte
		n, err := a.io.in.Read(b[:])
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		line.Write(b[:n])
	}
	code := strings.Join(strings.Fields(line.String()), "")
	if code == "" {
		return "", ui.ErrNotTyped
	}
	return code, nil
}
