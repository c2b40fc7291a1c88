package registry

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestOutlookOf(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	ours := Stored{Digest: "sha256:a", Tags: []string{"optlift-0123456789ab"}, Pushed: day(3)}
	all := []Stored{ours, {Digest: "sha256:b", Tags: []string{"optlift-b"}, Pushed: day(5)}, {Digest: "sha256:c", Tags: []string{"dev-1"}, Pushed: day(6)},
		{Digest: "sha256:d", Pushed: day(9)}}
	rule := func(priority int, selection, action string) string {
		return fmt.Sprintf(`{"rulePriority":%d,"selection":{%s},"action":{"type":%q}}`, priority, selection, action)
	}
	for _, c := range []struct {
		name, policy string
		risk         Risk
		says         string
	}{
		{"no policy", "", NoPolicy, "no lifecycle policy"},
		{"not JSON", "{", Unclear, "read the lifecycle policy"},
		{"untagged only", rule(1, `"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1`, "expire"), Safe, "does not select"},
		{"another prefix", rule(1, `"tagStatus":"tagged","tagPrefixList":["dev"],"countType":"imageCountMoreThan","countNumber":1`, "expire"), Safe, "does not select"},
		{"two prefixes, one tag", rule(1, `"tagStatus":"tagged","tagPrefixList":["optlift","x"],"countType":"imageCountMoreThan","countNumber":1`, "expire"), Safe, "does not select"},
		{"age", rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":14`, "expire"), AtRisk, "on 2026-01-17"},
		{"age by pull", rule(1, `"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":14`, "expire"), AtRisk, "14 days after it was last pulled"},
		{"count, some left", rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5`, "expire"), AtRisk, "when 2 more images were pushed"},
		{"count, none left", rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3`, "expire"), AtRisk, "any moment"},
		{"count of the rule's own", rule(1, `"tagStatus":"tagged","tagPatternList":["optlift-*"],"countType":"imageCountMoreThan","countNumber":3`, "expire"), AtRisk, "when 2 more"},
		{"pattern", rule(1, `"tagStatus":"tagged","tagPatternList":["*lift*9ab"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1`, "expire"), AtRisk, "on 2026-01-04"},
		{"pattern with a question mark", rule(1, `"tagStatus":"tagged","tagPatternList":["optlift-?*"],"countType":"sinceImagePushed","countUnit":"days","countNumber":1`, "expire"), Safe, "does not select"},
		{"archive", rule(1, `"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":90`, "transition"), AtRisk, "archive, from where Lambda can't load it, 90 days after it was pushed, on 2026-04-03"},
		{"a rule that protects", rule(2, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1`, "expire") + "," +
			rule(1, `"tagStatus":"tagged","tagPrefixList":["optlift"],"countType":"imageCountMoreThan","countNumber":9999`, "expire"), AtRisk, "rule 1 of the lifecycle policy expires it when 9998 more"},
		{"of archived images", rule(1, `"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":9`, "expire"), Safe, "archived"},
		{"a new kind of count", rule(1, `"tagStatus":"any","countType":"sinceMoonWasFull","countNumber":9`, "expire"), Unclear, "sinceMoonWasFull"},
		{"a new kind of action", rule(1, `"tagStatus":"any","countType":"imageCountMoreThan","countNumber":9`, "hide"), Unclear, `"hide"`},
	} {
		policy := c.policy
		if strings.HasPrefix(policy, `{"rule`) {
			policy = `{"rules":[` + policy + `]}`
		}
		if got := OutlookOf(policy, ours, all); got.Risk != c.risk || !strings.Contains(got.Message, c.says) || got.At.IsZero() == strings.Contains(c.says, "on 2026-") {
			t.Errorf("%s: %+v, want %s: %s", c.name, got, c.risk, c.says)
		}
	}
}
