package account

import (
	"fmt"
	"slices"
)

// Severities, worst first.
const (
	Error   = "error"
	Warning = "warning"
	Note    = "note"
)

// Rule is one thing that can be wrong with a function.
type Rule struct {
	ID       string
	Severity string
	Title    string // what it looks for
	Remedy   string
	Docs     string
	// check returns one message for each place where the rule is broken.
	check func(s *subject) []string
}

// Rules lists every rule, in the order of their findings.
func Rules() []Rule {
	return slices.Concat(sizeRules(), archiveRules(), runtimeRules(), programRules(), headRules(), contentRules(), packageRules())
}

const (
	docsLimits     = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
	docsLayers     = "https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"
	docsDelete     = "https://docs.aws.amazon.com/lambda/latest/dg/deleting-layers.html"
	docsRuntimes   = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
	docsExtensions = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html"
	docsWrapper    = "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html"
	docsPermission = "https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"
	docsTags       = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html"
	docsArch       = "https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html"
	docsEnv        = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html"
)

// judge applies every rule. The result is never nil.
func judge(s *subject) []Finding {
	findings := []Finding{}
	for _, r := range Rules() {
		for _, message := range r.check(s) {
			findings = append(findings, Finding{ID: r.ID, Severity: r.Severity, Message: message, Remedy: r.Remedy, Docs: r.Docs})
		}
	}
	return findings
}

func one(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

// some lists the first few of many.
func some(names []string) string {
	const shown = 3
	text := ""
	for i, n := range names {
		if i == shown {
			return text + fmt.Sprintf(" and %d more", len(names)-shown)
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%q", n)
	}
	return text
}
