package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const stateFile = "buckets.json"

// Save writes everything to dir, each object once by its hash.
func (s *Store) Save(dir string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	files := filepath.Join(dir, "buckets")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return fmt.Errorf("save buckets: %w", err)
	}
	for _, o := range each(s.buckets) {
		if err := write(filepath.Join(files, o.SHA256), o.data); err != nil {
			return fmt.Errorf("save object: %w", err)
		}
	}
	text, err := json.Marshal(s.buckets)
	if err != nil {
		return fmt.Errorf("save buckets: %w", err)
	}
	return write(filepath.Join(dir, stateFile), text)
}

// each lists the versions that have content.
func each(buckets map[string]*bucket) []*object {
	var out []*object
	for _, b := range buckets {
		for _, versions := range b.Objects {
			for _, o := range versions {
				if !o.Marker {
					out = append(out, o)
				}
			}
		}
	}
	return out
}

// write makes a file appear whole or not at all.
func write(file string, content []byte) error {
	if err := os.WriteFile(file+".part", content, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// Load brings back what Save wrote; a directory without anything changes nothing.
func (s *Store) Load(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	loaded := map[string]*bucket{}
	if err == nil {
		err = json.Unmarshal(text, &loaded)
	}
	if err != nil {
		return fmt.Errorf("load buckets: %w", err)
	}
	for _, o := range each(loaded) {
		if o.data, err = os.ReadFile(filepath.Join(dir, "buckets", filepath.Base(o.SHA256))); err != nil {
			return fmt.Errorf("load object: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets = loaded
	return nil
}
