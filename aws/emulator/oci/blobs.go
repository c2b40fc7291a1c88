package oci

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Blob is an open blob; the reader must be closed.
type Blob interface {
	io.ReadSeekCloser
	io.ReaderAt
}

type memoryBlob struct{ *bytes.Reader }

func (memoryBlob) Close() error { return nil }

func (r *Registry) blobPath(digest v1.Hash) (string, error) {
	dir, err := r.Dir()
	return filepath.Join(dir, "blobs", digest.Algorithm+"-"+digest.Hex), err
}

// Blob opens a blob of a repository. The errors match ErrNameUnknown and
// ErrBlobUnknown.
func (r *Registry) Blob(name string, digest v1.Hash) (Blob, int64, error) {
	r.mu.RLock()
	repo := r.repos[name]
	var size int64
	var held bool
	if repo != nil {
		size, held = repo.blobs[digest]
	}
	content, inMemory := r.small[digest]
	r.mu.RUnlock()
	switch {
	case repo == nil:
		return nil, 0, r.nameUnknown(name)
	case !held:
		return nil, 0, blobUnknown(digest)
	case inMemory:
		return memoryBlob{bytes.NewReader(content)}, size, nil
	}
	path, err := r.blobPath(digest)
	if err != nil {
		return nil, 0, fmt.Errorf("open blob %s: %w", digest, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open blob %s: %w", digest, err)
	}
	return f, size, nil
}

// PutSmall stores a blob made by code in memory and links it to a repository.
func (r *Registry) PutSmall(name string, content []byte) (v1.Hash, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		return digest, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	repo := r.repos[name]
	if repo == nil {
		return digest, r.nameUnknown(name)
	}
	r.small[digest] = content
	repo.blobs[digest] = size
	return digest, nil
}

// keep moves a spooled file to its place among the blobs. Equal content that is
// there already wins.
func (r *Registry) keep(file string, digest v1.Hash) error {
	r.blobWrites.Lock()
	defer r.blobWrites.Unlock()
	path, err := r.blobPath(digest)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return os.Remove(file)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(file, path)
}

// link lets a repository serve a blob.
func (r *Registry) link(name string, digest v1.Hash, size int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo := r.repos[name]
	if repo == nil {
		return r.nameUnknown(name)
	}
	repo.blobs[digest] = size
	return nil
}

// mount links a blob of another repository, when the account allows it.
func (r *Registry) mount(name, from string, digest v1.Hash) bool {
	if !r.mayMount(from, name) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	source, target := r.repos[from], r.repos[name]
	// The public repositories stand for another registry, and only those of the
	// same registry can be mounted from.
	if source == nil || target == nil || source.public {
		return false
	}
	size, ok := source.blobs[digest]
	if ok {
		target.blobs[digest] = size
	}
	return ok
}
