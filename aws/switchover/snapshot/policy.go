package snapshot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Statement is one statement of a resource policy.
type Statement struct {
	Sid       string                                `json:"Sid"`
	Effect    string                                `json:"Effect"`
	Principal json.RawMessage                       `json:"Principal"`
	Action    json.RawMessage                       `json:"Action"`
	Resource  json.RawMessage                       `json:"Resource"`
	Condition map[string]map[string]json.RawMessage `json:"Condition"`
	// Raw is the statement as the policy has it.
	Raw json.RawMessage `json:"-"`
}

// Statements reads the policy document inside the answer of GetPolicy or
// GetResourcePolicy.
func Statements(a Attachment) ([]Statement, error) {
	answer, err := Decode[struct{ Policy *string }](a.Value)
	if err != nil {
		return nil, fmt.Errorf("read the %s in the snapshot: %w", a.What(), err)
	}
	return ParsePolicy(aws.ToString(answer.Policy))
}

// ParsePolicy reads a policy document; its Statement may be one or several.
func ParsePolicy(document string) ([]Statement, error) {
	if document == "" {
		return nil, nil
	}
	var doc struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(document), &doc); err != nil {
		return nil, fmt.Errorf("read a resource policy: %w", err)
	}
	var raws []json.RawMessage
	if json.Unmarshal(doc.Statement, &raws) != nil {
		raws = []json.RawMessage{doc.Statement}
	}
	statements := make([]Statement, len(raws))
	for i, raw := range raws {
		if err := json.Unmarshal(raw, &statements[i]); err != nil {
			return nil, fmt.Errorf("read statement %d of a resource policy: %w", i+1, err)
		}
		statements[i].Raw = raw
	}
	return statements, nil
}

// ConditionValue returns the single value of one condition; keys match in any case.
func (s Statement) ConditionValue(operator, key string) string {
	for k, raw := range s.Condition[operator] {
		if strings.EqualFold(k, key) {
			return single(raw)
		}
	}
	return ""
}

// single returns the one string that raw is, or holds as a list of one.
func single(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil && len(list) == 1 {
		return list[0]
	}
	return ""
}

// Who returns the statement's only principal: a service, an ARN or "*".
func (s Statement) Who() string {
	if one := single(s.Principal); one != "" {
		return one
	}
	var kinds map[string]json.RawMessage
	if json.Unmarshal(s.Principal, &kinds) != nil || len(kinds) != 1 {
		return ""
	}
	for kind, raw := range kinds {
		if kind == "Service" || kind == "AWS" {
			return single(raw)
		}
	}
	return ""
}

// Policies that name a deleted user or role show its unique id in place of the
// ARN (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids).
var uniqueID = regexp.MustCompile(`^A(?:IDA|ROA|GPA|NPA)[A-Z0-9]{12,}$`)

// OfNobody reports whether the statement's principal is a user or role that no
// longer exists.
func (s Statement) OfNobody() bool { return uniqueID.MatchString(s.Who()) }

// Permission expresses the statement as an AddPermission call for one
// qualifier. why is set when that call can't express it: what it can is in
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html.
func (s Statement) Permission(function, qualifier string) (in *lambda.AddPermissionInput, why string) {
	switch {
	case s.Effect != "Allow":
		return nil, "its effect is " + s.Effect
	case s.Who() == "":
		return nil, "it names several principals, or a kind that AddPermission does not take"
	case single(s.Action) == "":
		return nil, "it names several actions"
	case s.Sid == "":
		return nil, "it has no statement id"
	}
	in = &lambda.AddPermissionInput{
		FunctionName: aws.String(function), StatementId: aws.String(s.Sid),
		Action: aws.String(single(s.Action)), Principal: aws.String(s.Who()),
	}
	if qualifier != "" {
		in.Qualifier = aws.String(qualifier)
	}
	for operator, keys := range s.Condition {
		for key, raw := range keys {
			value := single(raw)
			if value == "" {
				var flag bool
				if json.Unmarshal(raw, &flag) != nil {
					return nil, "its condition " + key + " has several values"
				}
				value = fmt.Sprint(flag)
			}
			switch strings.ToLower(operator + " " + key) {
			case "arnlike aws:sourcearn":
				in.SourceArn = &value
			case "stringequals aws:sourceaccount":
				in.SourceAccount = &value
			case "stringequals aws:principalorgid":
				in.PrincipalOrgID = &value
			case "stringequals lambda:functionurlauthtype":
				in.FunctionUrlAuthType = types.FunctionUrlAuthType(value)
			case "stringequals lambda:eventsourcetoken":
				in.EventSourceToken = &value
			case "bool lambda:invokedviafunctionurl":
				in.InvokedViaFunctionUrl = aws.Bool(strings.EqualFold(value, "true"))
			default:
				return nil, "AddPermission cannot express its condition " + operator + " " + key
			}
		}
	}
	return in, ""
}

// Policies returns the effective resource policy of each qualifier that has
// one. Where the endpoint has GetResourcePolicy its whole document counts: what
// AddPermission made is in it too.
func (s *Snapshot) Policies() (qualifiers []string, byQualifier map[string]Attachment) {
	byQualifier = map[string]Attachment{}
	for _, a := range append(s.All(KindPolicy), s.All(KindResourcePolicy)...) {
		if _, seen := byQualifier[a.Qualifier]; !seen {
			qualifiers = append(qualifiers, a.Qualifier)
		}
		byQualifier[a.Qualifier] = a
	}
	return qualifiers, byQualifier
}

// WholePolicies reports whether the endpoint can write a qualifier's policy as a
// whole document.
func (s *Snapshot) WholePolicies(qualifier string) bool {
	a, found := s.One(KindResourcePolicy, qualifier)
	return found && (a.Reading == Present || a.Reading == Absent && a.Message == "")
}
