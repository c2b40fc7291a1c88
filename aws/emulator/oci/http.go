package oci

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxTags is the largest page of tags (github.com/google/go-containerregistry#1091).
const maxTags = 1000

// ServeHTTP answers everything under /v2/.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if err := r.serve(w, req); err != nil {
		if e, ok := err.(*Error); ok && e.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="http://%s/",service="ecr.amazonaws.com"`, req.Host))
		}
		writeError(w, err)
	}
}

func (r *Registry) serve(w http.ResponseWriter, req *http.Request) error {
	path := strings.TrimPrefix(req.URL.Path, "/v2")
	if path == "" || path == "/" {
		// The check of the API's version needs the token, also for those who
		// only read public repositories: the challenge tells them the scheme.
		if bad := r.authorize(req); bad != nil {
			return bad
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
		return nil
	}
	name, verb, rest := split(strings.TrimPrefix(path, "/"))
	exists, public := r.Exists(name)
	if !public {
		if bad := r.authorize(req); bad != nil {
			return bad
		}
	} else if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return fail(http.StatusForbidden, "DENIED", "The repository '%s' is read-only", name)
	}
	if verb == "" {
		return fail(http.StatusNotFound, "UNSUPPORTED", "The operation is unsupported.")
	}
	if !exists {
		return r.nameUnknown(name)
	}
	switch verb {
	case "manifests":
		return r.serveManifest(w, req, name, rest)
	case "uploads":
		return r.serveUpload(w, req, name, rest)
	case "blobs":
		return r.serveBlob(w, req, name, rest)
	case "tags":
		return r.serveTags(w, req, name)
	default:
		return r.serveReferrers(w, req, name, rest)
	}
}

// split takes "team/app/manifests/v1" apart. The verb is "" for anything that is
// not an operation, among them the catalogue, which ECR does not have.
func split(path string) (name, verb, rest string) {
	parts := strings.Split(path, "/")
	n := len(parts)
	switch {
	case n >= 3 && parts[n-2] == "uploads" && n >= 4 && parts[n-3] == "blobs":
		return strings.Join(parts[:n-3], "/"), "uploads", parts[n-1]
	case n >= 3 && parts[n-2] == "blobs" && parts[n-1] == "uploads":
		return strings.Join(parts[:n-2], "/"), "uploads", ""
	case n >= 3 && parts[n-2] == "tags" && parts[n-1] == "list":
		return strings.Join(parts[:n-2], "/"), "tags", ""
	case n >= 3 && (parts[n-2] == "manifests" || parts[n-2] == "blobs" || parts[n-2] == "referrers"):
		return strings.Join(parts[:n-2], "/"), parts[n-2], parts[n-1]
	}
	return path, "", ""
}

func (r *Registry) serveBlob(w http.ResponseWriter, req *http.Request, name, reference string) error {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return unsupported()
	}
	digest, err := v1.NewHash(reference)
	if err != nil {
		return fail(http.StatusBadRequest, "DIGEST_INVALID", "The digest '%s' is not valid", reference)
	}
	blob, _, err := r.Blob(name, digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", digest.String())
	w.Header().Set("ETag", `"`+digest.String()+`"`)
	http.ServeContent(w, req, "", time.Time{}, blob)
	return nil
}

func (r *Registry) serveTags(w http.ResponseWriter, req *http.Request, name string) error {
	if req.Method != http.MethodGet {
		return unsupported()
	}
	query := req.URL.Query()
	size := maxTags
	if n := query.Get("n"); n != "" {
		asked, err := strconv.Atoi(n)
		if err != nil || asked < 0 {
			return fail(http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested: %s", n)
		}
		size = min(asked, maxTags)
	}
	r.mu.RLock()
	repo := r.repos[name]
	if repo == nil {
		r.mu.RUnlock()
		return r.nameUnknown(name)
	}
	tags := make([]string, 0, len(repo.tags))
	for tag := range repo.tags {
		if tag > query.Get("last") {
			tags = append(tags, tag)
		}
	}
	r.mu.RUnlock()
	sort.Strings(tags)
	if len(tags) > size {
		tags = tags[:size]
		if size > 0 {
			next := url.Values{"n": {strconv.Itoa(size)}, "last": {tags[size-1]}}
			w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?%s>; rel="next"`, name, next.Encode()))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{name, tags})
}
