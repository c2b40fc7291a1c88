package registry

import (
	"fmt"
	"slices"
	"strings"
)

// Expiry is a rule of a lifecycle policy under which ECR deletes an image.
type Expiry struct {
	Priority int
	Text     string // what it says, for people
}

// Expires returns the first rule of a lifecycle policy that would delete an image
// with these tags, none for one that is known by its digest only; found is false
// when no rule would. What ECR archives instead can't be pulled either, and
// counts. The rules are those of
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html.
func Expires(policy string, tags ...string) (rule Expiry, found bool, err error) {
	if strings.TrimSpace(policy) == "" {
		return Expiry{}, false, nil
	}
	rules, err := lifecycleRules(policy)
	if err != nil {
		return Expiry{}, false, err
	}
	for _, r := range rules {
		if !r.selects(Stored{Tags: tags}) {
			continue
		}
		s := r.Selection
		span := fmt.Sprintf("beyond the newest %d", s.Count)
		if s.CountType != "imageCountMoreThan" {
			span = fmt.Sprintf("after %d %s (%s)", s.Count, s.CountUnit, s.CountType)
		}
		return Expiry{r.Priority, strings.TrimSpace(fmt.Sprintf("rule %d: %s images: %s %s", r.Priority, s.TagStatus, r.Action.Type, span))}, true, nil
	}
	return Expiry{}, false, nil
}

// matchesAll reports whether an image's tags satisfy a rule for tagged images:
// each prefix, or each pattern, must fit one of them.
func matchesAll(tags, prefixes, patterns []string) bool {
	if len(tags) == 0 {
		return false
	}
	for _, p := range prefixes {
		if !slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, p) }) {
			return false
		}
	}
	for _, p := range patterns {
		if !slices.ContainsFunc(tags, func(tag string) bool { return wildcard(p, tag) }) {
			return false
		}
	}
	return true
}

// wildcard matches a text against a pattern in which * is any text.
func wildcard(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	tail, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for i := 0; i <= len(tail); i++ {
		if wildcard(rest, tail[i:]) {
			return true
		}
	}
	return false
}
