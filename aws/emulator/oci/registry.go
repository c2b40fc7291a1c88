package oci

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/build/scratch"
)

// Options describe a registry.
type Options struct {
	// Dir holds blobs and running uploads. Empty is a temporary directory, made
	// when the first of them comes, that Close removes.
	Dir string
	// Account is the registry id in ECR's messages.
	Account string
	// Now is the clock for tokens and push times; nil is time.Now.
	Now func() time.Time
	// MayMount tells whether a blob of repository from may be mounted into to;
	// nil allows none. It is called without locks held.
	MayMount func(from, to string) bool
}

// Registry serves /v2/. It is safe for concurrent use.
type Registry struct {
	account  string
	now      func() time.Time
	mayMount func(from, to string) bool
	key      []byte // signs tokens

	dirMu     sync.Mutex
	dir       string       // "" until it is needed, or was given
	made      bool         // dir has its parts
	temporary *scratch.Dir // nil if Dir is somebody else's
	closed    bool

	mu         sync.RWMutex
	repos      map[string]*repository
	small      map[v1.Hash][]byte // blobs made by code, which never touch the disk
	uploadsMu  sync.Mutex
	uploads    map[string]*upload
	blobWrites sync.Mutex // orders the renames into the blob directory
}

type repository struct {
	name      string
	public    bool
	immutable func(tag string) bool
	blobs     map[v1.Hash]int64 // what this repository may serve, and its size
	manifests map[v1.Hash]*Manifest
	tags      map[string]v1.Hash
}

// New opens a registry.
func New(opts Options) (*Registry, error) {
	r := &Registry{
		dir: opts.Dir, account: opts.Account, now: opts.Now, mayMount: opts.MayMount,
		key:   make([]byte, 32),
		repos: map[string]*repository{}, small: map[v1.Hash][]byte{}, uploads: map[string]*upload{},
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.mayMount == nil {
		r.mayMount = func(string, string) bool { return false }
	}
	if _, err := rand.Read(r.key); err != nil {
		return nil, fmt.Errorf("make the registry's token key: %w", err)
	}
	return r, nil
}

var errClosed = errors.New("the registry is closed")

// Dir is where the registry keeps what does not fit in memory; others may put
// working files into directories of their own below it. It is made when it is
// first asked for, so that an account nobody pushes to leaves nothing behind,
// however its process ends. After Close there is none.
func (r *Registry) Dir() (string, error) {
	r.dirMu.Lock()
	defer r.dirMu.Unlock()
	if r.closed {
		return "", errClosed
	}
	if r.made {
		return r.dir, nil
	}
	if r.dir == "" {
		dir, err := scratch.Make("optlift-registry-")
		if err != nil {
			return "", fmt.Errorf("make the registry's directory: %w", err)
		}
		r.dir, r.temporary = dir.Path(), dir
	}
	for _, sub := range []string{"blobs", "uploads"} {
		if err := os.MkdirAll(filepath.Join(r.dir, sub), 0o700); err != nil {
			return "", fmt.Errorf("make the registry's directory: %w", err)
		}
	}
	r.made = true
	return r.dir, nil
}

// Close ends the running uploads and removes a temporary directory.
func (r *Registry) Close() error {
	r.uploadsMu.Lock()
	for id, u := range r.uploads {
		u.abandon()
		delete(r.uploads, id)
	}
	r.uploadsMu.Unlock()
	r.dirMu.Lock()
	defer r.dirMu.Unlock()
	r.closed = true
	if r.temporary != nil {
		return r.temporary.Remove()
	}
	return nil
}

// Create adds an empty repository; it reports false when the name is taken.
func (r *Registry) Create(name string) bool { return r.create(name, false) }

// CreatePublic adds a repository that anyone may read and nobody may push to.
func (r *Registry) CreatePublic(name string) bool { return r.create(name, true) }

func (r *Registry) create(name string, public bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.repos[name] != nil {
		return false
	}
	r.repos[name] = &repository{
		name: name, public: public,
		blobs: map[v1.Hash]int64{}, manifests: map[v1.Hash]*Manifest{}, tags: map[string]v1.Hash{},
	}
	return true
}

// Delete removes a repository with all it holds. The blobs' files stay: other
// repositories may share them.
func (r *Registry) Delete(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.repos, name)
}

// Exists tells whether there is a repository, and whether it is a public one.
func (r *Registry) Exists(name string) (exists, public bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	repo := r.repos[name]
	return repo != nil, repo != nil && repo.public
}

// Protect sets which tags may not be moved; nil allows all.
func (r *Registry) Protect(name string, immutable func(tag string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if repo := r.repos[name]; repo != nil {
		repo.immutable = immutable
	}
}

// Manifest is a stored manifest.
type Manifest struct {
	Digest       v1.Hash
	MediaType    string
	ArtifactType string
	ConfigType   string // media type of the config; "" for a list
	Raw          []byte
	Pushed       time.Time
	Pulled       time.Time // zero when never
	Size         int64     // the compressed size of what an image points to
	Subject      *v1.Hash
	Annotations  map[string]string
	Tags         []string // sorted; filled in by the registry's answers
}

// Manifest returns what a tag or a digest stands for. The errors match
// ErrNameUnknown and ErrManifestUnknown.
func (r *Registry) Manifest(name, reference string) (Manifest, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	repo := r.repos[name]
	if repo == nil {
		return Manifest{}, r.nameUnknown(name)
	}
	m := repo.lookup(reference)
	if m == nil {
		return Manifest{}, manifestUnknown()
	}
	return repo.copy(m), nil
}

// Manifests returns every manifest of a repository, the newest push first.
func (r *Registry) Manifests(name string) ([]Manifest, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	repo := r.repos[name]
	if repo == nil {
		return nil, r.nameUnknown(name)
	}
	all := make([]Manifest, 0, len(repo.manifests))
	for _, m := range repo.manifests {
		all = append(all, repo.copy(m))
	}
	slices.SortFunc(all, func(a, b Manifest) int {
		if c := b.Pushed.Compare(a.Pushed); c != 0 {
			return c
		}
		if a.Digest.Hex < b.Digest.Hex {
			return -1
		}
		return 1
	})
	return all, nil
}

func (repo *repository) lookup(reference string) *Manifest {
	if h, err := v1.NewHash(reference); err == nil {
		return repo.manifests[h]
	}
	if h, ok := repo.tags[reference]; ok {
		return repo.manifests[h]
	}
	return nil
}

func (repo *repository) copy(m *Manifest) Manifest {
	c := *m
	c.Tags = nil
	for tag, digest := range repo.tags {
		if digest == m.Digest {
			c.Tags = append(c.Tags, tag)
		}
	}
	sort.Strings(c.Tags)
	return c
}

// Untag removes a tag; the manifest goes with its last tag, as ECR's
// BatchDeleteImage does it.
func (r *Registry) Untag(name, tag string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo := r.repos[name]
	if repo == nil {
		return
	}
	digest, ok := repo.tags[tag]
	if !ok {
		return
	}
	delete(repo.tags, tag)
	for _, other := range repo.tags {
		if other == digest {
			return
		}
	}
	delete(repo.manifests, digest)
}

// Remove deletes a manifest and all its tags.
func (r *Registry) Remove(name string, digest v1.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo := r.repos[name]
	if repo == nil {
		return
	}
	delete(repo.manifests, digest)
	for tag, d := range repo.tags {
		if d == digest {
			delete(repo.tags, tag)
		}
	}
}

// HasBlob tells whether a repository holds a blob, and its size in bytes.
func (r *Registry) HasBlob(name string, digest v1.Hash) (size int64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if repo := r.repos[name]; repo != nil {
		size, ok = repo.blobs[digest]
	}
	return size, ok
}
