package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func TestExplain(t *testing.T) {
	e := serve(t, false)
	s := open(t, Options{Unlimited: true})
	client := s.Lambda("eu-central-1")
	for _, c := range []struct {
		status  int
		code    string
		message string
		kind    Kind
		want    []string
	}{
		{404, "ResourceNotFoundException", "Function not found: arn:x", NotFound, []string{"read function f: Lambda GetFunction in eu-central-1: Function not found: arn:x (ResourceNotFoundException)"}},
		{403, "AccessDeniedException", "User: arn:aws:iam::1:user/me is not authorized", Denied, []string{"not authorized", "lambda:GetFunction"}},
		{403, "ExpiredTokenException", "The security token included in the request is expired", Expired, []string{"expired", "aws sso login"}},
		{403, "UnrecognizedClientException", "The security token included in the request is invalid.", NoCredentials, []string{"does not accept these credentials", "region is enabled"}},
		{429, "TooManyRequestsException", "Rate exceeded", Throttled, []string{"Rate exceeded", "throttling"}},
		{400, "InvalidParameterValueException", "bad\nvalue", Other, []string{"bad value"}},
		{403, "SomethingNew", "no", Denied, []string{"SomethingNew"}},
		{404, "", "", NotFound, []string{"GetFunction"}},
	} {
		e.mu.Lock()
		e.answer = fail(c.status, c.code, c.message)
		e.mu.Unlock()
		_, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("f")}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
		err = fmt.Errorf("read function f: %w", err)
		if KindOf(err) != c.kind {
			t.Errorf("%s: kind %d, want %d", c.code, KindOf(err), c.kind)
		}
		got := Explain(err)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", c.code, got, want)
			}
		}
		for _, noise := range []string{"operation error", "https response error", "RequestID", "\n"} {
			if strings.Contains(got, noise) {
				t.Errorf("%s: %q holds %q", c.code, got, noise)
			}
		}
	}
}

func TestExplainWhatNeverReachesAWS(t *testing.T) {
	check := func(name string, err error, kind Kind, want ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", name)
			return
		}
		if KindOf(err) != kind {
			t.Errorf("%s: kind %d, want %d: %v", name, KindOf(err), kind, err)
		}
		for _, w := range want {
			if got := Explain(err); !strings.Contains(got, w) || strings.Contains(got, "\n") {
				t.Errorf("%s: %q lacks %q", name, got, w)
			}
		}
	}
	serve(t, false)
	regions := []string{"eu-central-1"}
	_, err := Open(t.Context(), Options{})
	check("no region", err, Other, "AWS_REGION", "--region")
	_, err = Open(t.Context(), Options{Regions: []string{"eu-central-1.evil.example"}})
	check("a region that is none", err, Other, "not the name of an AWS region")
	_, err = Open(t.Context(), Options{Regions: []string{"all", "eu-central-1"}})
	check("all and one", err, Other, "either all")
	_, err = Open(t.Context(), Options{Regions: regions, Profile: "nobody"})
	check("no such profile", err, NoCredentials, `no AWS profile "nobody"`, "--profile nobody")

	config := `[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Reader
region = eu-central-1
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-central-1
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret
`
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Regions: regions, Profile: "sso"})
	check("not logged in", err, Expired, "SSO", "aws sso login --profile sso")
	_, err = Open(t.Context(), Options{Regions: regions, Profile: "mfa"})
	check("MFA without a way to ask", err, NoCredentials, "MFA")

	e := serve(t, false)
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	os.Unsetenv("AWS_SECRET_ACCESS_KEY")
	_, err = Open(t.Context(), Options{Regions: regions})
	check("no credentials", err, NoCredentials, "no usable AWS credentials", "aws configure", "AWS_PROFILE")

	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	e.account = "nobody"
	_, err = Open(t.Context(), Options{Regions: regions})
	check("an endpoint that is not AWS", err, Other, "names no account")
	e.Close()
	_, err = Open(t.Context(), Options{Regions: regions})
	check("nobody there", err, Unreachable, "STS GetCallerIdentity in eu-central-1: no answer from 127.0.0.1", "AWS_ENDPOINT_URL")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(ctx, Options{Regions: regions})
	if !errors.Is(err, context.Canceled) || KindOf(err) != Other {
		t.Error(err)
	}
}

func TestExplainKeepsOtherErrors(t *testing.T) {
	if got := Explain(errors.New("layer.zip: is not a zip archive")); got != "layer.zip: is not a zip archive" {
		t.Error(got)
	}
	if Explain(nil) != "" || KindOf(nil) != Other {
		t.Error("nil")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":       "plain text",
		"a\nb\tc\rd":       "a b c d",
		"\x1b[31mred\x07":  "[31mred",
		"evil\u202etxt.sh": "eviltxt.sh",
		"get https://b.s3.amazonaws.com/k?X-Amz-Signature=abc&X-Amz-Credential=x: no": "get https://b.s3.amazonaws.com/k no",
		"key AKIAIOSFODNN7EXAMPLE":                               "key (access key)",
		"Credential=AKIAIOSFODNN7EXAMPLE/2026, Signature=abcdef": "Credential=…, Signature=…",
		"Authorization: Basic QVdTOmV5SmhiR2NpT2lK":              "Authorization: Basic …",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}
