package objects

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Object is one archive. It never changes.
type Object struct {
	SHA256   string // hex
	Unzipped int64  // sum of the entries' sizes
	Entries  int
	data     []byte
}

// Size is the archive's length in bytes.
func (o *Object) Size() int64 { return int64(len(o.data)) }

// CodeSHA256 is the hash as Lambda writes it: base64.
func (o *Object) CodeSHA256() string {
	sum, _ := hex.DecodeString(o.SHA256) // made by hex.EncodeToString below
	return base64.StdEncoding.EncodeToString(sum)
}

// Zip is the archive for the parts that read it.
func (o *Object) Zip() wire.Zip {
	return wire.Zip{SHA256: o.SHA256, Size: o.Size(), Reader: bytes.NewReader(o.data)}
}

// Store keeps objects by hash. It is safe for concurrent use.
type Store struct {
	host func() string
	key  []byte // signs URLs

	mu   sync.RWMutex
	held map[string]*Object
}

// New makes an empty store whose URLs are under http://host(); key signs them.
func New(host func() string, key []byte) *Store {
	return &Store{host: host, key: key, held: map[string]*Object{}}
}

// Add keeps an archive, once, and returns it. It fails when data is no zip.
func (s *Store) Add(data []byte) (*Object, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	if o := s.Get(name); o != nil {
		return o, nil
	}
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	o := &Object{SHA256: name, data: bytes.Clone(data), Entries: len(zr.File)}
	for _, f := range zr.File {
		// Enough is enough: no sum of what a zip claims may run over.
		o.Unzipped = min(o.Unzipped+int64(min(f.UncompressedSize64, 1<<40)), 1<<50)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if had := s.held[name]; had != nil {
		return had, nil
	}
	s.held[name] = o
	return o, nil
}

// Get returns the object with a hash in hex, nil when there is none.
func (s *Store) Get(sha256 string) *Object {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.held[sha256]
}

// Save writes the objects that keep says to dir, one file per hash, and removes
// no other file.
func (s *Store) Save(dir string, keep func(sha256 string) bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("save archives: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for name, o := range s.held {
		if !keep(name) {
			continue
		}
		file := filepath.Join(dir, name)
		if st, err := os.Stat(file); err == nil && st.Size() == o.Size() {
			continue
		}
		if err := os.WriteFile(file+".part", o.data, 0o600); err != nil {
			return fmt.Errorf("save archive: %w", err)
		}
		if err := os.Rename(file+".part", file); err != nil {
			return fmt.Errorf("save archive: %w", err)
		}
	}
	return nil
}

// Load reads the objects of names from dir.
func (s *Store) Load(dir string, names []string) error {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("load archive: %w", err)
		}
		o, err := s.Add(data)
		if err != nil {
			return fmt.Errorf("load archive %s: %w", name, err)
		}
		if o.SHA256 != name {
			return fmt.Errorf("load archive %s: its content has SHA-256 %s; delete the saved state", name, o.SHA256)
		}
	}
	return nil
}
