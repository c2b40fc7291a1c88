package layer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// Store is a content-addressed, size-capped directory of finished layers.
// Several goroutines and several processes may use one at once.
//
// A layer is <key>.tar.gz with its description in <key>.json; the key is the
// SHA-256 over everything the bytes depend on. A conversion under way is
// <key>.part, locked by whoever writes it, so that nobody converts the same
// archive twice and what a killed run left is told from what is in use.
// The description's modification time is when the layer was last used.
type Store struct {
	dir string
	max int64

	mu       sync.Mutex
	verified map[string]fs.FileInfo // key -> the file whose bytes were checked
}

const (
	blobSuffix = ".tar.gz"
	metaSuffix = ".json"
	partSuffix = ".part"
	tempSuffix = ".new"
)

// lockPoll is how often a lock that another holds is tried again.
const lockPoll = 25 * time.Millisecond

// OpenStore opens or makes the store in dir (0700), and removes what killed
// runs left there. maxBytes caps the layers' bytes; the least recently used go
// first, but none that is in use.
func OpenStore(dir string, maxBytes int64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the store of image layers: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep the store of image layers to its owner: %w", err)
	}
	s := &Store{dir: dir, max: maxBytes, verified: make(map[string]fs.FileInfo)}
	// Whoever holds the lock now sweeps by itself.
	if l, err := os.OpenFile(s.path("lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("open the store of image layers: %w", err)
	} else {
		defer l.Close()
		if ok, err := tryLock(l); err != nil {
			return nil, fmt.Errorf("open the store of image layers: %w", err)
		} else if ok {
			s.sweep(maxBytes, time.Time{})
		}
	}
	return s, nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Convert returns the finished layer of src, from the store when it is there
// and whole. progress, which may be nil, is called from the converting
// goroutine with the total of the zip's bytes done so far. A conversion that
// fails or is cancelled, or whose source fails to verify, leaves nothing behind.
func (s *Store) Convert(ctx context.Context, src Source, opts Options, progress func(done int64)) (*Layer, error) {
	return s.ConvertFollowed(ctx, src, opts, progress, nil)
}

// ConvertFollowed is Convert for those who read the layer while it is converted:
// begun, which may be nil, is called before the first byte is written. It is not
// called for a layer that the store has, or that somebody else is converting.
// What it is given can be read until the returned layer is closed.
func (s *Store) ConvertFollowed(ctx context.Context, src Source, opts Options, progress func(done int64), begun func(*Growing)) (*Layer, error) {
	if progress == nil {
		progress = func(int64) {}
	}
	if begun == nil {
		begun = func(*Growing) {}
	}
	plan, err := newLayout(src, opts)
	if err != nil {
		return nil, err
	}
	if src.SHA256 == "" {
		return s.convertUncached(ctx, plan, progress, begun)
	}
	key := plan.key()
	if l, err := s.lookup(ctx, key, src); l != nil || err != nil {
		progress(src.Dir.Size)
		return l, err
	}
	part, err := s.claim(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("store the image layer of %s: %w", src.Name, err)
	}
	partName := part.Name()
	// Another may have finished it while this one waited.
	if l, err := s.lookup(ctx, key, src); l != nil || err != nil {
		os.Remove(partName)
		part.Close()
		progress(src.Dir.Size)
		return l, err
	}
	out := grow(src, part)
	begun(out.g)
	res, err := plan.verified(ctx, out, progress)
	if err == nil {
		var l *Layer
		if l, err = s.commit(ctx, key, part, src, res); err == nil {
			out.end(res, nil)
			progress(src.Dir.Size)
			return l, nil
		}
		err = fmt.Errorf("store the image layer of %s: %w", src.Name, err)
	}
	out.end(Result{}, err)
	os.Remove(partName)
	part.Close()
	return nil, err
}

// verified converts and then waits for the source to be verified. An archive
// that turns out broken may not be the one it should be, which then is the news.
func (l *layout) verified(ctx context.Context, w io.Writer, progress func(int64)) (Result, error) {
	res, err := l.convert(ctx, w, progress)
	var broken *zipdir.Error
	if l.src.Verify == nil || err != nil && !errors.As(err, &broken) {
		return res, err
	}
	if other := l.src.Verify(ctx); other != nil {
		return Result{}, other
	}
	return res, err
}

// convertUncached converts into a file without a name.
func (s *Store) convertUncached(ctx context.Context, plan *layout, progress func(int64), begun func(*Growing)) (*Layer, error) {
	name := s.path(rand.Text() + partSuffix)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store the image layer of %s: %w", plan.src.Name, err)
	}
	// A sweep between these lines takes the name, which goes anyway.
	_, _ = tryLock(f)
	os.Remove(name) // fails where open files keep their names; a later sweep finds it
	out := grow(plan.src, f)
	begun(out.g)
	res, err := plan.verified(ctx, out, progress)
	out.end(res, err)
	if err != nil {
		f.Close()
		os.Remove(name)
		return nil, err
	}
	return &Layer{Result: res, Source: plan.src, file: f}, nil
}

// key is a name for everything that the layer's bytes depend on.
func (l *layout) key() string {
	b, err := json.Marshal(struct {
		Version     int
		SHA256      string
		Root        Root
		Time        int64
		Links       []Link
		Executables []string
	}{Version, l.src.SHA256, l.src.Root, l.time.Unix(), l.links, l.executables})
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// lookup returns the layer of key, or nil if there is none that is whole. An
// error is ctx's.
func (s *Store) lookup(ctx context.Context, key string, src Source) (*Layer, error) {
	meta, err := os.ReadFile(s.path(key + metaSuffix))
	if err != nil {
		return nil, ctx.Err()
	}
	var res Result
	if json.Unmarshal(meta, &res) != nil || res.Size == 0 {
		return nil, ctx.Err()
	}
	f, err := s.hold(key)
	if err != nil {
		return nil, ctx.Err()
	}
	if !s.whole(ctx, f, key, res) {
		f.Close()
		return nil, ctx.Err()
	}
	now := time.Now()
	_ = os.Chtimes(s.path(key+metaSuffix), now, now) // only the order of eviction hangs on it
	return &Layer{Result: res, Source: src, file: f}, nil
}

// hold opens the layer's file and keeps it from eviction while it is open.
func (s *Store) hold(key string) (*os.File, error) {
	f, err := os.Open(s.path(key + blobSuffix))
	if err != nil {
		return nil, err
	}
	if err := share(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// whole says whether the file holds what the description promises. The bytes
// are hashed once for as long as the file's identity, size and time stay.
func (s *Store) whole(ctx context.Context, f *os.File, key string, want Result) bool {
	info, err := f.Stat()
	if err != nil || info.Size() != want.Size {
		return false
	}
	s.mu.Lock()
	known := s.verified[key]
	s.mu.Unlock()
	if known != nil && os.SameFile(known, info) && known.ModTime().Equal(info.ModTime()) {
		return true
	}
	h := sha256.New()
	r := &cancelable{ctx, io.NewSectionReader(f, 0, want.Size)}
	if _, err := io.CopyBuffer(h, r, make([]byte, chunkSize)); err != nil || hex.EncodeToString(h.Sum(nil)) != want.Digest.Hex {
		return false
	}
	s.remember(key, info)
	return true
}

func (s *Store) remember(key string, info fs.FileInfo) {
	s.mu.Lock()
	s.verified[key] = info
	s.mu.Unlock()
}

// claim makes the file that the layer of key is written to, empty and locked.
// While another writes it, claim waits as long as ctx lets it.
func (s *Store) claim(ctx context.Context, key string) (*os.File, error) {
	f, err := s.lock(ctx, key+partSuffix)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lock opens and locks the file of that name, waiting for it as long as ctx
// lets it. The file is opened anew each time, for the name may have gone to
// another file meanwhile; and a lock counts only if it has not.
func (s *Store) lock(ctx context.Context, name string) (*os.File, error) {
	for {
		f, err := os.OpenFile(s.path(name), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		locked, err := tryLock(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		if locked && named(f) {
			return f, nil
		}
		f.Close()
		if locked {
			continue
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// named says whether f is still the file of its name.
func named(f *os.File) bool {
	at, err := os.Stat(f.Name())
	if err != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(at, info)
}

// commit gives the finished part its name and makes room for it. The part's
// file becomes the layer's; on an error the caller closes it.
func (s *Store) commit(ctx context.Context, key string, part *os.File, src Source, res Result) (*Layer, error) {
	meta, err := json.Marshal(res)
	if err != nil {
		return nil, err
	}
	lock, err := s.lock(ctx, "lock")
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	// The description comes first: as soon as the part's name is free, who was
	// waiting for it must find the layer.
	err = os.WriteFile(s.path(key+tempSuffix), meta, 0o600)
	if err == nil {
		err = os.Rename(s.path(key+tempSuffix), s.path(key+metaSuffix))
	}
	if err != nil {
		os.Remove(s.path(key + tempSuffix))
		return nil, err
	}
	f, err := publish(part, s.path(key+blobSuffix))
	if err != nil {
		os.Remove(s.path(key + metaSuffix))
		return nil, err
	}
	if info, err := f.Stat(); err == nil {
		s.remember(key, info)
	}
	s.sweep(s.max, time.Time{})
	return &Layer{Result: res, Source: src, file: f}, nil
}

// cancelable ends a copy with its context.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelable) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
