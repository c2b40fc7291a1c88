package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/optlift/optlift/aws/session"
)

// maxCode is more than any device's token code has.
const maxCode = 32

// askMFA asks the person at the terminal for the token code of a profile's role.
// While the screens are open nobody can be asked: their keys are not ours.
func (a *app) askMFA(profile string) (string, error) {
	if a.onScreen.Load() {
		return "", session.ErrMFAOver
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
		return "", errors.New("nothing was typed")
	}
	return code, nil
}
