package policy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/policy"
	"github.com/optlift/optlift/aws/session"
)

// TestTableMatchesTheGuard: what the table calls a read passes the guard of a
// read-only session, and what it calls a write does not.
func TestTableMatchesTheGuard(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range policy.Calls() {
		if c.Operation == "" || seen[c.Service+" "+c.Operation] {
			t.Errorf("%+v has no operation, or is there twice", c)
		}
		seen[c.Service+" "+c.Operation] = true
		if c.Service == "" || c.Service == "registry" {
			continue // not through the SDK's clients
		}
		if read := session.IsRead(c.Service, c.Operation); read == c.Write {
			t.Errorf("%s %s: the guard takes it for a read: %v; the table says write: %v", c.Service, c.Operation, read, c.Write)
		}
		if c.Write && c.Level != policy.Migrate {
			t.Errorf("%s %s changes something, and is allowed at level %s", c.Service, c.Operation, c.Level)
		}
	}
}

func TestFor(t *testing.T) {
	audit := policy.For(policy.Audit, policy.Scope{})
	b, err := json.Marshal(audit)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"WithoutResource","Effect":"Allow","Action":["account:ListRegions","lambda:ListFunctions","lambda:ListLayerVersions","lambda:ListLayers"],"Resource":["*"]},` +
		`{"Sid":"Functions","Effect":"Allow","Action":["lambda:GetFunction","lambda:ListTags"],"Resource":["arn:aws:lambda:*:*:function:*"]},` +
		`{"Sid":"Layers","Effect":"Allow","Action":["lambda:GetLayerVersion"],"Resource":["arn:aws:lambda:*:*:layer:*:*"]}]}`
	if string(b) != want {
		t.Errorf("%s\nwant %s", b, want)
	}
	write := regexp.MustCompile(`:(Create|Delete|Put|Update|Add|Publish|Tag|Invoke|Set|Initiate|Upload|Complete|Pass)`)
	for _, level := range []policy.Level{policy.Audit, policy.Plan} {
		for _, a := range policy.Actions(level) {
			if write.MatchString(a) {
				t.Errorf("%s allows %s", level, a)
			}
		}
	}
	name := strings.Repeat("n", 64)
	doc := policy.For(policy.Migrate, policy.Scope{Account: "123456789012", Region: "us-gov-west-1", Function: name, Repository: "team/shop",
		Role: "arn:aws-us-gov:iam::123456789012:role/shop", Features: []policy.Feature{policy.KMS}})
	by := map[string]policy.Statement{}
	for _, s := range doc.Statement {
		by[s.Sid] = s
		if !slices.IsSorted(s.Action) || len(slices.Compact(slices.Clone(s.Action))) != len(s.Action) {
			t.Errorf("%s: %v", s.Sid, s.Action)
		}
	}
	f := "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:"
	if got := by["Functions"].Resource; !slices.Equal(got, []string{f + name, f + name + ":*", f + name[:58] + "-image", f + name[:58] + "-image:*", f + name[:49] + "-optlift-*"}) {
		t.Errorf("functions: %v", got)
	}
	if got := by["Repository"].Resource; !slices.Equal(got, []string{"arn:aws-us-gov:ecr:us-gov-west-1:123456789012:repository/team/shop"}) {
		t.Errorf("repository: %v", got)
	}
	if s := by["Role"]; !slices.Equal(s.Action, []string{"iam:PassRole"}) || s.Condition["StringEquals"]["iam:PassedToService"] != "lambda.amazonaws.com" {
		t.Errorf("role: %+v", s)
	}
	if s, ok := by["Key"]; !ok || !slices.Contains(s.Action, "kms:CreateGrant") {
		t.Errorf("key: %+v", s)
	}
	for _, s := range doc.Statement {
		if slices.Contains(s.Action, "ec2:DescribeVpcs") {
			t.Error("a feature that was not asked for is allowed")
		}
	}
}

// TestREADME: the lists for people say what the table says.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "### Permissions\n")
	if !ok {
		t.Fatal("the README has no section on permissions")
	}
	section, _, _ = strings.Cut(section, "\n##") // the next one, of whatever level
	blocks := regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) != 3 {
		t.Fatalf("the section has %d lists, not 3", len(blocks))
	}
	var sofar []string
	for i, level := range []policy.Level{policy.Audit, policy.Plan, policy.Migrate} {
		sofar = append(sofar, strings.Fields(blocks[i][1])...)
		listed := slices.Clone(sofar)
		slices.Sort(listed)
		for _, a := range policy.Actions(level) {
			if !slices.Contains(listed, a) {
				t.Errorf("the README's lists up to %s lack %s", level, a)
			}
		}
		for _, a := range listed {
			if !slices.Contains(policy.Actions(level), a) {
				t.Errorf("the README's lists up to %s have %s, which no call needs", level, a)
			}
		}
	}
}
