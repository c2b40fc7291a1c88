package oci_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/optlift/optlift/aws/emulator/oci"
	"github.com/optlift/optlift/aws/emulator/oci/bases"
)

// served is a registry with one ECR repository, "team/app", and the base images.
type served struct {
	*oci.Registry
	host string
	auth authn.Authenticator

	mu       sync.Mutex
	now      time.Time
	mounting bool
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	reg, err := oci.New(oci.Options{Dir: t.TempDir(), Account: "123456789012", Now: func() time.Time {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}, MayMount: func(from, to string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.mounting && from == "team/app"
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	reg.Create("team/app")
	if err := bases.Publish(reg); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(reg)
	t.Cleanup(srv.Close)
	s.Registry = reg
	s.host = "localhost:" + srv.URL[strings.LastIndex(srv.URL, ":")+1:]
	s.auth = s.token()
	return s
}

func (s *served) token() authn.Authenticator {
	password, _ := s.IssueToken()
	return authn.FromConfig(authn.AuthConfig{Username: oci.User, Password: password})
}

func (s *served) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *served) ref(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(s.host + "/" + text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// do sends one authenticated request.
func (s *served) do(t *testing.T, method, path string, body []byte, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.host+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	conf, err := s.auth.Authorization()
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(conf.Username, conf.Password)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func wantError(t *testing.T, resp *http.Response, status int, code, text string) {
	t.Helper()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Errors []oci.Error }
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Errors) != 1 {
		t.Fatalf("answer %d %q is no error list", resp.StatusCode, raw)
	}
	if e := list.Errors[0]; resp.StatusCode != status || e.Code != code || !strings.Contains(e.Message, text) {
		t.Errorf("got %d %s %q, want %d %s with %q", resp.StatusCode, e.Code, e.Message, status, code, text)
	}
}

func TestPushAndPull(t *testing.T) {
	s := serve(t)
	img, err := random.Image(4096, 3)
	if err != nil {
		t.Fatal(err)
	}
	oci1 := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	layer, err := random.Layer(100_000, types.OCILayer)
	if err != nil {
		t.Fatal(err)
	}
	second, err := mutate.Append(oci1, mutate.Addendum{Layer: layer, MediaType: types.OCILayer})
	if err != nil {
		t.Fatal(err)
	}
	for tag, img := range map[string]v1.Image{"docker": img, "oci": second} {
		ref := s.ref(t, "team/app:"+tag)
		if err := remote.Write(ref, img, remote.WithAuth(s.auth)); err != nil {
			t.Fatal(err)
		}
		back, err := remote.Image(ref, remote.WithAuth(s.auth))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(back); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
		digest, _ := img.Digest()
		if _, err := remote.Head(s.ref(t, "team/app@"+digest.String()), remote.WithAuth(s.auth)); err != nil {
			t.Errorf("by digest: %v", err)
		}
	}
	tags, err := remote.List(s.ref(t, "team/app").Context(), remote.WithAuth(s.auth), remote.WithPageSize(1))
	if err != nil || fmt.Sprint(tags) != "[docker oci]" {
		t.Errorf("tags are %v, %v", tags, err)
	}
	held, err := s.Manifest("team/app", "oci")
	if err != nil || held.Pulled.IsZero() || fmt.Sprint(held.Tags) != "[oci]" {
		t.Errorf("manifest is %+v, %v", held, err)
	}
}

func TestBasesNeedNoCredentials(t *testing.T) {
	s := serve(t)
	for _, b := range bases.All() {
		for _, architecture := range b.Architectures() {
			platform := v1.Platform{OS: "linux", Architecture: map[string]string{"x86_64": "amd64", "arm64": "arm64"}[architecture]}
			img, err := remote.Image(s.ref(t, b.Repository+":"+b.Tag), remote.WithPlatform(platform))
			if err != nil {
				t.Fatalf("%s:%s %s: %v", b.Repository, b.Tag, architecture, err)
			}
			if err := validate.Image(img); err != nil {
				t.Errorf("%s:%s %s: %v", b.Repository, b.Tag, architecture, err)
			}
			config, err := img.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if config.Architecture != platform.Architecture || config.OS != "linux" || config.Config.Cmd != nil ||
				fmt.Sprint(config.Config.Entrypoint) != "[/lambda-entrypoint.sh]" || config.Config.WorkingDir != "/var/task" {
				t.Errorf("%s:%s has configuration %+v", b.Repository, b.Tag, config)
			}
			single, err := remote.Image(s.ref(t, b.Repository+":"+b.Tag+"-"+architecture))
			if err != nil {
				t.Fatal(err)
			}
			one, _ := single.Digest()
			other, _ := img.Digest()
			if one != other {
				t.Errorf("%s:%s-%s is another image than the list's", b.Repository, b.Tag, architecture)
			}
		}
	}
	if err := remote.Write(s.ref(t, "lambda/nodejs:mine"), empty.Image, remote.WithAuth(s.auth)); err == nil {
		t.Error("a public repository accepted a push")
	}
}

func TestBasesAreTheSameEveryTime(t *testing.T) {
	for _, b := range bases.All()[:2] {
		first, err := b.Index()
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Index()
		if err != nil {
			t.Fatal(err)
		}
		one, _ := first.Digest()
		two, _ := again.Digest()
		if one != two {
			t.Errorf("%s:%s has digests %s and %s", b.Repository, b.Tag, one, two)
		}
	}
}

func TestToken(t *testing.T) {
	s := serve(t)
	resp, err := http.Get("http://" + s.host + "/v2/team/app/tags/list")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if h := resp.Header.Get("WWW-Authenticate"); !strings.HasPrefix(h, `Basic realm="http://`) {
		t.Errorf("challenge is %q", h)
	}
	wantError(t, resp, 401, "UNAUTHORIZED", "Not Authorized")
	s.pass(oci.TokenLife)
	wantError(t, s.do(t, "GET", "/v2/team/app/tags/list", nil), 403, "DENIED", "Your authorization token has expired")
	s.auth = s.token()
	if resp := s.do(t, "GET", "/v2/", nil); resp.StatusCode != 200 {
		t.Errorf("a fresh token answers %d", resp.StatusCode)
	}
}

func TestECRsRefusals(t *testing.T) {
	s := serve(t)
	if err := remote.Write(s.ref(t, "team/other:v1"), empty.Image, remote.WithAuth(s.auth)); err == nil ||
		!strings.Contains(err.Error(), "NAME_UNKNOWN: The repository with name 'team/other' does not exist in the registry with id '123456789012'") {
		t.Errorf("unknown repository: %v", err)
	}
	wantError(t, s.do(t, "GET", "/v2/_catalog", nil), 404, "UNSUPPORTED", "")
	wantError(t, s.do(t, "GET", "/v2/team/app/manifests/none", nil), 404, "MANIFEST_UNKNOWN", "Requested image not found")
	wantError(t, s.do(t, "DELETE", "/v2/team/app/manifests/none", nil), 405, "UNSUPPORTED", "")

	raw, err := empty.Image.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	manifestType := string(types.DockerManifestSchema2)
	wantError(t, s.do(t, "PUT", "/v2/team/app/manifests/v1", raw, "Content-Type", manifestType), 400, "MANIFEST_BLOB_UNKNOWN", "Layers with digests '[sha256:")
	wantError(t, s.do(t, "PUT", "/v2/team/app/manifests/sha256:"+strings.Repeat("0", 64), raw, "Content-Type", manifestType),
		400, "MANIFEST_INVALID", "does not match the image digest that Amazon ECR has calculated")
	list := []byte(`{"schemaVersion":2,"manifests":[{"mediaType":"` + manifestType + `","size":2,"digest":"sha256:` + strings.Repeat("1", 64) + `"}]}`)
	wantError(t, s.do(t, "PUT", "/v2/team/app/manifests/v1", list, "Content-Type", string(types.OCIImageIndex)), 400, "MANIFEST_BLOB_UNKNOWN", "Images with digests")

	s.Protect("team/app", func(tag string) bool { return tag != "latest" })
	first, _ := random.Image(10, 1)
	second, _ := random.Image(10, 1)
	for _, tag := range []string{"v1", "latest"} {
		if err := remote.Write(s.ref(t, "team/app:"+tag), first, remote.WithAuth(s.auth)); err != nil {
			t.Fatal(err)
		}
	}
	if err := remote.Write(s.ref(t, "team/app:v1"), first, remote.WithAuth(s.auth)); err != nil {
		t.Errorf("the same image under an immutable tag: %v", err)
	}
	if err := remote.Write(s.ref(t, "team/app:latest"), second, remote.WithAuth(s.auth)); err != nil {
		t.Errorf("an excluded tag: %v", err)
	}
	if err := remote.Write(s.ref(t, "team/app:v1"), second, remote.WithAuth(s.auth)); err == nil ||
		!strings.Contains(err.Error(), "TAG_INVALID: The image tag 'v1' already exists in the 'team/app' repository and cannot be overwritten because the repository is immutable.") {
		t.Errorf("immutable tag: %v", err)
	}
}

func TestUploadSessions(t *testing.T) {
	s := serve(t)
	content := make([]byte, 11<<20)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	start := func() string {
		resp := s.do(t, "POST", "/v2/team/app/blobs/uploads/", nil)
		if resp.StatusCode != 202 {
			t.Fatalf("start answers %d", resp.StatusCode)
		}
		return resp.Header.Get("Location")
	}
	end := "?digest=" + url.QueryEscape(digest.String())

	at := start()
	if resp := s.do(t, "PATCH", at, content[:6<<20], "Content-Range", "0-6291455"); resp.StatusCode != 201 || resp.Header.Get("Range") != "0-6291455" {
		t.Fatalf("first part answers %d, %s", resp.StatusCode, resp.Header.Get("Range"))
	}
	wantError(t, s.do(t, "PATCH", at, content), 416, "BLOB_UPLOAD_INVALID", "First byte of the layer part is 0 instead of 6291456")
	if resp := s.do(t, "PATCH", at, content[6<<20:], "Content-Range", "6291456-11534335"); resp.StatusCode != 201 {
		t.Fatalf("second part answers %d", resp.StatusCode)
	}
	if resp := s.do(t, "PUT", at+end, nil); resp.StatusCode != 201 {
		t.Fatalf("end answers %d", resp.StatusCode)
	}
	wantError(t, s.do(t, "PUT", at+end, nil), 404, "BLOB_UPLOAD_UNKNOWN", "")

	resp := s.do(t, "GET", "/v2/team/app/blobs/"+digest.String(), nil, "Range", "bytes=100-199")
	part, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 206 || !bytes.Equal(part, content[100:200]) {
		t.Errorf("a range answers %d with %d bytes, %v", resp.StatusCode, len(part), err)
	}

	small := start()
	s.do(t, "PATCH", small, content[:100])
	wantError(t, s.do(t, "PATCH", small, content[100:200], "Content-Range", "100-199"), 400, "BLOB_UPLOAD_INVALID", "at least 5MB")

	wantError(t, s.do(t, "PUT", start()+end, []byte("something else")), 400, "DIGEST_INVALID", digest.String())
	none := "?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	wantError(t, s.do(t, "PUT", start()+none, nil), 400, "BLOB_UPLOAD_INVALID", "cannot be completed because it does not have any parts.")
	if resp := s.do(t, "DELETE", start(), nil); resp.StatusCode != 204 {
		t.Errorf("giving up answers %d", resp.StatusCode)
	}
	dir, err := s.Dir()
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir + "/uploads")
	if err != nil || len(left) != 0 {
		t.Errorf("uploads left behind: %v, %v", left, err)
	}
}

func TestMountNeedsTheSetting(t *testing.T) {
	s := serve(t)
	s.Create("team/second")
	img, _ := random.Image(10, 1)
	if err := remote.Write(s.ref(t, "team/app:v1"), img, remote.WithAuth(s.auth)); err != nil {
		t.Fatal(err)
	}
	layers, _ := img.Layers()
	digest, _ := layers[0].Digest()
	path := "/v2/team/second/blobs/uploads/?mount=" + url.QueryEscape(digest.String()) + "&from=team/app"
	if resp := s.do(t, "POST", path, nil); resp.StatusCode != 202 {
		t.Errorf("a mount without the setting answers %d", resp.StatusCode)
	}
	s.mu.Lock()
	s.mounting = true
	s.mu.Unlock()
	if resp := s.do(t, "POST", path, nil); resp.StatusCode != 201 {
		t.Errorf("a mount with the setting answers %d", resp.StatusCode)
	}
	if _, ok := s.HasBlob("team/second", digest); !ok {
		t.Error("the mounted blob is not there")
	}
}

func TestReferrers(t *testing.T) {
	s := serve(t)
	img, _ := random.Image(10, 1)
	if err := remote.Write(s.ref(t, "team/app:v1"), img, remote.WithAuth(s.auth)); err != nil {
		t.Fatal(err)
	}
	desc, err := remote.Head(s.ref(t, "team/app:v1"), remote.WithAuth(s.auth))
	if err != nil {
		t.Fatal(err)
	}
	note := mutate.Subject(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/x-note"), *desc).(v1.Image)
	noteDigest, _ := note.Digest()
	if err := remote.Write(s.ref(t, "team/app@"+noteDigest.String()), note, remote.WithAuth(s.auth)); err != nil {
		t.Fatal(err)
	}
	index, err := remote.Referrers(s.ref(t, "team/app@"+desc.Digest.String()).(name.Digest), remote.WithAuth(s.auth))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest != noteDigest {
		t.Errorf("referrers are %+v, %v", manifest, err)
	}
}

func TestConcurrentPushesOfTheSameBytes(t *testing.T) {
	s := serve(t)
	img, _ := random.Image(200_000, 3)
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			errs[i] = remote.Write(s.ref(t, fmt.Sprintf("team/app:v%d", i)), img, remote.WithAuth(s.auth))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	all, err := s.Manifests("team/app")
	if err != nil || len(all) != 1 || len(all[0].Tags) != 16 {
		t.Errorf("manifests are %+v, %v", all, err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	s := serve(t)
	img, _ := random.Image(1000, 2)
	if err := remote.Write(s.ref(t, "team/app:v1"), img, remote.WithAuth(s.auth)); err != nil {
		t.Fatal(err)
	}
	base, _ := bases.For("nodejs22.x")
	small, err := base.Image("arm64")
	if err != nil {
		t.Fatal(err)
	}
	if err := bases.PushImage(s.Registry, "team/app", "base", small); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	again := serve(t)
	if err := again.Load(dir); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"v1", "base"} {
		back, err := remote.Image(again.ref(t, "team/app:"+tag), remote.WithAuth(again.auth))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(back); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	if err := again.Load(t.TempDir()); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
}

// A registry that nobody pushes to has no directory; Close removes the one that
// was made, and none is made afterwards.
func TestTemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	entries := func() int {
		t.Helper()
		found, err := os.ReadDir(os.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	reg, err := oci.New(oci.Options{Account: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	if n := entries(); n != 0 {
		t.Errorf("%d directories before anybody has pushed", n)
	}
	if _, err := reg.Dir(); err != nil || entries() != 1 {
		t.Errorf("%d directories when one is needed, %v", entries(), err)
	}
	if err := reg.Close(); err != nil || entries() != 0 {
		t.Errorf("%d directories after Close, %v", entries(), err)
	}
	if _, err := reg.Dir(); err == nil {
		t.Error("a closed registry makes a directory")
	}
}
