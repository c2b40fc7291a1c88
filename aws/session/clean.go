package session

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	urlQuery  = regexp.MustCompile(`(https?://[^\s?"'<>]+)\?[^\s"'<>]*`)
	secrets   = regexp.MustCompile(`(?i)((?:X-Amz-[A-Za-z-]+|Credential|Signature|SecretAccessKey|SessionToken|password)=)[^\s,&;"']+`)
	accessKey = regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b`)
	bearer    = regexp.MustCompile(`(?i)\b(Bearer|Basic) [A-Za-z0-9+/=._~-]{8,}`)
)

// Clean makes remote text fit for one line of a terminal or a log: control and
// formatting characters become spaces or vanish, the query of a URL (a
// presigned URL is a password), access key ids and tokens are cut.
func Clean(s string) string {
	s = urlQuery.ReplaceAllString(s, "$1")
	s = secrets.ReplaceAllString(s, "${1}…")
	s = accessKey.ReplaceAllString(s, "(access key)")
	s = bearer.ReplaceAllString(s, "$1 …")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		case r == '\u2028' || r == '\u2029':
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
