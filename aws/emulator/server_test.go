package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/optlift/optlift/aws/emulator"
)

func TestIdentity(t *testing.T) {
	a := open(t, emulator.Options{Account: "111122223333"})
	for key, want := range map[string]string{"AKIATEST": "111122223333", "444455556666": "444455556666"} {
		c := sts.New(sts.Options{Region: "eu-central-1", BaseEndpoint: aws.String(a.server.URL()), Credentials: credentials.NewStaticCredentialsProvider(key, "s", "")})
		if out := must(c.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t); *out.Account != want {
			t.Errorf("key %s is of account %s", key, *out.Account)
		}
	}
	res, _ := fetch(t, http.MethodGet, a.server.URL()+"/2015-03-31/functions/")
	if res.StatusCode != 403 || res.Header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" {
		t.Errorf("an unsigned request: %d", res.StatusCode)
	}
}

func TestFaults(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	list := func() error {
		_, err := a.lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		return err
	}
	a.server.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.Throttle, Skip: 1, Count: 2})
	for i, bad := range []bool{false, true, true, false} {
		if err := list(); (err != nil) != bad {
			t.Errorf("call %d: %v", i, err)
		} else if bad {
			refused(t, err, "TooManyRequestsException", 429, "Rate exceeded")
		}
	}
	for kind, want := range map[emulator.Failure]struct {
		code   string
		status int
	}{
		emulator.Internal: {"ServiceException", 500}, emulator.ExpiredToken: {"ExpiredTokenException", 403}, emulator.AccessDenied: {"AccessDeniedException", 403},
	} {
		a.server.Inject(emulator.Fault{Kind: kind})
		refused(t, list(), want.code, want.status, "")
	}
	for _, kind := range []emulator.Failure{emulator.Reset, emulator.Truncate} {
		a.server.Inject(emulator.Fault{Operation: "ListFunctions", Kind: kind})
		if list() == nil {
			t.Errorf("%s did no harm", kind)
		}
	}
	// A stall ends when the client gives up, and no sooner.
	ctx, cancel := context.WithCancel(t.Context())
	a.server.Inject(emulator.Fault{Operation: "ListFunctions", Kind: emulator.Stall, Hook: func(emulator.Record) { cancel() }})
	if _, err := a.lambda.ListFunctions(ctx, &lambda.ListFunctionsInput{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a stalled call ended with %v", err)
	}

	// After the effect: the client sees a failure, the account has changed.
	a.server.Inject(emulator.Fault{Operation: "DeleteFunction", Target: "f", Kind: emulator.Reset, After: true})
	if _, err := a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err == nil {
		t.Error("the reset was not seen")
	}
	_, err := a.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("f")})
	refused(t, err, "ResourceNotFoundException", 404, "")
	a.server.Inject(emulator.Fault{Operation: "CreateFunction", Kind: emulator.Internal})
	_, err = a.lambda.CreateFunction(t.Context(), a.input("g"))
	refused(t, err, "ServiceException", 500, "")
	_, err = a.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("g")})
	refused(t, err, "ResourceNotFoundException", 404, "")

	calls := a.server.Calls()
	var struck, deleted int
	for _, c := range calls {
		if c.Fault != "" {
			struck++
		}
		if c.Operation == "DeleteFunction" && c.Target == "f" && c.Fault == emulator.Reset {
			deleted++
		}
	}
	if struck != 10 || deleted != 1 {
		t.Errorf("%d faults on record, %d of them on DeleteFunction", struck, deleted)
	}
}

func TestDownloadFaults(t *testing.T) {
	a := open(t, emulator.Options{})
	content := a.input("f").Code.ZipFile
	a.create("f")
	url := *a.get("f").Code.Location
	get := func(kind emulator.Failure) (int, []byte, error) {
		a.server.Inject(emulator.Fault{Operation: "GetObject", Kind: kind})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		req.Header.Set("Range", "bytes=0-99")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil, err
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		return res.StatusCode, body, err
	}
	if status, body, err := get(emulator.Truncate); !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 50 {
		t.Errorf("truncated: %d with %d bytes, %v", status, len(body), err)
	}
	if status, body, err := get(emulator.Corrupt); err != nil || status != 206 || string(body) == string(content[:100]) || len(body) != 100 {
		t.Errorf("corrupt: %d with %d bytes, %v", status, len(body), err)
	}
	if status, body, err := get(emulator.IgnoreRange); err != nil || status != 200 || string(body) != string(content) {
		t.Errorf("range ignored: %d with %d bytes, %v", status, len(body), err)
	}
	if status, body, err := get(emulator.Unavailable); err != nil || status != 503 || !strings.Contains(string(body), "<Code>ServiceUnavailable</Code>") {
		t.Errorf("unavailable: %d, %v %s", status, err, body)
	}
	// Buckets fail as S3 does, before or after the effect.
	a.bucket("PUT", "/code", []byte(here))
	for kind, want := range map[emulator.Failure]string{emulator.Throttle: "SlowDown", emulator.Internal: "InternalError", emulator.ExpiredToken: "ExpiredToken", emulator.AccessDenied: "AccessDenied"} {
		a.server.Inject(emulator.Fault{Operation: "PutObject", Target: "/code/k", Kind: kind, After: kind == emulator.Internal})
		if res, text := a.bucket("PUT", "/code/k", []byte("x")); res.StatusCode < 400 || !strings.Contains(text, "<Code>"+want+"</Code>") {
			t.Errorf("%s: %d %s", kind, res.StatusCode, text)
		}
	}
	if res, text := a.bucket("GET", "/code/k", nil); res.StatusCode != 200 || text != "x" {
		t.Errorf("after its effect: %d %s", res.StatusCode, text)
	}
	// The registry names content by another digest.
	registry := func() string {
		res, _ := fetch(t, http.MethodGet, a.server.URL()+"/v2/lambda/nodejs/manifests/22")
		return res.Header.Get("Docker-Content-Digest")
	}
	right := registry()
	a.server.Inject(emulator.Fault{Operation: "GetManifest", Kind: emulator.WrongDigest})
	if wrong := registry(); wrong == right || len(wrong) != len(right) || registry() != right {
		t.Errorf("%s instead of %s", wrong, right)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	a := open(t, emulator.Options{})
	res, err := http.Post(a.server.URL()+"/_optlift/faults", "application/json", strings.NewReader(`{"operation":"ListLayers","kind":"throttle"}`))
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(err, res.StatusCode)
	}
	_, err = a.lambda.ListLayers(t.Context(), &lambda.ListLayersInput{})
	refused(t, err, "TooManyRequestsException", 429, "")
	if res, err := http.Post(a.server.URL()+"/_optlift/faults", "application/json", strings.NewReader(`{"kind":"nonsense"}`)); err != nil || res.StatusCode != http.StatusBadRequest {
		t.Error(err, res.StatusCode)
	}
}

func TestClockOverHTTP(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	for query, want := range map[string]int{"advance=2h": http.StatusNoContent, "advance=-1s": http.StatusBadRequest, "": http.StatusBadRequest} {
		before := a.server.Now()
		res, err := http.Post(a.server.URL()+"/_optlift/clock?"+query, "", nil)
		if err != nil || res.StatusCode != want {
			t.Fatal(query, err, res.StatusCode)
		}
		if moved := a.server.Now().Sub(before) >= 2*time.Hour; moved != (want == http.StatusNoContent) {
			t.Errorf("%q moved the clock: %v", query, moved)
		}
	}
}

func TestRates(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	a := open(t, emulator.Options{Rates: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	calls := func(n int) (failed int) {
		for range n {
			if _, err := a.lambda.ListLayers(t.Context(), &lambda.ListLayersInput{}); err != nil {
				refused(t, err, "TooManyRequestsException", 429, "Rate exceeded")
				failed++
			}
		}
		return failed
	}
	if failed := calls(20); failed != 5 {
		t.Errorf("%d of 20 calls at once refused, want 5", failed)
	}
	a.server.Advance(time.Second)
	if failed := calls(15); failed != 0 {
		t.Errorf("%d of 15 calls refused a second later", failed)
	}
}

func TestStateIsKept(t *testing.T) {
	dir := t.TempDir()
	start := func() (*emulator.Server, account) {
		s, err := emulator.Start(t.Context(), emulator.Options{State: dir, Delay: waiting})
		if err != nil {
			t.Fatal(err)
		}
		return s, account{T: t, server: s, lambda: client(s, "eu-central-1", "AKIATEST")}
	}
	s, a := start()
	arn := a.layer("l", zipped(t, "a", "b"))
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.Layers, in.Publish = []string{arn}, true
		in.Environment = &types.Environment{Variables: map[string]string{"KEY": "<v&>"}}
	})
	must(a.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	must(a.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: aws.String("f:live"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*")}))(t)
	m := must(a.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{FunctionName: aws.String("f"), EventSourceArn: aws.String("arn:aws:sqs:eu-central-1:123456789012:q")}))(t)
	registry := func(s *emulator.Server) *ecr.Client {
		return ecr.New(ecr.Options{Region: "eu-central-1", BaseEndpoint: aws.String(s.URL()), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "s", "")})
	}
	must(registry(s).CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("team/app")}))(t)
	must(a.createImage("image", a.push("image", a.image(dirVar, dirTask, fileCode))))(t)
	a.settled("image")
	before := a.get("f")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s, a = start()
	defer func() { _ = s.Close() }()
	after := a.get("f")
	if *after.Configuration.RevisionId != *before.Configuration.RevisionId || after.Configuration.Environment.Variables["KEY"] != "<v&>" || len(after.Configuration.Layers) != 1 {
		t.Errorf("the function came back as %+v", after.Configuration)
	}
	if res, body := fetch(t, http.MethodGet, *after.Code.Location); res.StatusCode != 200 || len(body) != int(after.Configuration.CodeSize) {
		t.Errorf("its code: %d", res.StatusCode)
	}
	must(a.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")}))(t)
	if out := must(a.lambda.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: m.UUID}))(t); *out.State != "Enabled" {
		t.Errorf("the mapping is %s", *out.State)
	}
	// The account is at another port now, and so are its images.
	if got := *a.get("image").Code.ImageUri; got != strings.TrimPrefix(s.URL(), "http://")+"/image:v1" {
		t.Errorf("the image is at %s", got)
	}
	if out := must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("image"), Payload: []byte(`{"name":"back"}`)}))(t); string(out.Payload) != `"image says back"` {
		t.Errorf("the image function answered %s", out.Payload)
	}
	must(registry(s).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"team/app"}}))(t)
}

// Many clients work on the same few functions at once; run with -race.
func TestStorm(t *testing.T) {
	a := open(t, emulator.Options{Delay: time.Nanosecond})
	layer := a.layer("l", zipped(t, "a", "b"))
	a.bucket("PUT", "/storm", []byte(here))
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			c := client(a.server, "eu-central-1", "AKIATEST")
			name := aws.String(fmt.Sprintf("f%d", i%16))
			in := a.input(*name)
			in.Layers = []string{layer}
			ctx := t.Context()
			for n := range 4 {
				// Every one of these may meet a function that another client has just deleted.
				_, err := c.CreateFunction(ctx, in)
				storm(t, err)
				out, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})
				storm(t, err)
				if err == nil {
					_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String(fmt.Sprintf("a%d-%d", i, n)), FunctionVersion: out.Version})
					storm(t, err)
				}
				_, err = c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: aws.Int32(int32(1 + n))})
				storm(t, err)
				_, err = c.AddPermission(ctx, &lambda.AddPermissionInput{FunctionName: name, StatementId: aws.String(fmt.Sprintf("s%d-%d", i, n)), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("*")})
				storm(t, err)
				_, err = c.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
				storm(t, err)
				_, err = c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: name})
				storm(t, err)
				_, err = c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent})
				storm(t, err)
				res, text := a.bucket("PUT", fmt.Sprintf("/storm/%d/%d", i%16, n), []byte("x"))
				if res.StatusCode != http.StatusOK {
					t.Error(res.StatusCode, text)
				}
				if res, text = a.bucket("GET", "/storm?list-type=2&delimiter=/", nil); res.StatusCode != http.StatusOK {
					t.Error(res.StatusCode, text)
				}
				if n%3 == i%3 {
					_, err = c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name})
					storm(t, err)
				}
			}
		})
	}
	wg.Wait()
	must(a.server.Events(t.Context()))(t) // all have run, or wait
}

// storm allows what one client may do to another, and nothing else.
func storm(t *testing.T, err error) {
	t.Helper()
	var gone *types.ResourceNotFoundException
	var taken *types.ResourceConflictException
	if err != nil && !errors.As(err, &gone) && !errors.As(err, &taken) {
		t.Error(err)
	}
}
