package bucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// wire answers requests without a network and remembers them.
type wire struct {
	answers []func(*http.Request) *http.Response // the last one again and again
	got     []*http.Request
	bodies  []string
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(read)
	}
	w.got, w.bodies = append(w.got, r), append(w.bodies, body)
	return w.answers[min(len(w.got), len(w.answers))-1](r), nil
}

func answer(status int, body string, header ...string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}
	}
}

func open(t *testing.T, w *wire, env ...string) aws.Config {
	t.Helper()
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_PROFILE"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil { // put back by Setenv
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	for i := 0; i < len(env); i += 2 {
		t.Setenv(env[i], env[i+1])
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-central-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("AKID", "planted", "token")),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = w
	return cfg
}

func nothing(*middleware.Stack) error { return nil }

// The same calls by the SDK's own client go to the same place, in the same words.
func TestAsTheSDKDoes(t *testing.T) {
	const sum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" // of nothing
	for name, env := range map[string][]string{
		"AWS's own":              nil,
		"FIPS":                   {"AWS_USE_FIPS_ENDPOINT", "true"},
		"dual stack":             {"AWS_USE_DUALSTACK_ENDPOINT", "true"},
		"both":                   {"AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_DUALSTACK_ENDPOINT", "true"},
		"one endpoint":           {"AWS_ENDPOINT_URL", "http://localhost:4566"},
		"one for S3":             {"AWS_ENDPOINT_URL_S3", "https://s3.example:1/base"},
		"one for S3 before all":  {"AWS_ENDPOINT_URL", "http://localhost:4566", "AWS_ENDPOINT_URL_S3", "http://localhost:9000"},
		"configured, not wanted": {"AWS_ENDPOINT_URL_S3", "http://localhost:9000", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, region := range []string{"eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"} {
				for _, bucket := range []string{"backups", "with.dots"} {
					w := &wire{answers: []func(*http.Request) *http.Response{answer(200, "")}}
					cfg := open(t, w, env...)
					ours := New(cfg, region, nothing)
					theirs := s3.NewFromConfig(cfg, func(o *s3.Options) {
						o.Region = region
						o.UsePathStyle = o.BaseEndpoint != nil
					})
					key := "lambda/opt lift+ä/x~1.zip"
					_, err := ours.Region(t.Context(), bucket)
					_, err2 := theirs.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &bucket})
					if err == nil && err2 == nil {
						_, err = ours.Stat(t.Context(), bucket, key)
						_, err2 = theirs.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key, ChecksumMode: "ENABLED"})
					}
					if err == nil && err2 == nil {
						err = ours.Put(t.Context(), bucket, key, strings.NewReader(""), 0, sum)
						_, err2 = theirs.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(""),
							ContentType: aws.String("application/zip"), ChecksumSHA256: aws.String(sum)})
					}
					if (err == nil) != (err2 == nil) {
						t.Errorf("%s in %s: ours %v, theirs %v", bucket, region, err, err2)
						continue
					}
					for i := 0; i+1 < len(w.got); i += 2 {
						a, b := w.got[i], w.got[i+1]
						if strings.Replace(b.URL.RawQuery, "x-id=PutObject", "", 1) != a.URL.RawQuery {
							t.Errorf("query %q, theirs %q", a.URL.RawQuery, b.URL.RawQuery)
						}
						b.URL.RawQuery = ""
						if a.Method != b.Method || a.URL.String() != b.URL.String() {
							t.Errorf("%s %s, theirs %s %s", a.Method, a.URL, b.Method, b.URL)
						}
						if x, y := scope(a), scope(b); x != y {
							t.Errorf("signed for %s, theirs for %s", x, y)
						}
						for _, h := range []string{"X-Amz-Checksum-Mode", "X-Amz-Checksum-Sha256", "Content-Type", "X-Amz-Security-Token"} {
							if a.Header.Get(h) != b.Header.Get(h) {
								t.Errorf("%s %s: %q, theirs %q", a.Method, h, a.Header.Get(h), b.Header.Get(h))
							}
						}
					}
				}
			}
		})
	}
}

// scope is the region and the service of a signature.
func scope(r *http.Request) string {
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=AKID/")
	parts := strings.Split(after, "/")
	if len(parts) < 3 {
		return "nothing: " + r.Header.Get("Authorization")
	}
	return parts[1] + "/" + parts[2]
}

// A body is sent whole with each try, and signed by its hash.
func TestTriesAgain(t *testing.T) {
	w := &wire{answers: []func(*http.Request) *http.Response{answer(503, "<Error><Code>SlowDown</Code></Error>"), answer(500, ""), answer(200, "")}}
	c := New(open(t, w), "eu-central-1", nothing)
	if err := c.Put(t.Context(), "backups", "k", bytes.NewReader([]byte("abc")), 3, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="); err != nil {
		t.Fatal(err)
	}
	if len(w.got) != 3 || strings.Join(w.bodies, " ") != "abc abc abc" {
		t.Errorf("%d requests with %q", len(w.got), w.bodies)
	}
	if got := w.got[2].Header.Get("X-Amz-Content-Sha256"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("signed is %q", got)
	}
}

func TestAnswers(t *testing.T) {
	ask := func(a func(*http.Request) *http.Response, what func(*Client) error) (*wire, error) {
		w := &wire{answers: []func(*http.Request) *http.Response{a}}
		return w, what(New(open(t, w), "eu-central-1", nothing))
	}
	stat := func(c *Client) error { _, err := c.Stat(t.Context(), "b", "k"); return err }
	if _, err := ask(answer(404, ""), stat); !errors.Is(err, ErrNone) {
		t.Errorf("an object that is not there: %v", err)
	}
	if _, err := ask(answer(404, "<Error><Code>NoSuchKey</Code></Error>"), func(c *Client) error {
		_, err := c.Get(t.Context(), "b", "k")
		return err
	}); !errors.Is(err, ErrNone) {
		t.Errorf("an object that is not there: %v", err)
	}
	_, err := ask(answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"), stat)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" || errors.Is(err, ErrNone) {
		t.Errorf("refused: %v", err)
	}
	if _, err := ask(answer(403, "not XML at all"), stat); !errors.As(err, &api) || api.ErrorCode() != "Forbidden" {
		t.Errorf("refused without a word: %v", err)
	}
	w, _ := ask(answer(200, "", "x-amz-bucket-region", "sa-east-1"), func(c *Client) error {
		region, err := c.Region(t.Context(), "b")
		if region != "sa-east-1" {
			t.Errorf("region %q", region)
		}
		return err
	})
	if len(w.got) != 1 {
		t.Errorf("%d requests", len(w.got))
	}
	if err := New(open(t, &wire{}), "eu-central-1", nothing).Put(t.Context(), "b", "k", strings.NewReader(""), 0, "no base64!"); err == nil {
		t.Error("a checksum that is none was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(open(t, &wire{answers: []func(*http.Request) *http.Response{answer(503, "")}}), "eu-central-1", nothing).Region(ctx, "b"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// A directory bucket is signed in another way.
	if _, err := ask(answer(200, ""), func(c *Client) error { _, err := c.Region(t.Context(), "b--euc1-az1--x-s3"); return err }); err == nil || !strings.Contains(err.Error(), "general purpose") {
		t.Errorf("a directory bucket: %v", err)
	}
}
