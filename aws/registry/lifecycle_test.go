package registry

import "testing"

func TestExpires(t *testing.T) {
	rule := func(selection string) string {
		return `{"rules":[{"rulePriority":5,"selection":{` + selection + `,"countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`
	}
	for _, test := range []struct {
		policy string
		tags   []string
		want   string
	}{
		{"", nil, ""},
		{`{"rules":[]}`, nil, ""},
		{rule(`"tagStatus":"untagged"`), nil, "rule 5: untagged images: expire after 14 days (sinceImagePushed)"},
		{rule(`"tagStatus":"untagged"`), []string{"v1"}, ""},
		{rule(`"tagStatus":"any"`), []string{"v1"}, "rule 5: any images: expire after 14 days (sinceImagePushed)"},
		{rule(`"tagStatus":"tagged","tagPrefixList":["dev"]`), nil, ""},
		{rule(`"tagStatus":"tagged","tagPrefixList":["dev"]`), []string{"v1", "dev-2"}, "rule 5: tagged images: expire after 14 days (sinceImagePushed)"},
		{rule(`"tagStatus":"tagged","tagPrefixList":["dev","prod"]`), []string{"dev-2"}, ""},
		{rule(`"tagStatus":"tagged","tagPatternList":["*dev*"]`), []string{"a-dev-2"}, "rule 5: tagged images: expire after 14 days (sinceImagePushed)"},
		{rule(`"tagStatus":"tagged","tagPatternList":["*dev"]`), []string{"a-dev-2"}, ""},
		{rule(`"tagStatus":"something new"`), []string{"x"}, "rule 5: something new images: expire after 14 days (sinceImagePushed)"},
		{`{"rules":[{"rulePriority":9,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}},
			{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`, nil,
			"rule 1: untagged images: expire beyond the newest 1"},
	} {
		got, found, err := Expires(test.policy, test.tags...)
		if err != nil || got.Text != test.want || found != (test.want != "") {
			t.Errorf("%s with %v: %q, %v, %v; want %q", test.policy, test.tags, got.Text, found, err, test.want)
		}
	}
	if _, _, err := Expires("{"); err == nil {
		t.Error("half a policy is read")
	}
}
