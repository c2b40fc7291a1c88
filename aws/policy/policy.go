package policy

import (
	"slices"
	"strings"
)

// Scope narrows a policy down; what is empty stays open.
type Scope struct {
	Account    string // 12 digits
	Region     string
	Function   string // name of the one function
	Repository string // ECR repository
	Role       string // ARN of the functions' execution role
	Key        string // ARN of a KMS key
	Bucket     string // name of an S3 bucket
	Features   []Feature
}

// Document is an IAM policy.
type Document struct {
	Version   string
	Statement []Statement
}

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string `json:",omitempty"`
}

// For writes the policy for a level. Actions are sorted; one statement for each
// kind of resource.
func For(level Level, scope Scope) Document {
	doc := Document{Version: "2012-10-17"}
	for _, k := range []struct {
		resource Resource
		sid      string
	}{
		{Anything, "WithoutResource"}, {Function, "Functions"}, {LayerVersion, "Layers"}, {Mapping, "Mappings"},
		{Repository, "Repository"}, {Role, "Role"}, {Identity, "Identities"}, {Key, "Key"}, {Bucket, "Bucket"}, {Object, "Objects"},
		{Stack, "Stacks"},
	} {
		var actions []string
		for _, c := range Calls() {
			if c.Level <= level && c.Resource == k.resource && (c.Feature == "" || slices.Contains(scope.Features, c.Feature)) {
				actions = append(actions, c.Actions...)
			}
		}
		if len(actions) == 0 {
			continue
		}
		slices.Sort(actions)
		st := Statement{Sid: k.sid, Effect: "Allow", Action: slices.Compact(actions), Resource: scope.arns(k.resource, level)}
		if k.resource == Role {
			st.Condition = map[string]map[string]string{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
		}
		doc.Statement = append(doc.Statement, st)
	}
	return doc
}

// Actions lists every action of a level, sorted, without those of features.
func Actions(level Level) []string {
	var out []string
	for _, c := range Calls() {
		if c.Level <= level && c.Feature == "" {
			out = append(out, c.Actions...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s Scope) arns(r Resource, level Level) []string {
	prefix := func(service string) string {
		return "arn:" + partition(s.Region) + ":" + service + ":" + or(s.Region, "*") + ":" + or(s.Account, "*") + ":"
	}
	switch r {
	case Function:
		f := prefix("lambda") + "function:"
		switch {
		case s.Function == "":
			return []string{f + "*"}
		case level < Migrate:
			return []string{f + s.Function, f + s.Function + ":*"}
		}
		// The rehearsal's function and the one beside have names of their own, cut to
		// 64 characters (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html).
		beside, rehearsal := cut(s.Function, 58)+"-image", cut(s.Function, 49)+"-optlift-*"
		return []string{f + s.Function, f + s.Function + ":*", f + beside, f + beside + ":*", f + rehearsal}
	case LayerVersion: // layers may be of another account
		return []string{"arn:" + partition(s.Region) + ":lambda:" + or(s.Region, "*") + ":*:layer:*:*"}
	case Mapping:
		return []string{prefix("lambda") + "event-source-mapping:*"}
	case Repository:
		return []string{prefix("ecr") + "repository/" + or(s.Repository, "*")}
	case Role:
		return []string{or(s.Role, "arn:"+partition(s.Region)+":iam::"+or(s.Account, "*")+":role/*")}
	case Identity:
		iam := "arn:" + partition(s.Region) + ":iam::" + or(s.Account, "*")
		return []string{iam + ":role/*", iam + ":user/*"}
	case Bucket:
		return []string{"arn:" + partition(s.Region) + ":s3:::" + or(s.Bucket, "*")}
	case Object:
		return []string{"arn:" + partition(s.Region) + ":s3:::" + or(s.Bucket, "*") + "/*"}
	case Stack:
		return []string{prefix("cloudformation") + "stack/*"}
	case Key:
		return []string{or(s.Key, prefix("kms")+"key/*")}
	}
	return []string{"*"}
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// partition is the one that a region lies in
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html).
func partition(region string) string {
	for prefix, p := range map[string]string{"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b",
		"eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f"} {
		if strings.HasPrefix(region, prefix) {
			return p
		}
	}
	return "aws"
}
