package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// pullSid names the statement as AWS's own documentation does
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#images-permissions).
const pullSid = "LambdaECRImageRetrievalPolicy"

// pullActions is what Lambda needs to fetch an image.
var pullActions = []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// oneOrMany reads what policies write as a string or a list of strings.
type oneOrMany []string

func (l *oneOrMany) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*l = oneOrMany{s}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// statement is the part of a policy statement that decides whether Lambda may pull.
type statement struct {
	Sid       string
	Effect    string
	Action    oneOrMany
	Principal json.RawMessage
	Condition json.RawMessage
}

// withPull returns the policy with a statement that lets Lambda pull for the
// functions whose ARNs start with functions ("arn:aws:lambda:R:A:function:"),
// and whether it had to be added. Statements that are there are kept as they
// are, byte by byte.
func withPull(policy, functions string) (merged string, changed bool, err error) {
	doc := map[string]json.RawMessage{}
	if strings.TrimSpace(policy) != "" {
		if err := json.Unmarshal([]byte(policy), &doc); err != nil {
			return "", false, fmt.Errorf("it is not JSON: %w", err)
		}
	}
	var raw []json.RawMessage
	if s := doc["Statement"]; len(s) > 0 && s[0] == '{' {
		raw = []json.RawMessage{s}
	} else if len(s) > 0 {
		if err := json.Unmarshal(s, &raw); err != nil {
			return "", false, fmt.Errorf("its statements can't be read: %w", err)
		}
	}
	var sids []string
	allowed := map[string]bool{}
	for _, r := range raw {
		var st statement
		if err := json.Unmarshal(r, &st); err != nil {
			return "", false, fmt.Errorf("one of its statements can't be read: %w", err)
		}
		sids = append(sids, st.Sid)
		for _, a := range st.grants(functions) {
			allowed[a] = true
		}
	}
	if allowed[pullActions[0]] && allowed[pullActions[1]] {
		return policy, false, nil
	}
	sid := pullSid
	for n := 2; slices.Contains(sids, sid); n++ {
		sid = fmt.Sprintf("%s%d", pullSid, n)
	}
	add, err := json.Marshal(map[string]any{
		"Sid": sid, "Effect": "Allow",
		"Principal": map[string]string{"Service": "lambda.amazonaws.com"},
		"Action":    pullActions,
	})
	if err != nil {
		return "", false, err
	}
	if doc["Statement"], err = json.Marshal(append(raw, add)); err != nil {
		return "", false, err
	}
	if doc["Version"] == nil {
		doc["Version"] = json.RawMessage(`"2012-10-17"`)
	}
	b, err := json.Marshal(doc)
	return string(b), true, err
}

// grants lists which of pullActions the statement allows to Lambda. The one
// condition that is understood limits the grant to functions, as the statement
// does that Lambda itself adds; another one may or may not hold, and is not
// relied on: one more statement does no harm.
func (s statement) grants(functions string) []string {
	if s.Effect != "Allow" || !s.forLambda() || !holds(s.Condition, functions) {
		return nil
	}
	var out []string
	for _, want := range pullActions {
		for _, a := range s.Action {
			prefix, star := strings.CutSuffix(a, "*")
			if strings.EqualFold(a, want) || star && strings.HasPrefix(strings.ToLower(want), strings.ToLower(prefix)) {
				out = append(out, want)
				break
			}
		}
	}
	return out
}

// holds reports whether a condition lets every function of the prefix pass.
func holds(condition json.RawMessage, functions string) bool {
	var operators map[string]map[string]oneOrMany
	if len(condition) == 0 {
		return true
	}
	if json.Unmarshal(condition, &operators) != nil {
		return false
	}
	for operator, keys := range operators {
		if operator != "StringLike" && operator != "ArnLike" {
			return false
		}
		for key, values := range keys {
			if !strings.EqualFold(key, "aws:SourceArn") || !slices.Contains(values, functions+"*") {
				return false
			}
		}
	}
	return true
}

func (s statement) forLambda() bool {
	var any string
	if json.Unmarshal(s.Principal, &any) == nil {
		return any == "*"
	}
	var p struct{ Service oneOrMany }
	return json.Unmarshal(s.Principal, &p) == nil && slices.Contains(p.Service, "lambda.amazonaws.com")
}
