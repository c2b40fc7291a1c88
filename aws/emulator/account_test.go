package emulator_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/optlift/optlift/aws/emulator"
)

const (
	role    = "arn:aws:iam::123456789012:role/service-role/runner"
	prefix  = "arn:aws:lambda:eu-central-1:123456789012:"
	waiting = time.Hour // how long changes take, until a test moves the clock
)

// account is an empty account with clients. Changes stay under way until pass.
type account struct {
	*testing.T
	server *emulator.Server
	lambda *lambda.Client
}

func open(t *testing.T, opts emulator.Options) account {
	t.Helper()
	if opts.Delay == 0 {
		opts.Delay = waiting
	}
	s, err := emulator.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return account{T: t, server: s, lambda: client(s, "eu-central-1", "AKIATEST")}
}

func client(s *emulator.Server, region, key string) *lambda.Client {
	return lambda.New(lambda.Options{
		Region: region, BaseEndpoint: aws.String(s.URL()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
		HTTPClient:  awshttp.NewBuildableClient(),
	})
}

// pass lets everything that is under way come to its end.
func (a account) pass() { a.server.Advance(2 * waiting) }

// zipped makes an archive of name, content pairs.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := zw.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const script = "exports.handler = async (event) => ({hello: event.name})"

func (a account) input(name string) *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(role), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipped(a, "index.js", script)},
	}
}

// create makes a function and waits until it is Active.
func (a account) create(name string, change ...func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionOutput {
	a.Helper()
	in := a.input(name)
	for _, c := range change {
		c(in)
	}
	out, err := a.lambda.CreateFunction(a.Context(), in)
	if err != nil {
		a.Fatal(err)
	}
	a.pass()
	return out
}

func (a account) layer(name string, content []byte) string {
	a.Helper()
	out, err := a.lambda.PublishLayerVersion(a.Context(), &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: content},
	})
	if err != nil {
		a.Fatal(err)
	}
	return *out.LayerVersionArn
}

func (a account) get(name string) *lambda.GetFunctionOutput {
	a.Helper()
	out, err := a.lambda.GetFunction(a.Context(), &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		a.Fatal(err)
	}
	return out
}

// must fails the test on an error and returns the value.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// refused checks AWS's code, HTTP status and a part of the message.
func refused(t testing.TB, err error, code string, status int, message string) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if api.ErrorCode() != code || response.HTTPStatusCode() != status || !strings.Contains(api.ErrorMessage(), message) {
		t.Fatalf("got %d %s: %s\nwant %d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code, message)
	}
}

// fetch asks for a URL with further headers, given as name, value pairs.
func fetch(t testing.TB, method, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	return res, b.Bytes()
}
