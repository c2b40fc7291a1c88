package main

import (
	"encoding/json"
	"io"
	"os"

	"golang.org/x/term"
)

// streams are the program's three files and what is known of them, so that a
// test can stand in for a terminal or a pipe.
type streams struct {
	in       io.Reader
	out      io.Writer
	err      io.Writer
	inTTY    bool
	outTTY   bool
	errTTY   bool
	outWidth int // columns; 0 when out is no terminal
}

func systemStreams() *streams {
	s := &streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		inTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		outTTY: term.IsTerminal(int(os.Stdout.Fd())),
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if s.outTTY {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.outWidth = w
		}
	}
	return s
}

// printJSON writes v as one indented document. HTML escaping is off: file names
// are for programs, not for browsers.
func (s *streams) printJSON(v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
