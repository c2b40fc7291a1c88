package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Error is a registry's answer: an HTTP status and one entry of the error list
// of https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is matches two errors by their code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// What a caller inside the account may ask for with errors.Is.
var (
	ErrNameUnknown     = &Error{Code: "NAME_UNKNOWN"}
	ErrManifestUnknown = &Error{Code: "MANIFEST_UNKNOWN"}
	ErrBlobUnknown     = &Error{Code: "BLOB_UNKNOWN"}
)

func fail(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// nameUnknown has the text that clients of ECR report
// (github.com/actions/starter-workflows#2647).
func (r *Registry) nameUnknown(name string) *Error {
	return fail(http.StatusNotFound, "NAME_UNKNOWN",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, r.account)
}

func manifestUnknown() *Error {
	return fail(http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
}

func blobUnknown(digest v1.Hash) *Error {
	return fail(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry: %s", digest)
}

// tagImmutable has the text of github.com/moby/buildkit#3776.
func tagImmutable(tag, name string) *Error {
	return fail(http.StatusBadRequest, "TAG_INVALID",
		"The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable.", tag, name)
}

// manifestMismatch has the text of github.com/google/go-containerregistry#1568.
func (r *Registry) manifestMismatch(digest, name string) *Error {
	return fail(http.StatusBadRequest, "MANIFEST_INVALID",
		"The image with digest '%s' in repository '%s' and registry ID '%s' does not match the image digest that Amazon ECR has calculated.",
		digest, name, r.account)
}

// missing has the text of github.com/int128/docker-manifest-create-action#63;
// what is "Images" for the children of a list and "Layers" for blobs.
func (r *Registry) missing(what string, digests []string, name string) *Error {
	return fail(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN",
		"%s with digests '[%s]' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist",
		what, strings.Join(digests, ", "), name, r.account)
}

// wrongFirstByte has the text of github.com/apple/container#1895: a client that
// starts again must open a new session.
func wrongFirstByte(got, want int64) *Error {
	return fail(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID",
		"First byte of the layer part is %d instead of %d", got, want)
}

// noParts has the text of github.com/radius-project/radius#7855: ECR can't store
// an empty blob.
func (r *Registry) noParts(id, name string) *Error {
	return fail(http.StatusBadRequest, "BLOB_UPLOAD_INVALID",
		"The upload with id '%s' in the repository with name '%s' in registry with id '%s' cannot be completed because it does not have any parts.",
		id, name, r.account)
}

func uploadUnknown(id string) *Error {
	return fail(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "The upload with id '%s' does not exist", id)
}

func unsupported() *Error {
	return fail(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.")
}

func writeError(w http.ResponseWriter, err error) {
	var e *Error
	if !errors.As(err, &e) {
		e = fail(http.StatusInternalServerError, "UNKNOWN", "%s", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.Status)
	// The client may be gone: nobody is left to be told.
	_ = json.NewEncoder(w).Encode(struct {
		Errors []*Error `json:"errors"`
	}{[]*Error{e}})
}
