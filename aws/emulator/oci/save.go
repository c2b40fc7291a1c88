package oci

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// savedRepository is a repository in a saved registry. Public repositories are
// made by code at every start and are not saved.
type savedRepository struct {
	Name      string            `json:"name"`
	Blobs     map[string]int64  `json:"blobs"`
	Manifests []*Manifest       `json:"manifests"`
	Tags      map[string]string `json:"tags"`
}

type saved struct {
	Repositories []savedRepository `json:"repositories"`
}

const stateFile = "registry.json"

// Save writes the registry into dir: a description and the blobs.
func (r *Registry) Save(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "blobs"), 0o700); err != nil {
		return fmt.Errorf("save the registry: %w", err)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var state saved
	for _, repo := range r.repos {
		if repo.public {
			continue
		}
		s := savedRepository{Name: repo.name, Blobs: map[string]int64{}, Tags: map[string]string{}}
		for digest, size := range repo.blobs {
			s.Blobs[digest.String()] = size
			if err := r.saveBlob(dir, digest); err != nil {
				return fmt.Errorf("save blob %s: %w", digest, err)
			}
		}
		for tag, digest := range repo.tags {
			s.Tags[tag] = digest.String()
		}
		for _, m := range repo.manifests {
			s.Manifests = append(s.Manifests, m)
		}
		state.Repositories = append(state.Repositories, s)
	}
	raw, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("save the registry: %w", err)
	}
	return writeFile(filepath.Join(dir, stateFile), raw)
}

// saveBlob puts one blob into dir unless it is there.
func (r *Registry) saveBlob(dir string, digest v1.Hash) error {
	target := filepath.Join(dir, "blobs", digest.Algorithm+"-"+digest.Hex)
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if content, ok := r.small[digest]; ok {
		return writeFile(target, content)
	}
	from, err := r.blobPath(digest)
	if err != nil {
		return err
	}
	return share(from, target)
}

// Load brings back what Save wrote. A directory that was never saved to changes
// nothing.
func (r *Registry) Load(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the registry: %w", err)
	}
	var state saved
	if err := json.Unmarshal(raw, &state); err != nil {
		return fmt.Errorf("load the registry from %s: %w", dir, err)
	}
	for _, s := range state.Repositories {
		r.Create(s.Name)
		for text, size := range s.Blobs {
			digest, err := v1.NewHash(text)
			if err != nil {
				return fmt.Errorf("load repository %s: %w", s.Name, err)
			}
			target, err := r.blobPath(digest)
			if err != nil {
				return fmt.Errorf("load blob %s of repository %s: %w", digest, s.Name, err)
			}
			if _, err := os.Stat(target); err != nil {
				if err := share(filepath.Join(dir, "blobs", digest.Algorithm+"-"+digest.Hex), target); err != nil {
					return fmt.Errorf("load blob %s of repository %s: %w", digest, s.Name, err)
				}
			}
			if err := r.link(s.Name, digest, size); err != nil {
				return err
			}
		}
		r.mu.Lock()
		repo := r.repos[s.Name]
		for _, m := range s.Manifests {
			repo.manifests[m.Digest] = m
		}
		for tag, text := range s.Tags {
			digest, err := v1.NewHash(text)
			if err != nil {
				r.mu.Unlock()
				return fmt.Errorf("load repository %s: %w", s.Name, err)
			}
			repo.tags[tag] = digest
		}
		r.mu.Unlock()
	}
	return nil
}

// share gives a file a second name, or copies it where that can't be done.
func share(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".blob-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// writeFile appears whole or not at all.
func writeFile(path string, content []byte) error {
	out, err := os.CreateTemp(filepath.Dir(path), ".state-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := out.Write(content); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), path)
}
