package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/optlift/optlift/build/lru"
)

// BaseCacheBytes caps a directory of base layers: some twenty of AWS's bases.
const BaseCacheBytes = 5 << 30

// baseCache keeps the layers of base images by digest, so that a base is
// downloaded once: checking, writing and pushing an image read it again, and so
// does the next function's image. Several processes may use one directory.
type baseCache struct {
	dir string
	max int64

	mu   sync.Mutex
	busy map[v1.Hash]*sync.Mutex // held while a layer is looked for and made
}

// claim keeps others from making the same layer's file until release is called.
func (c *baseCache) claim(digest v1.Hash) (release func()) {
	c.mu.Lock()
	if c.busy == nil {
		c.busy = make(map[v1.Hash]*sync.Mutex)
	}
	m := c.busy[digest]
	if m == nil {
		m = new(sync.Mutex)
		c.busy[digest] = m
	}
	c.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// image returns img with layers that come from the cache, and go there when they
// are first read.
func (c *baseCache) image(img v1.Image) v1.Image { return &cachedImage{img, c} }

type cachedImage struct {
	v1.Image
	cache *baseCache
}

func (i *cachedImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	if err != nil {
		return nil, err
	}
	out := make([]v1.Layer, len(layers))
	for n, l := range layers {
		out[n] = i.cache.layer(l)
	}
	return out, nil
}

func (i *cachedImage) LayerByDigest(h v1.Hash) (v1.Layer, error) {
	if config, err := i.ConfigName(); err == nil && h == config {
		return partial.ConfigLayer(i)
	}
	l, err := i.Image.LayerByDigest(h)
	if err != nil {
		return nil, err
	}
	return i.cache.layer(l), nil
}

func (i *cachedImage) LayerByDiffID(h v1.Hash) (v1.Layer, error) {
	l, err := i.Image.LayerByDiffID(h)
	if err != nil {
		return nil, err
	}
	return i.cache.layer(l), nil
}

// layer keeps what lets a push mount the layer from the base's repository
// instead of sending it.
func (c *baseCache) layer(l v1.Layer) v1.Layer {
	if m, ok := l.(*remote.MountableLayer); ok {
		return &remote.MountableLayer{Layer: &cachedLayer{m.Layer, c}, Reference: m.Reference}
	}
	return &cachedLayer{l, c}
}

type cachedLayer struct {
	v1.Layer
	cache *baseCache
}

// Compressed reads the layer's file, which is made first if need be. Contents
// are checked when the file is made.
func (l *cachedLayer) Compressed() (io.ReadCloser, error) {
	digest, err := l.Digest()
	if err != nil {
		return nil, err
	}
	size, err := l.Size()
	if err != nil {
		return nil, err
	}
	defer l.cache.claim(digest)() // who reads it at the same time downloads it once
	file := l.cache.file(digest)
	if f, err := os.Open(file); err == nil {
		if info, err := f.Stat(); err == nil && info.Size() == size {
			now := time.Now() // when it was last of use
			_ = os.Chtimes(file, now, now)
			return f, nil
		}
		f.Close()
	}
	rc, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	if err := l.cache.keep(rc, digest, size); err != nil {
		return nil, err
	}
	return os.Open(file)
}

func (c *baseCache) file(digest v1.Hash) string { return filepath.Join(c.dir, digest.Hex) }

// keep writes a layer to its file, which appears whole or not at all.
func (c *baseCache) keep(r io.Reader, digest v1.Hash, size int64) error {
	fail := func(err error) error { return fmt.Errorf("keep the base's layer %s: %w", digest, err) }
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fail(err)
	}
	part, err := os.CreateTemp(c.dir, partPrefix+"*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(part.Name())
	defer part.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(part, sum), r)
	if err != nil {
		return fail(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != digest.Hex || n != size {
		return fail(fmt.Errorf("%d bytes arrived that are sha256:%s, not the %d bytes it names: try again", n, got, size))
	}
	if err := part.Close(); err != nil {
		return fail(err)
	}
	if err := os.Rename(part.Name(), c.file(digest)); err != nil {
		return fail(err)
	}
	return c.prune(digest)
}

const partPrefix = "part-"

// abandoned is the age at which a part is taken for one that a killed run left.
const abandoned = 24 * time.Hour

// prune makes room; what was kept last stays. Who has a removed file open can go
// on.
func (c *baseCache) prune(kept v1.Hash) error {
	parts := lru.Limit{Bytes: math.MaxInt64, Since: time.Now().Add(-abandoned)}
	_, err := lru.Prune(c.dir, func(name string) bool { return strings.HasPrefix(name, partPrefix) }, parts)
	if err == nil {
		_, err = lru.Prune(c.dir, func(name string) bool { return isBaseLayer(name) && name != kept.Hex }, lru.Limit{Bytes: c.max - c.size(kept)})
	}
	if err != nil {
		return fmt.Errorf("make room in the cache of base layers: %w", err)
	}
	return nil
}

func (c *baseCache) size(digest v1.Hash) int64 {
	info, err := os.Stat(c.file(digest))
	if err != nil {
		return 0
	}
	return info.Size()
}

func isBaseLayer(name string) bool { return !strings.HasPrefix(name, partPrefix) }

// BaseCacheUsage is what a directory of base layers (Request.BaseCache) holds.
func BaseCacheUsage(dir string) (lru.Usage, error) { return lru.Look(dir, isBaseLayer) }

// PruneBaseCache removes the least recently used base layers that are not within
// the limit from a directory of them, and says what it removed.
func PruneBaseCache(dir string, keep lru.Limit) (lru.Usage, error) {
	return lru.Prune(dir, isBaseLayer, keep)
}

// forget removes layers whose files turned out to be damaged, so that the next
// run downloads them again.
func (c *baseCache) forget(layers []*layerScan) {
	for _, l := range layers {
		if l.read != l.digest {
			_ = os.Remove(c.file(l.digest))
		}
	}
}
