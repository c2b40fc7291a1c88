package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/optlift/optlift/aws/emulator/events"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// The state of Lambda is one JSON file next to a directory of archives.
const (
	stateFile = "lambda.json"
	stateZips = "archives"
)

type saved struct {
	Schema int
	// Host is the registry's, which is in every image URI and may be another next time.
	Host    string
	Regions []*region
	Events  []events.Event `json:",omitempty"`
}

// Save writes everything to dir. Changes under way are brought to their end.
func (s *Store) Save(dir string) error {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	used := map[string]bool{}
	state := saved{Schema: 1, Host: s.opts.Host()}
	state.Events = s.events.Saved()
	for _, r := range s.regions {
		state.Regions = append(state.Regions, r)
		for _, h := range r.archives() {
			used[h] = true
		}
	}
	if err := s.opts.Objects.Save(filepath.Join(dir, stateZips), func(h string) bool { return used[h] }); err != nil {
		return err
	}
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("save functions: %w", err)
	}
	file := filepath.Join(dir, stateFile)
	if err := os.WriteFile(file+".part", text, 0o600); err != nil {
		return fmt.Errorf("save functions: %w", err)
	}
	if err := os.Rename(file+".part", file); err != nil {
		return fmt.Errorf("save functions: %w", err)
	}
	return nil
}

// archives lists the hashes that a region's functions and layers need.
func (r *region) archives() []string {
	var out []string
	for _, f := range r.Functions {
		for _, v := range f.all() {
			if v.Object != "" {
				out = append(out, v.Object)
			}
			out = append(out, v.Layers...)
		}
	}
	for _, l := range r.Layers {
		for _, v := range l.Versions {
			out = append(out, v.Object)
		}
	}
	return out
}

// Load reads what Save wrote; it reports false when dir holds no state.
func (s *Store) Load(dir string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("load functions: %w", err)
	}
	var state saved
	if err := json.Unmarshal(text, &state); err != nil {
		return false, fmt.Errorf("load functions: %s: %w", filepath.Join(dir, stateFile), err)
	}
	if state.Schema != 1 {
		return false, fmt.Errorf("load functions: %s has schema %d, this program reads 1", filepath.Join(dir, stateFile), state.Schema)
	}
	names := map[string]bool{}
	for _, r := range state.Regions {
		for _, h := range r.archives() {
			names[h] = true
		}
	}
	if err := s.opts.Objects.Load(filepath.Join(dir, stateZips), keys(names)); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range state.Regions {
		r.fill()
		for _, f := range r.Functions {
			f.fill()
			for _, v := range f.all() {
				v.rehost(state.Host, s.opts.Host())
			}
		}
		s.regions[place{r.Account, r.Region}] = r
	}
	s.events.Load(state.Events)
	return true, nil
}

// rehost moves a version's image to where the registry is now.
func (v *version) rehost(from, to string) {
	if v.Image == nil {
		return
	}
	move := func(uri string) string {
		if rest, ok := strings.CutPrefix(uri, from+"/"); ok {
			return to + "/" + rest
		}
		return uri
	}
	v.Image = &wire.Image{URI: move(v.Image.URI), Resolved: move(v.Image.Resolved), Digest: v.Image.Digest}
}
