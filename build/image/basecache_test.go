package image

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// counting stands before a registry and counts the blobs that are asked for.
func counting(t *testing.T, host string) (proxy string, downloads func() map[string]int) {
	t.Helper()
	var mu sync.Mutex
	count := map[string]int{}
	next := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i := strings.Index(r.URL.Path, "/blobs/sha256:"); i > 0 && r.Method == http.MethodGet {
			mu.Lock()
			count[r.URL.Path[i+len("/blobs/sha256:"):]]++
			mu.Unlock()
		}
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1), func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(count)
	}
}

func TestBaseLayersAreDownloadedOnce(t *testing.T) {
	req := request(t, ociFamily)
	host, downloads := counting(t, strings.TrimSuffix(req.BaseRegistry, "/lambda"))
	req.BaseRegistry = host + "/lambda"
	req.BaseCache = filepath.Join(t.TempDir(), "bases")
	manifest, _ := awsBase(t, ociFamily, "amd64").Manifest()
	for range 2 {
		built := mustBuild(t, req)
		out := filepath.Join(t.TempDir(), "out")
		if err := WriteOCI(context.Background(), built.Image, out, ""); err != nil {
			t.Fatal(err)
		}
		back, err := Open(context.Background(), "oci:"+out)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(back); err != nil {
			t.Error(err)
		}
		layers, err := built.Image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := layers[0].(*remote.MountableLayer); !ok {
			t.Error("a push could not mount the base's layer any more")
		}
		for _, d := range manifest.Layers {
			if n := downloads()[d.Digest.Hex]; n != 1 {
				t.Errorf("the base's layer %s was downloaded %d times", d.Digest, n)
			}
		}
	}
}

func TestBaseCacheHeals(t *testing.T) {
	req := request(t, dockerFamily)
	req.BaseCache = t.TempDir()
	mustBuild(t, req)
	manifest, _ := awsBase(t, dockerFamily, "amd64").Manifest()
	file := filepath.Join(req.BaseCache, manifest.Layers[0].Digest.Hex)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[9]++ // a byte that the contents do not depend on
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Build(context.Background(), req)
	var rejected *RejectedError
	if !errors.As(err, &rejected) || rejected.Built.Findings[0].Rule != "digest" {
		t.Fatalf("a damaged copy of the base: %v", err)
	}
	mustBuild(t, req) // with a new copy
	if err := os.WriteFile(file, b[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	mustBuild(t, req) // half a copy is seen by its size
}

func TestBaseCacheKeepsOnlyWhatItNames(t *testing.T) {
	c := &baseCache{dir: t.TempDir(), max: 1 << 20}
	l := plainLayer(t, ociFamily, text("a", "1"))
	l.blob = append(l.blob, 0)
	if _, err := c.layer(l).Compressed(); err == nil || !strings.Contains(err.Error(), l.digest.String()) {
		t.Errorf("a layer with other bytes: %v", err)
	}
	if left := entries(t, c.dir); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestBaseCacheIsCapped(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i, body := range []string{"one", "two", "three"} {
		l := plainLayer(t, ociFamily, text("a", body))
		c := &baseCache{dir: dir, max: 2 * int64(len(l.blob))}
		rc, err := c.layer(l).Compressed()
		if err != nil {
			t.Fatal(err)
		}
		rc.Close()
		names = append(names, l.digest.Hex)
		old := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(filepath.Join(dir, l.digest.Hex), old, old); err != nil {
			t.Fatal(err)
		}
	}
	left := strings.Join(entries(t, dir), " ")
	if strings.Contains(left, names[0]) || !strings.Contains(left, names[2]) {
		t.Errorf("left %s; the oldest, %s, should be gone and the newest, %s, there", left, names[0], names[2])
	}
}
