package zipdir

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest name and the longest component a Linux file system takes, in
// bytes (PATH_MAX and NAME_MAX of limits.h).
const (
	maxName      = 4096
	maxComponent = 255
)

// cleanName validates a name as the archive spells it and returns it without
// "./", doubled and trailing slashes. dir tells that its spelling makes it a
// directory. The root itself ("./") is cleaned to "".
//
// A backslash is an ordinary character, as it is for Linux, so a DOS archive's
// `a\b` is one file of that name. But what would climb or be rooted if it were
// a separator is refused, since another reader may take it for one.
func cleanName(raw string) (name string, dir bool, rule Rule, detail string) {
	switch {
	case raw == "":
		return "", false, RuleEmptyName, "an empty name"
	case len(raw) > maxName:
		return "", false, RuleLongName, fmt.Sprintf("%d bytes, at most %d", len(raw), maxName)
	case raw[0] == '/' || raw[0] == '\\':
		return "", false, RuleAbsolute, "starts with " + raw[:1]
	case len(raw) > 2 && raw[1] == ':' && (raw[2] == '/' || raw[2] == '\\') && isLetter(raw[0]):
		return "", false, RuleAbsolute, "starts with a drive letter"
	}

	var plain, backslash, wide = true, false, false
	start := 0
	for i := 0; i <= len(raw); i++ {
		if i < len(raw) {
			c := raw[i]
			switch {
			case c < 0x20 || c == 0x7f:
				return "", false, RuleControl, fmt.Sprintf("byte 0x%02x", c)
			case c >= utf8.RuneSelf:
				wide = true
			case c == '\\':
				backslash = true
			}
			if c != '/' {
				continue
			}
		}
		part := raw[start:i]
		switch {
		case part == "..":
			return "", false, RuleClimb, `holds ".."`
		case len(part) > maxComponent:
			return "", false, RuleLongName, fmt.Sprintf("a component of %d bytes, at most %d", len(part), maxComponent)
		case part == ".":
			plain = false
			dir = dir || (i == len(raw) && i > 1) // "a/.", and not "." alone
		case part == "" && i < len(raw):
			plain = false
		case part == "":
			dir = true // a trailing slash
		}
		start = i + 1
	}
	if backslash {
		for part := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == ".." {
				return "", false, RuleClimb, `holds ".." between backslashes`
			}
		}
	}
	if wide {
		if !utf8.ValidString(raw) {
			return "", false, RuleUTF8, "not valid UTF-8"
		}
		for _, r := range raw {
			if unicode.IsControl(r) {
				return "", false, RuleControl, fmt.Sprintf("%U", r)
			}
		}
	}
	if plain {
		return strings.TrimSuffix(raw, "/"), dir, "", ""
	}
	var b strings.Builder
	for part := range strings.SplitSeq(raw, "/") {
		if part == "" || part == "." {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(part)
	}
	return b.String(), dir, "", ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
