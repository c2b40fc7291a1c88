package snapshot

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func attached(t *testing.T, kind, qualifier, name string, v any) Attachment {
	t.Helper()
	raw, err := Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return Attachment{Kind: kind, Qualifier: qualifier, Name: name, Reading: Present, Value: raw}
}

// Whatever refers to a version makes it one that is carried.
func TestCarried(t *testing.T) {
	s := &Snapshot{ARN: "arn"}
	for _, n := range []string{"1", "2", "3", "9", "10", "11"} {
		s.Versions = append(s.Versions, Version{Number: n})
	}
	s.Attachments = []Attachment{
		attached(t, KindAlias, "live", "live", types.AliasConfiguration{FunctionVersion: aws.String("10"),
			RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"9": 0.5}}}),
		attached(t, KindPolicy, "2", "", lambda.GetPolicyOutput{}),
		attached(t, KindMapping, "3", "uuid", types.EventSourceMappingConfiguration{}),
		attached(t, KindCode, "11", "", types.FunctionCodeLocation{}),
		{Kind: KindPolicy, Qualifier: "1", Reading: Absent},
	}
	if got, want := s.Carried(), []string{"2", "3", "9", "10"}; !slices.Equal(got, want) {
		t.Errorf("carries %v, want %v", got, want)
	}
}

func TestVersionsSortAsNumbers(t *testing.T) {
	c := capturer{snap: &Snapshot{Versions: []Version{{Number: "10"}, {Number: "9"}, {Number: "1"}}}}
	c.sort()
	if got := Numbers(c.snap.Versions); !slices.Equal(got, []string{"1", "9", "10"}) {
		t.Errorf("sorted %v", got)
	}
}

// The request's own parts are no part of the function.
func TestEncodeKeepsTheAnswerOnly(t *testing.T) {
	raw, err := Encode(lambda.GetPolicyOutput{Policy: aws.String("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != `{"Policy":"{}"}` {
		t.Errorf("kept %s", raw)
	}
	back, err := Decode[lambda.GetPolicyOutput](raw)
	if err != nil || aws.ToString(back.Policy) != "{}" {
		t.Errorf("got back %+v, %v", back, err)
	}
}

func TestUserTags(t *testing.T) {
	s := &Snapshot{Attachments: []Attachment{attached(t, KindTags, "", "", lambda.ListTagsOutput{Tags: map[string]string{
		"team": "a", "aws:cloudformation:stack-name": "s", "AWS:x": "y"}})}}
	tags, err := s.UserTags()
	if err != nil || len(tags) != 1 || tags["team"] != "a" {
		t.Errorf("%v, %v", tags, err)
	}
}

func TestSecrets(t *testing.T) {
	config, err := json.Marshal(types.FunctionConfiguration{Environment: &types.EnvironmentResponse{Variables: map[string]string{"A": "now"}}})
	if err != nil {
		t.Fatal(err)
	}
	old, err := json.Marshal(types.FunctionConfiguration{Environment: &types.EnvironmentResponse{Variables: map[string]string{"A": "then"}}})
	if err != nil {
		t.Fatal(err)
	}
	document := `{"Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"a","Condition":{"StringEquals":{"lambda:EventSourceToken":"token"}}}]}`
	s := &Snapshot{Config: config, Versions: []Version{{Number: "1", Config: old}},
		Attachments: []Attachment{attached(t, KindPolicy, "", "", lambda.GetPolicyOutput{Policy: &document})}}
	if got := strings.Join(s.Secrets(), " "); got != "now then token" {
		t.Errorf("secrets %q", got)
	}
}

func TestFunctionName(t *testing.T) {
	for _, good := range []string{"shop", "arn:aws:lambda:eu-central-1:123456789012:function:shop"} {
		if name, err := functionName(good, "eu-central-1"); err != nil || name != "shop" {
			t.Errorf("%s: %s, %v", good, name, err)
		}
	}
	for _, bad := range []string{"shop:live", "arn:aws:lambda:us-east-1:123456789012:function:shop",
		"arn:aws:lambda:eu-central-1:123456789012:function:shop:3", "arn:aws:sqs:eu-central-1:123456789012:shop"} {
		if name, err := functionName(bad, "eu-central-1"); err == nil {
			t.Errorf("%s is taken as %s", bad, name)
		}
	}
}
