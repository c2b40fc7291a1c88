package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

func picture(t *testing.T, seed int64) v1.Image {
	t.Helper()
	img, err := random.Image(200_000+seed, 5)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func writes(a *sessiontest.Account) (out []string) {
	for _, c := range a.Calls() {
		switch c.Operation {
		case "DescribeRepositories", "GetRepositoryPolicy", "GetLifecyclePolicy", "GetAuthorizationToken", "GetCallerIdentity", "Ping":
		default:
			out = append(out, c.Operation)
		}
	}
	return out
}

func TestEnsureAndPush(t *testing.T) {
	a := sessiontest.Start(t)
	c := registry.New(a.Session, sessiontest.Region)
	if _, found, err := c.Look(t.Context(), "team/app"); found || err != nil {
		t.Fatal(found, err)
	}
	repo, err := c.Ensure(t.Context(), "team/app")
	if err != nil || !repo.Created || !repo.Granted || !strings.HasSuffix(repo.URI, "/team/app") || repo.Lifecycle != "" || repo.LifecycleError != "" {
		t.Fatalf("%+v %v", repo, err)
	}
	again, err := c.Ensure(t.Context(), "team/app")
	if err != nil || again.Created || again.Granted || again.URI != repo.URI {
		t.Errorf("%+v %v", again, err)
	}
	img := picture(t, 0)
	digest, _ := img.Digest()
	var last, top int64
	ref, err := c.Push(t.Context(), repo, "", img, func(done, total int64) {
		if done < last || total < top || done > total {
			t.Errorf("progress went from %d of %d to %d of %d", last, top, done, total)
		}
		last, top = done, total
	})
	if err != nil || ref != repo.URI+"@"+digest.String() || last == 0 || last != top {
		t.Fatal(ref, err, last, top)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(parsed, c.Options(t.Context())...)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(pulled); err != nil {
		t.Error(err)
	}
	tag, err := name.ParseReference(repo.URI + ":" + registry.TagFor(digest))
	if err != nil {
		t.Fatal(err)
	}
	if head, err := remote.Head(tag, c.Options(t.Context())...); err != nil || head.Digest != digest {
		t.Error(head, err)
	}
	// The same image again: nothing to send.
	if again, err := c.Push(t.Context(), repo, "", img, nil); err != nil || again != ref {
		t.Error(again, err)
	}
}

func TestReadOnlySessionWritesNothing(t *testing.T) {
	a := sessiontest.Start(t)
	c := registry.New(a.Open(session.Options{}), sessiontest.Region)
	if _, err := c.Ensure(t.Context(), "app"); !errors.Is(err, session.ErrReadOnly) || !strings.Contains(session.Explain(err), "--write") {
		t.Error(err)
	}
	if _, err := registry.New(a.Session, sessiontest.Region).Ensure(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	// With everything in place there is nothing to write, and looking is allowed.
	repo, err := c.Ensure(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	a.ForgetCalls()
	if _, err := c.Push(t.Context(), repo, "", picture(t, 1), nil); !errors.Is(err, session.ErrReadOnly) {
		t.Error(err)
	}
	if calls := a.Calls(); len(calls) > 0 {
		t.Errorf("sent: %+v", calls)
	}
}

func TestEnsureKeepsThePolicy(t *testing.T) {
	a := sessiontest.Start(t)
	api := session.ECR(a.Session, sessiontest.Region)
	c := registry.New(a.Session, sessiontest.Region)
	const other = `{"Sid":"Partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["ecr:BatchGetImage"],"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`
	if _, err := api.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: ptr("app")}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: ptr("app"), PolicyText: ptr(`{"Version":"2008-10-17","Statement":[` + other + `]}`)}); err != nil {
		t.Fatal(err)
	}
	repo, err := c.Ensure(t.Context(), "app")
	if err != nil || repo.Created || !repo.Granted {
		t.Fatalf("%+v %v", repo, err)
	}
	out, err := api.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: ptr("app")})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(*out.PolicyText), &doc); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	_ = json.Unmarshal([]byte(other), &want)
	got, _ := json.Marshal(doc.Statement[0])
	wanted, _ := json.Marshal(want)
	if doc.Version != "2008-10-17" || len(doc.Statement) != 2 || string(got) != string(wanted) || doc.Statement[1]["Sid"] != "LambdaECRImageRetrievalPolicy" {
		t.Error(*out.PolicyText)
	}
	// Not allowed to read the policy: nothing is overwritten.
	a.ForgetCalls()
	a.Inject(emulator.Fault{Operation: "GetRepositoryPolicy", Kind: emulator.AccessDenied})
	if _, err := c.Ensure(t.Context(), "app"); session.KindOf(err) != session.Denied || !strings.Contains(session.Explain(err), "ecr:GetRepositoryPolicy") {
		t.Error(err)
	}
	if w := writes(a); len(w) > 0 {
		t.Error(w)
	}
}

func TestLifecycle(t *testing.T) {
	a := sessiontest.Start(t)
	c := registry.New(a.Session, sessiontest.Region)
	if _, err := c.Ensure(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	a.Inject(emulator.Fault{Operation: "GetLifecyclePolicy", Kind: emulator.AccessDenied})
	repo, found, err := c.Look(t.Context(), "app")
	if err != nil || !found || repo.LifecycleError == "" {
		t.Errorf("not allowed to look passes for none: %+v %v", repo, err)
	}
	text := `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}`
	if _, err := session.ECR(a.Session, sessiontest.Region).PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: ptr("app"), LifecyclePolicyText: &text}); err != nil {
		t.Fatal(err)
	}
	if repo, _, err = c.Look(t.Context(), "app"); err != nil || repo.Lifecycle != text || repo.LifecycleError != "" {
		t.Errorf("%+v %v", repo, err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestPushExplainsRefusals(t *testing.T) {
	a := sessiontest.Start(t)
	c := registry.New(a.Session, sessiontest.Region)
	api := session.ECR(a.Session, sessiontest.Region)
	if _, err := api.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: ptr("fixed"), ImageTagMutability: types.ImageTagMutabilityImmutable}); err != nil {
		t.Fatal(err)
	}
	repo, err := c.Ensure(t.Context(), "fixed")
	if err != nil {
		t.Fatal(err)
	}
	img := picture(t, 1)
	if _, err := c.Push(t.Context(), repo, "v1", img, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Push(t.Context(), repo, "v1", img, nil); err != nil {
		t.Error("the same image under its immutable tag:", err)
	}
	check := func(what string, err error, want ...string) {
		t.Helper()
		for _, w := range want {
			if err == nil || !strings.Contains(session.Explain(err), w) {
				t.Errorf("%s: %v lacks %q", what, err, w)
			}
		}
	}
	_, err = c.Push(t.Context(), repo, "v1", picture(t, 2), nil)
	check("immutable tag", err, "push to fixed", "another tag")
	gone := repo
	gone.URI = strings.TrimSuffix(repo.URI, "fixed") + "gone"
	_, err = c.Push(t.Context(), gone, "v1", picture(t, 3), nil)
	check("no such repository", err, "the repository is gone")
	gone.URI = "localhost:1/gone"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Push(ctx, gone, "v1", picture(t, 4), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	a.Inject(emulator.Fault{Operation: "GetAuthorizationToken", Kind: emulator.AccessDenied, Count: -1})
	_, err = registry.New(a.Session, sessiontest.Region).Push(t.Context(), repo, "v2", picture(t, 5), nil)
	check("no token", err, "ecr:GetAuthorizationToken")
}

// The password lasts twelve hours; a long session gets a new one by itself.
func TestTokenIsReplaced(t *testing.T) {
	a := sessiontest.StartWith(t, emulator.Options{Delay: time.Millisecond, Now: func() time.Time { return time.Now().Add(-12*time.Hour + 10*time.Minute) }})
	c := registry.New(a.Session, sessiontest.Region)
	repo, err := c.Ensure(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	tokens := func() (n int) {
		for _, call := range a.Calls() {
			if call.Operation == "GetAuthorizationToken" {
				n++
			}
		}
		return n
	}
	// By this machine's clock the token of that account ends in ten minutes.
	img := picture(t, 1)
	if _, err := c.Push(t.Context(), repo, "a", img, nil); err != nil {
		t.Fatal(err)
	}
	before := tokens()
	if _, err := c.Push(t.Context(), repo, "b", img, nil); err != nil {
		t.Fatal(err)
	}
	if tokens() == before {
		t.Error("a token about to end is used again")
	}
	fresh := sessiontest.Start(t)
	c = registry.New(fresh.Session, sessiontest.Region)
	if repo, err = c.Ensure(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	a = fresh
	for i := range 3 {
		if _, err := c.Push(t.Context(), repo, "", mutate.MediaType(picture(t, int64(i)), "application/vnd.oci.image.manifest.v1+json"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := tokens(); n != 1 {
		t.Errorf("%d tokens for three pushes", n)
	}
}

// An image of the account's own is read with ECR's token, which no other registry
// is ever sent.
func TestReadOptions(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	a := sessiontest.Start(t)
	c := registry.New(a.Session, sessiontest.Region)
	repo, err := c.Ensure(t.Context(), "layers/a")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := c.Push(t.Context(), repo, "1", picture(t, 9), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{ref, repo.URI + ":1"} {
		parsed, err := name.ParseReference(reference)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := remote.Image(parsed); err == nil {
			t.Error("the registry lets everybody read")
		}
		if _, err := remote.Image(parsed, c.ReadOptions(t.Context(), reference)...); err != nil {
			t.Error(err)
		}
	}
	var sent []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization"))
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer other.Close()
	reference := strings.TrimPrefix(other.URL, "http://") + "/layers/a:1" // the same name elsewhere
	parsed, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Image(parsed, c.ReadOptions(t.Context(), reference)...); err == nil || len(sent) == 0 || strings.Join(sent, "") != "" {
		t.Error(err, len(sent), "requests, one with a token")
	}
}
