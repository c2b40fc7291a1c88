package oci

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	// minPart is the smallest part that may be followed by another
	// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html).
	minPart = 5 << 20
	// maxUploads bounds the sessions that clients leave behind.
	maxUploads = 4096
)

// upload is a session of one client. Its bytes go to a file and its hash is kept
// up to date, so that neither memory nor a second read is needed at the end.
type upload struct {
	id   string
	repo string

	mu       sync.Mutex // held while a request of the session is served
	file     *os.File
	hash     hash.Hash
	size     int64
	lastPart int64
	parts    int
	done     bool
}

func (r *Registry) startUpload(name string) (*upload, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	h := hex.EncodeToString(raw)
	id := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	if len(r.uploads) >= maxUploads {
		return nil, fail(http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded: %d uploads are open", len(r.uploads))
	}
	dir, err := r.Dir()
	if err != nil {
		return nil, fmt.Errorf("start an upload to %s: %w", name, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "uploads", id), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start an upload to %s: %w", name, err)
	}
	u := &upload{id: id, repo: name, file: file, hash: sha256.New()}
	r.uploads[id] = u
	return u, nil
}

func (r *Registry) findUpload(name, id string) (*upload, *Error) {
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	u := r.uploads[id]
	if u == nil || u.repo != name {
		return nil, uploadUnknown(id)
	}
	return u, nil
}

func (r *Registry) dropUpload(u *upload) {
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	delete(r.uploads, u.id)
}

// abandon gives up a session. The caller must not hold its lock.
func (u *upload) abandon() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.done {
		return
	}
	u.done = true
	// A spool file that can't be closed or removed goes with its directory.
	_ = u.file.Close()
	_ = os.Remove(u.file.Name())
}

// append adds a part that starts at first. What arrived before a broken
// connection stays in the session, as it does at ECR. The caller holds the lock.
func (u *upload) append(first int64, body io.Reader) error {
	if u.done {
		return uploadUnknown(u.id)
	}
	if first != u.size {
		return wrongFirstByte(first, u.size)
	}
	if u.parts > 0 && u.lastPart < minPart {
		// The text of CloudTrail's LayerPartTooSmallException
		// (github.com/dotnet/sdk-container-builds#424).
		return fail(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "All layer parts except the last part should be at least 5MB")
	}
	n, err := io.Copy(io.MultiWriter(u.file, u.hash), body)
	u.size += n
	if n > 0 {
		u.parts++
		u.lastPart = n
	}
	if err != nil {
		return fmt.Errorf("read the layer part: %w", err)
	}
	return nil
}

// firstByte reads "Content-Range: 0-99" or "bytes 0-99/*"; a part without one
// starts at 0, which is what ECR takes a restarted upload for.
func firstByte(header string) (int64, *Error) {
	header = strings.TrimPrefix(strings.TrimSpace(header), "bytes ")
	if header == "" {
		return 0, nil
	}
	first, _, ok := strings.Cut(header, "-")
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, fail(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "The Content-Range '%s' is not valid", header)
	}
	return n, nil
}

// finish checks the digest and moves the spooled file among the blobs.
func (r *Registry) finish(u *upload, want v1.Hash) error {
	if u.done {
		return uploadUnknown(u.id)
	}
	if u.size == 0 {
		return r.noParts(u.id, u.repo)
	}
	got := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(u.hash.Sum(nil))}
	if got != want {
		return fail(http.StatusBadRequest, "DIGEST_INVALID",
			"The layer digest '%s' does not match the digest '%s' that Amazon ECR has calculated.", want, got)
	}
	u.done = true
	if err := u.file.Close(); err != nil {
		return fmt.Errorf("finish upload of %s: %w", want, err)
	}
	if err := r.keep(u.file.Name(), want); err != nil {
		return fmt.Errorf("finish upload of %s: %w", want, err)
	}
	return r.link(u.repo, want, u.size)
}

// serveUpload answers POST (start), PATCH (part), PUT (last part and end), GET
// (how far) and DELETE (give up).
func (r *Registry) serveUpload(w http.ResponseWriter, req *http.Request, name, id string) error {
	if id == "" {
		if req.Method != http.MethodPost {
			return unsupported()
		}
		return r.serveStart(w, req, name)
	}
	u, missing := r.findUpload(name, id)
	if missing != nil {
		return missing
	}
	if req.Method == http.MethodDelete {
		u.abandon()
		r.dropUpload(u)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch req.Method {
	case http.MethodGet:
		u.describe(w)
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodPatch:
		first, bad := firstByte(req.Header.Get("Content-Range"))
		if bad != nil {
			return bad
		}
		if err := u.append(first, req.Body); err != nil {
			return err
		}
		u.describe(w)
		// ECR answers 201 where the specification says 202
		// (github.com/openai/tart#273, github.com/aws/containers-roadmap#2831).
		w.WriteHeader(http.StatusCreated)
		return nil
	case http.MethodPut:
		return r.servePutBlob(w, req, u)
	}
	return unsupported()
}

func (r *Registry) serveStart(w http.ResponseWriter, req *http.Request, name string) error {
	query := req.URL.Query()
	if digest, err := v1.NewHash(query.Get("mount")); err == nil && r.mount(name, query.Get("from"), digest) {
		w.Header().Set("Location", "/v2/"+name+"/blobs/"+digest.String())
		w.Header().Set("Docker-Content-Digest", digest.String())
		w.WriteHeader(http.StatusCreated)
		return nil
	}
	u, err := r.startUpload(name)
	if err != nil {
		return err
	}
	u.describe(w)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (r *Registry) servePutBlob(w http.ResponseWriter, req *http.Request, u *upload) error {
	digest, err := v1.NewHash(req.URL.Query().Get("digest"))
	if err != nil {
		return fail(http.StatusBadRequest, "DIGEST_INVALID", "The digest '%s' is not valid", req.URL.Query().Get("digest"))
	}
	if req.ContentLength != 0 {
		first, bad := firstByte(req.Header.Get("Content-Range"))
		if bad != nil {
			return bad
		}
		if req.Header.Get("Content-Range") == "" {
			first = u.size // a body without a range closes the upload where it stands
		}
		if err := u.append(first, req.Body); err != nil {
			return err
		}
	}
	if err := r.finish(u, digest); err != nil {
		return err
	}
	r.dropUpload(u)
	w.Header().Set("Location", "/v2/"+u.repo+"/blobs/"+digest.String())
	w.Header().Set("Docker-Content-Digest", digest.String())
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (u *upload) describe(w http.ResponseWriter) {
	w.Header().Set("Location", "/v2/"+u.repo+"/blobs/uploads/"+u.id)
	w.Header().Set("Docker-Upload-UUID", u.id)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(u.size-1, 0)))
}
