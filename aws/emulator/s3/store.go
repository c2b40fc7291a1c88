package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// mostObject is the largest object, in bytes. S3 takes 5 GB at once; code that
// Lambda can take is far smaller, and this account keeps objects in memory.
const mostObject = 512 << 20

// bucket names are everybody's: they are unique over all accounts and regions.
type bucket struct {
	Account, Region string
	Objects         map[string]*object
}

// object never changes: another put makes another.
type object struct {
	ETag, ContentType string
	Modified          time.Time
	SHA256            string // hex; names the saved file
	data              []byte
}

// Store is S3, in every account and region. It is safe for concurrent use.
type Store struct {
	mu      sync.RWMutex
	buckets map[string]*bucket
}

// New makes an S3 without buckets.
func New() *Store { return &Store{buckets: map[string]*bucket{}} }

// Error is a refusal of S3's.
type Error struct {
	Status        int
	Code, Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

var (
	noBucket = &Error{404, "NoSuchBucket", "The specified bucket does not exist"}
	noKey    = &Error{404, "NoSuchKey", "The specified key does not exist."}
	denied   = &Error{403, "AccessDenied", "Access Denied"}
)

// find returns a bucket that an account may use. The caller holds s.mu.
func (s *Store) find(account, region, name string) (*bucket, *Error) {
	b := s.buckets[name]
	switch {
	case b == nil:
		return nil, noBucket
	case b.Account != account:
		return nil, denied
	case b.Region != region:
		// As Lambda quotes it in github.com/hashicorp/terraform/issues/16821.
		return nil, &Error{301, "PermanentRedirect", "The bucket is in this region: " + b.Region + ". Please use this region to retry the request"}
	}
	return b, nil
}

// Read returns an object's bytes, which must not be changed. The error is an
// *Error.
func (s *Store) Read(account, region, name, key string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, e := s.find(account, region, name)
	if e != nil {
		return nil, e
	}
	o := b.Objects[key]
	if o == nil {
		return nil, noKey
	}
	return o.data, nil
}

const stateFile = "buckets.json"

// Save writes everything to dir, each object once by its hash.
func (s *Store) Save(dir string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	files := filepath.Join(dir, "buckets")
	if err := os.MkdirAll(files, 0o700); err != nil {
		return fmt.Errorf("save buckets: %w", err)
	}
	for _, b := range s.buckets {
		for _, o := range b.Objects {
			if err := write(filepath.Join(files, o.SHA256), o.data); err != nil {
				return fmt.Errorf("save object: %w", err)
			}
		}
	}
	text, err := json.Marshal(s.buckets)
	if err != nil {
		return fmt.Errorf("save buckets: %w", err)
	}
	return write(filepath.Join(dir, stateFile), text)
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
	for _, b := range loaded {
		for key, o := range b.Objects {
			if o.data, err = os.ReadFile(filepath.Join(dir, "buckets", filepath.Base(o.SHA256))); err != nil {
				return fmt.Errorf("load object %s: %w", key, err)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets = loaded
	return nil
}
