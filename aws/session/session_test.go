package session

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// endpoint answers STS, and everything else as the test says.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	seen    []string // regions and paths, STS left out
	account string
	answer  http.HandlerFunc
}

func serve(t *testing.T, tls bool) *endpoint {
	e := &endpoint{account: "123456789012"}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scope := strings.Split(r.Header.Get("Authorization"), "/")
		if len(scope) < 4 {
			return
		}
		if scope[3] == "sts" {
			fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
				`<Arn>arn:aws:iam::%[1]s:user/me</Arn><UserId>me</UserId><Account>%[1]s</Account>`+
				`</GetCallerIdentityResult></GetCallerIdentityResponse>`, e.account)
			return
		}
		e.mu.Lock()
		e.seen = append(e.seen, scope[2]+" "+r.Method+" "+r.URL.Path)
		answer := e.answer
		e.mu.Unlock()
		if answer == nil {
			answer = fail(400, "InvalidParameterValueException", "no")
		}
		answer(w, r)
	})
	if tls {
		e.Server = httptest.NewTLSServer(handler)
	} else {
		e.Server = httptest.NewServer(handler)
	}
	t.Cleanup(e.Close)
	clearEnvironment(t)
	t.Setenv("AWS_ENDPOINT_URL", e.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	return e
}

// clearEnvironment leaves nothing of the machine's own configuration.
func clearEnvironment(t *testing.T) {
	dir := t.TempDir()
	for _, line := range os.Environ() {
		if name, _, _ := strings.Cut(line, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", dir)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func fail(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "Type": "User", "message": message, "Message": message})
	}
}

func (e *endpoint) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen)
}

func open(t *testing.T, opts Options) *Session {
	t.Helper()
	if opts.Regions == nil {
		opts.Regions = []string{"eu-central-1"}
	}
	s, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(Explain(err))
	}
	return s
}

func TestOpen(t *testing.T) {
	e := serve(t, false)
	s := open(t, Options{Regions: []string{"eu-central-1", " eu-west-1", "eu-central-1"}})
	if s.Account != "123456789012" || s.CallerARN != "arn:aws:iam::123456789012:user/me" || s.Partition != "aws" ||
		!slices.Equal(s.Regions, []string{"eu-central-1", "eu-west-1"}) || s.Profile != "default" || s.Armed() {
		t.Errorf("%+v", s)
	}
	e.answer = func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"Regions":[{"RegionName":"us-east-1","RegionOptStatus":"ENABLED_BY_DEFAULT"},{"RegionName":"af-south-1","RegionOptStatus":"ENABLED"}]}`)
	}
	if all := open(t, Options{Regions: []string{"all"}}); !slices.Equal(all.Regions, []string{"af-south-1", "us-east-1"}) || all.RegionsNote != "" {
		t.Error(all.Regions, all.RegionsNote)
	}
	// Not allowed to ask is not "none": every region is tried.
	e.answer = fail(403, "AccessDeniedException", "no")
	all := open(t, Options{Regions: []string{"all"}})
	if !slices.Contains(all.Regions, "sa-east-1") || slices.Contains(all.Regions, "cn-north-1") || !slices.IsSorted(all.Regions) ||
		!strings.Contains(all.RegionsNote, "account:ListRegions") {
		t.Error(all.Regions, all.RegionsNote)
	}
	if !open(t, Options{Write: true}).Armed() {
		t.Error("Write does not arm")
	}
}

func TestRegionComesFromFlagThenEnvironmentThenProfile(t *testing.T) {
	serve(t, false)
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte("[default]\nregion = us-west-2\n[profile other]\nregion = sa-east-1\n"+
		"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(want string, opts Options) {
		t.Helper()
		s, err := Open(t.Context(), opts)
		if err != nil || !slices.Equal(s.Regions, []string{want}) {
			t.Errorf("%+v: %v %v, want %s", opts, s, err, want)
		}
	}
	check("us-west-2", Options{})
	check("sa-east-1", Options{Profile: "other"})
	t.Setenv("AWS_REGION", "eu-north-1")
	check("eu-north-1", Options{Profile: "other"})
	check("eu-west-3", Options{Profile: "other", Regions: []string{"eu-west-3"}})
}

// A machine with a certificate bundle of its own must work, for the SDK and for
// everything else that the session talks to.
func TestCertificateBundle(t *testing.T) {
	e := serve(t, true)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
	if err := os.WriteFile(bundle, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Regions: []string{"eu-central-1"}}); KindOf(err) != Unreachable {
		t.Error("an unknown certificate is accepted:", err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	s := open(t, Options{})
	res, err := s.HTTP().Get(e.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

// everyCall calls every operation of a client with an empty input.
func everyCall(t *testing.T, client any, check func(op string, err error)) {
	t.Helper()
	v := reflect.ValueOf(client)
	operations := 0
	for i := range v.NumMethod() {
		m := v.Type().Method(i)
		if m.Type.NumIn() != 4 || !m.Type.IsVariadic() || m.Type.In(1) != reflect.TypeFor[context.Context]() {
			continue
		}
		operations++
		input := reflect.New(m.Type.In(2).Elem())
		out := v.Method(i).Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
		err, _ := out[1].Interface().(error)
		check(m.Name, err)
	}
	if operations < 50 {
		t.Errorf("only %d operations found: the test sees nothing", operations)
	}
}

func TestGuardRefusesEveryWrite(t *testing.T) {
	e := serve(t, false)
	s := open(t, Options{Unlimited: true})
	for service, c := range map[string]struct {
		client any
		reads  map[string]bool
		writes []string // some that must be among the refused
	}{
		"Lambda": {s.Lambda("eu-central-1"), readsLambda, []string{
			"Invoke", "InvokeAsync", "InvokeWithResponseStream", "CreateFunction", "DeleteFunction", "UpdateFunctionCode",
			"AddPermission", "PutResourcePolicy", "PublishVersion", "TagResource", "CheckpointDurableExecution",
		}},
		"ECR": {ECR(s, "eu-central-1"), readsECR, []string{
			"CreateRepository", "DeleteRepository", "SetRepositoryPolicy", "PutImage", "InitiateLayerUpload", "BatchDeleteImage",
		}},
	} {
		refused := map[string]bool{}
		found := map[string]bool{}
		everyCall(t, c.client, func(op string, err error) {
			found[op] = true
			refused[op] = errors.Is(err, ErrReadOnly)
			if refused[op] == c.reads[op] {
				t.Errorf("%s %s: read %v, refused %v (%v)", service, op, c.reads[op], refused[op], err)
			}
			if refused[op] && (KindOf(err) != ReadOnly || !strings.Contains(err.Error(), op)) {
				t.Errorf("%s: %v", op, err)
			}
		})
		for op := range c.reads {
			if !found[op] {
				t.Errorf("%s has no operation %s", service, op)
			}
			if !slices.ContainsFunc([]string{"Get", "List", "Describe", "BatchGet", "BatchCheck"}, func(p string) bool { return strings.HasPrefix(op, p) }) {
				t.Errorf("%s %s does not sound like a read", service, op)
			}
		}
		for _, op := range c.writes {
			if !refused[op] {
				t.Errorf("%s %s was let through", service, op)
			}
		}
	}
	for _, seen := range e.requests() {
		if !strings.Contains(seen, " GET ") && !strings.HasSuffix(seen, " POST /") { // ECR is all POST
			t.Errorf("sent: %s", seen)
		}
	}
}

func TestArm(t *testing.T) {
	e := serve(t, false)
	s := open(t, Options{Unlimited: true})
	del := func() error {
		_, err := s.Lambda("eu-central-1").DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")})
		return err
	}
	if err := s.Arm("123456789013"); err == nil || s.Armed() {
		t.Error("armed with another account's id")
	}
	if err := del(); !errors.Is(err, ErrReadOnly) || len(e.requests()) != 0 {
		t.Error(err, e.requests())
	}
	if err := s.Arm("123456789012"); err != nil {
		t.Fatal(err)
	}
	if err := del(); errors.Is(err, ErrReadOnly) || len(e.requests()) != 1 {
		t.Error(err, e.requests())
	}
	s.Disarm()
	if err := del(); !errors.Is(err, ErrReadOnly) || len(e.requests()) != 1 {
		t.Error(err, e.requests())
	}
}

func TestEachRegionHasItsOwnClients(t *testing.T) {
	e := serve(t, false)
	s := open(t, Options{Regions: []string{"eu-central-1", "sa-east-1"}})
	if first, again := s.Lambda("sa-east-1"), s.Lambda("sa-east-1"); first != again {
		t.Error("clients, and with them the rates, are not shared")
	}
	_, _ = s.Lambda("sa-east-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	_, _ = ECR(s, "eu-central-1").DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
	if got := e.requests(); len(got) != 2 || !strings.HasPrefix(got[0], "sa-east-1 ") || !strings.HasPrefix(got[1], "eu-central-1 ") {
		t.Error(got)
	}
}

func TestLimiterBudgets(t *testing.T) {
	l := newLimiter()
	if l.bucket("GetFunction") == l.bucket("GetFunctionConfiguration") || l.bucket("GetPolicy") == l.bucket("ListFunctions") {
		t.Error("GetFunction and GetPolicy have budgets of their own")
	}
	if l.bucket("ListFunctions") != l.bucket("GetLayerVersionByArn") || l.bucket("ListFunctions") != l.bucket("CreateFunction") {
		t.Error("the rest shares one budget")
	}
	if l.bucket("Invoke") != nil {
		t.Error("Invoke is not of the control plane")
	}
	if l.getFunction.Limit() != 100 || l.getPolicy.Limit() != 15 || l.rest.Limit() != 15 {
		t.Error("not AWS's published rates")
	}
}

// The limiter stands in the way of every attempt, retries included.
func TestLimiterSpacesAttempts(t *testing.T) {
	e := serve(t, false)
	e.answer = fail(429, "TooManyRequestsException", "Rate exceeded")
	s := open(t, Options{})
	client := s.Lambda("eu-central-1")
	if _, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}, func(o *lambda.Options) { o.RetryMaxAttempts = 2 }); KindOf(err) != Throttled {
		t.Error(err)
	}
	calls, total := s.Log().Calls()
	if last := calls[len(calls)-1]; total != 2 || last.Operation != "ListFunctions" || last.Attempts != 2 || len(e.requests()) != 2 {
		t.Errorf("%+v %v", calls, e.requests())
	}
	// With the budget used up and no time to wait, nothing is sent.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.ListFunctions(ctx, &lambda.ListFunctionsInput{}); err == nil || len(e.requests()) != 2 {
		t.Error(err, e.requests())
	}
}

func TestLog(t *testing.T) {
	e := serve(t, false)
	e.answer = fail(404, "ResourceNotFoundException", "Function not found: x\x1b[31m")
	s := open(t, Options{Unlimited: true})
	client := s.Lambda("eu-central-1")
	_, _ = client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("my\x1b[2Jfunction")})
	_, _ = client.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")})
	calls, total := s.Log().Calls()
	if total != 3 || len(calls) != 3 || calls[0].Operation != "GetCallerIdentity" || calls[0].Error != "" {
		t.Fatalf("%+v", calls)
	}
	get, del := calls[1], calls[2]
	if get.Service != "Lambda" || get.Operation != "GetFunction" || get.Region != "eu-central-1" || get.Target != "my[2Jfunction" ||
		get.Attempts != 1 || !strings.Contains(get.Error, "Function not found") || strings.ContainsRune(get.Error, '\x1b') {
		t.Errorf("%+v", get)
	}
	if del.Attempts != 0 || del.Target != "f" || !strings.Contains(del.Error, "read-only") {
		t.Errorf("%+v", del)
	}
	l := newLog()
	for i := range 3*logSize + 7 {
		l.add(Call{Attempts: i})
	}
	calls, total = l.Calls()
	if len(calls) != logSize || total != 3*logSize+7 || calls[0].Attempts != 2*logSize+7 || calls[logSize-1].Attempts != 3*logSize+6 {
		t.Error(len(calls), total, calls[0].Attempts)
	}
}
