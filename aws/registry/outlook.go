package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Risk is what a repository's lifecycle policy does to an image.
type Risk string

// The risks.
const (
	NoPolicy Risk = "none"    // nothing expires
	Safe     Risk = "safe"    // the policy does not reach the image
	AtRisk   Risk = "at-risk" // a rule will take the image away, sooner or later
	Unclear  Risk = "unknown" // a rule says something that is not understood here
)

// Outlook tells a lifecycle policy's risk for an image that is there and, for
// people, which rule takes it away and when.
type Outlook struct {
	Risk    Risk
	Message string
	// At is when a rule of age takes the image away; zero for the other rules.
	At time.Time
}

// lifecycleRule is a rule as
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
// has it.
type lifecycleRule struct {
	Priority  int `json:"rulePriority"`
	Selection struct {
		TagStatus string   `json:"tagStatus"`
		Prefixes  []string `json:"tagPrefixList"`
		Patterns  []string `json:"tagPatternList"`
		CountType string   `json:"countType"`
		CountUnit string   `json:"countUnit"`
		Count     int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

// lifecycleRules reads a lifecycle policy; the rules come by priority.
func lifecycleRules(policy string) ([]lifecycleRule, error) {
	var doc struct {
		Rules []lifecycleRule `json:"rules"`
	}
	if err := json.Unmarshal([]byte(policy), &doc); err != nil {
		return nil, fmt.Errorf("read the lifecycle policy: %w", err)
	}
	slices.SortFunc(doc.Rules, func(a, b lifecycleRule) int { return cmp.Compare(a.Priority, b.Priority) })
	return doc.Rules, nil
}

// OutlookOf holds an image of a repository against the repository's lifecycle
// policy ("" is none); all are the repository's images. An image belongs to the
// first rule, by priority, that its tags match: later rules leave it alone.
func OutlookOf(policy string, image Stored, all []Stored) Outlook {
	if policy == "" {
		return Outlook{Risk: NoPolicy, Message: "no lifecycle policy"}
	}
	rules, err := lifecycleRules(policy)
	if err != nil {
		return Outlook{Risk: Unclear, Message: err.Error()}
	}
	for i, r := range rules {
		if !r.selects(image) {
			continue
		}
		// What an earlier rule has taken counts for this one all the same, but
		// which images those are is not asked here: the rule's own ones are counted.
		return r.outlook(image, slices.DeleteFunc(slices.Clone(all), func(s Stored) bool {
			return !r.selects(s) || slices.ContainsFunc(rules[:i], func(before lifecycleRule) bool { return before.selects(s) })
		}))
	}
	return Outlook{Risk: Safe, Message: "the lifecycle policy does not select it"}
}

// selects reports whether an image's tags are what the rule asks for. Of several
// prefixes or patterns an image must have a tag for each.
func (r *lifecycleRule) selects(s Stored) bool {
	switch r.Selection.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(s.Tags) == 0
	case "tagged":
	default:
		return true // not understood: rather too careful
	}
	return matchesAll(s.Tags, r.Selection.Prefixes, r.Selection.Patterns)
}

// outlook is what the rule does to an image that it selects; group are all that it
// selects.
func (r *lifecycleRule) outlook(image Stored, group []Stored) Outlook {
	n := r.Selection.Count
	does := "expires it"
	switch r.Action.Type {
	case "expire":
	case "transition":
		does = "moves it to the archive, from where Lambda can't load it,"
	default:
		return Outlook{Risk: Unclear, Message: fmt.Sprintf("rule %d of the lifecycle policy does %q, which is not understood here", r.Priority, r.Action.Type)}
	}
	rule := fmt.Sprintf("rule %d of the lifecycle policy %s", r.Priority, does)
	switch r.Selection.CountType {
	case "sinceImagePushed":
		if r.Selection.CountUnit != "days" {
			break
		}
		at := image.Pushed.AddDate(0, 0, n)
		return Outlook{Risk: AtRisk, At: at, Message: fmt.Sprintf("%s %d days after it was pushed, on %s", rule, n, at.Format(time.DateOnly))}
	case "sinceImagePulled":
		return Outlook{Risk: AtRisk, Message: fmt.Sprintf("%s %d days after it was last pulled", rule, n)}
	case "imageCountMoreThan":
		newer := 0
		for _, s := range group {
			if s.Digest != image.Digest && s.Pushed.After(image.Pushed) {
				newer++
			}
		}
		if left := n - newer; left > 0 {
			return Outlook{Risk: AtRisk, Message: fmt.Sprintf("%s when %d more images were pushed: it keeps the newest %d", rule, left, n)}
		}
		return Outlook{Risk: AtRisk, Message: fmt.Sprintf("%s any moment: it keeps the newest %d, and %d are newer", rule, n, newer)}
	case "sinceImageTransitioned":
		return Outlook{Risk: Safe, Message: fmt.Sprintf("rule %d of the lifecycle policy is for archived images", r.Priority)}
	}
	return Outlook{Risk: Unclear, Message: fmt.Sprintf("rule %d of the lifecycle policy counts by %q, which is not understood here", r.Priority, r.Selection.CountType)}
}
