package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const stateFile = "ecr.json"

type saved struct {
	Repositories map[string]*repository `json:"repositories"`
	Settings     []savedSettings        `json:"settings"`
}

type savedSettings struct {
	Home   home              `json:"home"`
	Values map[string]string `json:"values"`
}

// Save writes everything into dir.
func (s *Service) Save(dir string) error {
	if err := s.oci.Save(dir); err != nil {
		return err
	}
	s.mu.RLock()
	state := saved{Repositories: s.repos}
	for h, values := range s.settings {
		state.Settings = append(state.Settings, savedSettings{h, values})
	}
	raw, err := json.Marshal(state)
	s.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("save ECR: %w", err)
	}
	temporary := filepath.Join(dir, stateFile+".new")
	if err := os.WriteFile(temporary, raw, 0o600); err != nil {
		return fmt.Errorf("save ECR: %w", err)
	}
	return os.Rename(temporary, filepath.Join(dir, stateFile))
}

// Load brings back what Save wrote; a directory that was never saved to changes
// nothing.
func (s *Service) Load(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load ECR: %w", err)
	}
	var state saved
	if err := json.Unmarshal(raw, &state); err != nil {
		return fmt.Errorf("load ECR from %s: %w", dir, err)
	}
	if err := s.oci.Load(dir); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, repo := range state.Repositories {
		s.repos[path] = repo
		s.oci.Create(path)
		s.oci.Protect(path, protection(repo.Mutability, repo.Exclusions))
	}
	for _, set := range state.Settings {
		s.settings[set.Home] = set.Values
	}
	return nil
}
