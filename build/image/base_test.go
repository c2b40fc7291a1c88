package image

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func indexOf(kind types.MediaType, adds ...mutate.IndexAddendum) v1.ImageIndex {
	return mutate.IndexMediaType(mutate.AppendManifests(empty.Index, adds...), kind)
}

func TestResolveBase(t *testing.T) {
	host := serve(t)
	for name, kin := range families {
		kind := types.DockerManifestList
		if kin == ociFamily {
			kind = types.OCIImageIndex
		}
		amd, arm := awsBase(t, kin, "amd64"), awsBase(t, kin, "arm64")
		attestation := imageOf(t, ociFamily, v1.ConfigFile{})
		repo := host + "/" + name
		push(t, repo+":one", amd)
		pushIndex(t, repo+":list", kind, forPlatform(arm, "linux", "arm64"), forPlatform(amd, "linux", "amd64"), forPlatform(attestation, "unknown", "unknown"))
		pushIndex(t, repo+":silent", kind, forPlatform(amd, "", ""), forPlatform(arm, "", ""))
		// A platform that the image's own configuration denies.
		pushIndex(t, repo+":liar", kind, forPlatform(arm, "linux", "amd64"), forPlatform(amd, "linux", "arm64"))

		dir := t.TempDir()
		write := func(sub string, index v1.ImageIndex) string {
			to := filepath.Join(dir, sub)
			if _, err := layout.Write(to, index); err != nil {
				t.Fatal(err)
			}
			return "oci:" + to
		}
		one := write("one", indexOf(types.OCIImageIndex, forPlatform(amd, "", "")))
		many := write("many", indexOf(types.OCIImageIndex, forPlatform(amd, "", ""), forPlatform(arm, "linux", "arm64")))
		nested := write("nested", indexOf(types.OCIImageIndex, mutate.IndexAddendum{Add: indexOf(kind, forPlatform(arm, "linux", "arm64"), forPlatform(amd, "linux", "amd64"))}))

		for _, c := range []struct {
			ref, architecture string
			want              v1.Image
			fails             string
		}{
			{repo + ":one", "x86_64", amd, ""},
			{repo + ":one", "arm64", nil, "is for linux/amd64, but the function's architecture is arm64"},
			{repo + "@" + digest(t, amd), "x86_64", amd, ""},
			{repo + ":list", "x86_64", amd, ""},
			{repo + ":list", "arm64", arm, ""},
			{repo + ":silent", "arm64", arm, ""},
			{repo + ":liar", "x86_64", nil, "is for linux/arm64"},
			{repo + ":none", "x86_64", nil, "there is no image"},
			{repo + ":one", "riscv", nil, "x86_64 or arm64"},
			{one, "x86_64", amd, ""},
			{one, "arm64", nil, "is for linux/amd64"},
			{many, "x86_64", amd, ""},
			{many, "arm64", arm, ""},
			{nested, "arm64", arm, ""},
			{nested, "x86_64", amd, ""},
			{"oci:" + dir + "/none", "x86_64", nil, "there is no directory"},
		} {
			base, err := ResolveBase(context.Background(), c.ref, c.architecture)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%s for %s: %v, want %q", c.ref, c.architecture, err, c.fails)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s for %s: %v", c.ref, c.architecture, err)
				continue
			}
			if base.Digest.String() != digest(t, c.want) || base.Reference != c.ref || base.MediaType != kin.manifest {
				t.Errorf("%s for %s: %+v", c.ref, c.architecture, base)
			}
		}
	}
}

func TestResolveBaseNamesWhatThereIs(t *testing.T) {
	host := serve(t)
	amd := awsBase(t, ociFamily, "amd64")
	pushIndex(t, host+"/x:list", types.OCIImageIndex, forPlatform(amd, "linux", "amd64"))
	_, err := ResolveBase(context.Background(), host+"/x:list", "arm64")
	if err == nil || !strings.Contains(err.Error(), "linux/amd64 "+digest(t, amd)) || !strings.Contains(err.Error(), "--base") {
		t.Errorf("an index without the architecture: %v", err)
	}
	other := configured(t, amd, func(c *v1.ConfigFile) { c.Author = "another" })
	pushIndex(t, host+"/x:two", types.OCIImageIndex, forPlatform(amd, "linux", "amd64"), forPlatform(other, "linux", "amd64"))
	if _, err = ResolveBase(context.Background(), host+"/x:two", "x86_64"); err == nil || !strings.Contains(err.Error(), "2 images for linux/amd64") {
		t.Errorf("an index with two: %v", err)
	}
	push(t, host+"/x:bare", imageOf(t, ociFamily, v1.ConfigFile{}))
	if _, err = ResolveBase(context.Background(), host+"/x:bare", "x86_64"); err == nil || !strings.Contains(err.Error(), "does not say its os") {
		t.Errorf("a configuration without a platform: %v", err)
	}
}

func TestResolveBaseExplainsRefusals(t *testing.T) {
	once := remote.WithRetryBackoff(remote.Backoff{Duration: time.Nanosecond, Steps: 1})
	for status, want := range map[int]string{
		http.StatusUnauthorized: "log in", http.StatusForbidden: "log in", http.StatusTooManyRequests: "too many requests", http.StatusNotFound: "there is no image",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		_, err := ResolveBase(context.Background(), strings.TrimPrefix(server.URL, "http://")+"/x:1", "x86_64", once)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("status %d: %v, want %q", status, err, want)
		}
		server.Close()
	}
}

func TestRuntimes(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Runtimes() {
		if seen[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		seen[r.ID] = true
		if r.OS == "" {
			t.Errorf("%s has no OS", r.ID)
		}
		if !r.Blocked.IsZero() && r.Blocked.Before(r.Deprecated) {
			t.Errorf("%s is blocked before it is deprecated", r.ID)
		}
		base, err := BaseFor(r.ID)
		if (err == nil) != (r.Base != "") || base != r.Base {
			t.Errorf("%s: base %q, %v", r.ID, base, err)
		}
		if r.Base != "" && (strings.Count(r.Base, ":") != 1 || strings.HasSuffix(r.Base, ".x")) {
			t.Errorf("%s: base %q is no repository and tag", r.ID, r.Base)
		}
	}
	for id, want := range map[string]string{
		"nodejs22.x": "nodejs:22", "python3.13": "python:3.13", "java8.al2": "java:8.al2", "dotnetcore3.1": "dotnet:core3.1",
		"dotnet8": "dotnet:8", "ruby3.4": "ruby:3.4", "provided.al2023": "provided:al2023", "provided": "provided:alami", "go1.x": "go:1",
	} {
		if got, err := BaseFor(id); err != nil || got != want {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	for _, id := range []string{"", "nodejs", "node22", "nodejs22"} {
		if got, err := BaseFor(id); err == nil || !strings.Contains(err.Error(), "--base") {
			t.Errorf("%q: %q, %v", id, got, err)
		}
	}
}
