package zipdir

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Rule names what an archive broke. Its text is the predicate of a sentence
// whose subject is the entry, or the archive.
type Rule string

// Rules about the archive as a whole.
const (
	RuleNotZip    Rule = "is not a zip archive"
	RuleAmbiguous Rule = "has more than one end record"
	RuleMultiDisk Rule = "spans several disks"
	RuleDirectory Rule = "has a damaged central directory"
	RuleOffset    Rule = "has offsets that lead to the wrong place"
	RuleCount     Rule = "counts its entries wrongly"
	RuleTooMany   Rule = "has more entries than can be handled"
	RuleBomb      Rule = "unpacks to more than is reasonable"
)

// Rules about an entry's name and place in the tree.
const (
	RuleEmptyName Rule = "has no name"
	RuleAbsolute  Rule = "has an absolute name"
	RuleClimb     Rule = "climbs above the root"
	RuleUTF8      Rule = "has a name that is not UTF-8"
	RuleControl   Rule = "has a control character in its name"
	RuleLongName  Rule = "has a name that is too long"
	RuleDuplicate Rule = "is listed twice"
	RuleClash     Rule = "is a file where another entry needs a directory"
	RuleUnderLink Rule = "is a symlink with another entry under it"
)

// Rules about what an entry is and how it is stored.
const (
	RuleEncrypted Rule = "is encrypted"
	RuleMethod    Rule = "is compressed with an unsupported method"
	RuleSpecial   Rule = "is a device, socket or pipe"
	RuleKind      Rule = "contradicts itself about what it is"
	RuleSize      Rule = "has sizes that can't be true"
	RuleOverlap   Rule = "overlaps what follows it"
	RuleLink      Rule = "is a symlink without a usable target"
	RuleLinkClimb Rule = "is a symlink that climbs above the root"
)

// Rules that only reading an entry's own bytes can tell.
const (
	RuleHeader Rule = "has a local header that disagrees with the directory"
	RuleStream Rule = "has a broken deflate stream"
	RuleLength Rule = "does not unpack to the size it claims"
	RuleCRC    Rule = "has a wrong CRC-32"
)

// Error is a refusal: which archive, which entry, which rule, and what was found.
type Error struct {
	Archive string
	Entry   string // as the archive spells it; "" when the archive as a whole is at fault
	Rule    Rule
	Detail  string
}

// Error is one line that is safe to print: names are quoted as soon as they
// hold anything a terminal would act upon.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(printable(e.Archive))
	if e.Entry != "" {
		b.WriteString(": entry ")
		b.WriteString(quote(e.Entry))
		b.WriteByte(':')
	}
	b.WriteByte(' ')
	b.WriteString(string(e.Rule))
	if e.Detail != "" {
		b.WriteString(" (")
		b.WriteString(e.Detail)
		b.WriteByte(')')
	}
	return b.String()
}

// quote makes a name from an archive printable and short enough for one message.
func quote(s string) string {
	const head, tail = 100, 50
	if len(s) > head+tail+10 {
		return strconv.Quote(s[:head]) + "…" + strconv.Quote(s[len(s)-tail:])
	}
	return strconv.Quote(s)
}

// printable leaves a path or an ARN as people typed it, unless it holds control characters.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func (d *Directory) refuse(entry string, rule Rule, format string, args ...any) *Error {
	return &Error{Archive: d.Name, Entry: entry, Rule: rule, Detail: fmt.Sprintf(format, args...)}
}
