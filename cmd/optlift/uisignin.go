package main

import (
	"strings"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/ui"
)

// refusal tells on a screen why there is no account.
func refusal(err error) *ui.Refusal {
	what, next := session.Split(err)
	// On a screen that says so already, what was being done reads as an instruction.
	what = strings.TrimPrefix(what, session.WhoIsIt+": ")
	r := &ui.Refusal{Title: "Not signed in", Why: []string{sentence(what)}, Type: session.Commands(err), Err: err}
	switch session.KindOf(err) {
	case session.NoCredentials:
		r.Title = "No credentials"
	case session.Expired:
		r.Title = "The login has expired"
	case session.Denied:
		r.Title = "Not allowed to sign in"
	case session.Unreachable:
		r.Title = "AWS can't be reached"
	}
	if len(r.Type) == 0 {
		r.Next = sentence(next)
	}
	return r
}

// sentence makes a line of a message stand alone.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
