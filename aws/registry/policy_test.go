package registry

import (
	"strings"
	"testing"
)

func TestWithPull(t *testing.T) {
	const functions = "arn:aws:lambda:eu-central-1:123456789012:function:"
	st := func(principal, action, more string) string {
		return `{"Version":"2012-10-17","Statement":[{"Sid":"LambdaECRImageRetrievalPolicy","Effect":"Allow","Principal":` + principal + `,"Action":` + action + more + `}]}`
	}
	const lambda, both = `{"Service":"lambda.amazonaws.com"}`, `["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]`
	for name, c := range map[string]struct {
		policy  string
		changed bool
	}{
		"none":                  {"", true},
		"as documented":         {st(lambda, both, ""), false},
		"a single statement":    {`{"Statement":{"Effect":"Allow","Principal":{"Service":["x.amazonaws.com","lambda.amazonaws.com"]},"Action":"ecr:*"}}`, false},
		"everybody":             {st(`"*"`, `"*"`, ""), false},
		"wildcards":             {st(lambda, `["ecr:BatchGet*","ECR:getdownloadurlforlayer"]`, ""), false},
		"half of it":            {st(lambda, `["ecr:BatchGetImage"]`, ""), true},
		"another service":       {st(`{"Service":"ecs.amazonaws.com"}`, both, ""), true},
		"an account":            {st(`{"AWS":"arn:aws:iam::123456789012:root"}`, both, ""), true},
		"denied":                {strings.Replace(st(lambda, both, ""), "Allow", "Deny", 1), true},
		"all functions of here": {st(lambda, both, `,"Condition":{"StringLike":{"aws:sourceArn":"`+functions+`*"}}`), false},
		"functions elsewhere":   {st(lambda, both, `,"Condition":{"StringLike":{"aws:sourceArn":"arn:aws:lambda:us-east-1:123456789012:function:*"}}`), true},
		"another condition":     {st(lambda, both, `,"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}`), true},
	} {
		merged, changed, err := withPull(c.policy, functions)
		if err != nil || changed != c.changed {
			t.Errorf("%s: changed %v, %v", name, changed, err)
			continue
		}
		if !changed && merged != c.policy {
			t.Errorf("%s: %s", name, merged)
		}
		if again, twice, err := withPull(merged, functions); err != nil || twice || again != merged {
			t.Errorf("%s: not enough: %s", name, merged)
		}
		if changed && c.policy != "" && strings.Count(merged, `"LambdaECRImageRetrievalPolicy"`) != 1 {
			t.Errorf("%s: one id twice: %s", name, merged)
		}
	}
	for _, bad := range []string{"not json", `{"Statement":["x"]}`, `{"Statement":7}`} {
		if _, _, err := withPull(bad, functions); err == nil {
			t.Errorf("%s is overwritten", bad)
		}
	}
}
