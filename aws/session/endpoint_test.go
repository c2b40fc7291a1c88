package session

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func TestEndpointTellsAWSFromOthers(t *testing.T) {
	for base, want := range map[string]string{
		"":                      "",
		"http://localhost:4566": "http://localhost:4566",
		"https://vpce-1.lambda.eu-west-1.vpce.amazonaws.com":    "",
		"https://lambda.cn-north-1.amazonaws.com.cn":            "",
		"https://amazonaws.com.evil.example":                    "https://amazonaws.com.evil.example",
		"https://lambda.eu-west-1.amazonaws.com.evil.example:1": "https://lambda.eu-west-1.amazonaws.com.evil.example:1",
	} {
		s := &Session{Regions: []string{"eu-west-1"}, lambdas: map[string]*lambda.Client{}, log: newLog()}
		if base != "" {
			s.cfg.BaseEndpoint = &base
		}
		if got := s.Endpoint(); got != want {
			t.Errorf("%q is taken for %q", base, got)
		}
	}
}
