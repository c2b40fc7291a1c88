package sanitize

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"a\x1b[31mb\x1b[0mc":       "abc",
		"a\x1b]0;title\x07b":       "ab",
		"a\x1b]8;;http://x\x1b\\b": "ab",
		"a\u009b31mb":              "a31mb",
		"open\x1b]0;swallowed":     "open",
		"open\x1b]0;gone\nnext":    "open next",
		"tab\there":                "tab here",
		"two\r\nlines\nthree":      "two lines three",
		"nul\x00bell\x07del\x7f":   "nulbelldel",
		"bidi\u202eevil\u2066x":    "bidievilx",
		"zero\u200bwidth\ufeff":    "zerowidth",
		"宽字 e\u0301 ü":             "宽字 e\u0301 ü",
		"bad\xffutf8":              "bad\ufffdutf8",
		"real \ufffd stays":        "real \ufffd stays",
		"line\u2028sep":            "line sep",
		"tag\U000e0041":            "tag",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestWrapKeepsNamesWhole(t *testing.T) {
	got := Wrap("errors from arn:aws:lambda:eu-central-1:1:function:a-b", 42)
	if len(got) != 2 || got[1] != "arn:aws:lambda:eu-central-1:1:function:a-b" {
		t.Fatalf("%q", got)
	}
}

func TestTabs(t *testing.T) {
	for in, want := range map[string]string{"\tx": "    x", "ab\tx": "ab  x", "abcd\tx": "abcd    x", "宽\tx": "宽  x", "none": "none"} {
		if got := Tabs(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// Whatever comes in, what comes out is harmless, valid, and no wider than asked for.
func TestHarmless(t *testing.T) {
	parts := []string{"a", "宽", "e\u0301", "\x1b[31m", "\x1b]0;x\x07", "\x1b", "\x9b", "\u009b", "\n", "\t", "\x00", "\u202e", "👩‍👩‍👧", "🇩🇪", "\xff", " "}
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(parts), rapid.String())).Draw(t, "parts"), "")
		w := rapid.IntRange(0, 30).Draw(t, "w")
		for _, f := range []func(string, int) (string, int){Fit, FitLeft} {
			out, n := f(in, w)
			if n > w || ansi.StringWidth(out) != n {
				t.Fatalf("%q in %d columns became %q: %d columns, said to be %d", in, w, out, ansi.StringWidth(out), n)
			}
			if !utf8.ValidString(out) || strings.ContainsFunc(out, unicode.IsControl) {
				t.Fatalf("%q became %q", in, out)
			}
		}
		for _, line := range Wrap(in, w) {
			if ansi.StringWidth(line) > w || strings.ContainsFunc(line, unicode.IsControl) {
				t.Fatalf("%q wrapped to %d columns has %q", in, w, line)
			}
		}
	})
}
