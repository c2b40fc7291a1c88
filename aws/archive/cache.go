package archive

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/optlift/optlift/build/lru"
)

// Cache keeps on disk what was read of archives: their directories, in the
// archive's own bytes. A reader validates those bytes as it would the archive's,
// so that a damaged or foreign file in the cache is at worst a miss. Several
// processes may use one directory. The zero Cache keeps nothing.
type Cache struct{ dir string }

// OpenCache returns the cache in dir, which is made (0700) when it is first
// written to; "" keeps nothing.
func OpenCache(dir string) *Cache { return &Cache{dir: dir} }

// cacheMagic names the format and its version; another one is a miss.
const cacheMagic = "optlift archive parts 1\n"

// maxCached bounds what one archive may take in memory or on disk, before compression.
const maxCached = 64 << 20

// Cached is an archive of which some parts are at hand. The rest is fetched
// when it is asked for. It is safe for concurrent use.
type Cached struct {
	file string // "" is not kept
	size int64
	open func() (*Archive, error)

	mu     sync.Mutex
	parts  []part // sorted, as they were read; they may overlap
	bytes  int64
	dirty  bool
	remote *Archive
}

type part struct {
	off  int64
	data []byte
}

// Open returns the archive whose SHA-256 is sum (base64, as Lambda gives it).
// Where an earlier run has read of it, nothing is asked until other bytes are
// wanted: neither the server nor locate. ctx bounds every later read.
func (c *Cache) Open(ctx context.Context, client *http.Client, name, sum string, locate Locator) (*Cached, error) {
	a := &Cached{open: func() (*Archive, error) { return Open(ctx, client, name, locate) }}
	raw, err := base64.StdEncoding.DecodeString(sum)
	if c.dir != "" && err == nil && len(raw) == 32 {
		a.file = filepath.Join(c.dir, hex.EncodeToString(raw)+".parts")
		if a.load() == nil {
			now := time.Now()
			_ = os.Chtimes(a.file, now, now) // the least recently used go first
			return a, nil
		}
	}
	if a.remote, err = a.open(); err != nil {
		return nil, err
	}
	a.size = a.remote.Size()
	return a, nil
}

// Size is the archive's length in bytes.
func (a *Cached) Size() int64 { return a.size }

// Requests is the number of HTTP requests made so far.
func (a *Cached) Requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.remote == nil {
		return 0
	}
	return a.remote.Requests()
}

// ReadAt implements io.ReaderAt.
func (a *Cached) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	if n := a.hit(p, off); n == len(p) {
		a.mu.Unlock()
		return n, nil
	}
	if a.remote == nil {
		remote, err := a.open()
		if err == nil && remote.Size() != a.size {
			_ = remote.Close()
			err = errChanged.error
		}
		if err != nil {
			a.mu.Unlock()
			return 0, err
		}
		a.remote = remote
	}
	remote := a.remote
	a.mu.Unlock()
	n, err := remote.ReadAt(p, off)
	if n > 0 && a.file != "" {
		a.mu.Lock()
		if a.bytes+int64(n) <= maxCached && a.hit(p[:n], off) < n {
			a.parts = append(a.parts, part{off: off, data: slices.Clone(p[:n])})
			a.bytes += int64(n)
			a.dirty = true
		}
		a.mu.Unlock()
	}
	return n, err
}

// hit copies p whole from the parts, or nothing that counts.
func (a *Cached) hit(p []byte, off int64) int {
	done := 0
	for done < len(p) {
		before := done
		for _, b := range a.parts {
			if at := off + int64(done) - b.off; at >= 0 && at < int64(len(b.data)) {
				done += copy(p[done:], b.data[at:])
			}
		}
		if done == before {
			break
		}
	}
	return done
}

// Close keeps what was read, for the next run, and frees the archive. A cache
// that can't be written is no error: the next run reads the archive again.
func (a *Cached) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dirty && a.file != "" {
		_ = a.save()
	}
	a.parts, a.dirty = nil, false
	if a.remote != nil {
		return a.remote.Close()
	}
	return nil
}

// Discard forgets what was read, after a reader has found it broken.
func (a *Cached) Discard() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.parts, a.dirty = nil, false
	if a.file != "" {
		_ = os.Remove(a.file)
	}
}

func (a *Cached) save() (err error) {
	if err := os.MkdirAll(filepath.Dir(a.file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(a.file), ".parts-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.WriteString(cacheMagic); err != nil {
		return err
	}
	// gzip's CRC-32 and length find a file that was cut or damaged.
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	head := binary.AppendUvarint(nil, uint64(a.size))
	head = binary.AppendUvarint(head, uint64(len(a.parts)))
	if _, err := z.Write(head); err != nil {
		return err
	}
	for _, p := range a.parts {
		head = binary.AppendUvarint(head[:0], uint64(p.off))
		head = binary.AppendUvarint(head, uint64(len(p.data)))
		if _, err := z.Write(append(head, p.data...)); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), a.file)
}

var errBadCache = errors.New("not a file of this cache")

func (a *Cached) load() error {
	f, err := os.Open(a.file)
	if err != nil {
		return err
	}
	defer f.Close()
	magic := make([]byte, len(cacheMagic))
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != cacheMagic {
		return errBadCache
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	r := bufio.NewReader(z)
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	count, err := binary.ReadUvarint(r)
	if err != nil {
		return err
	}
	var parts []part
	var total uint64
	for range count {
		off, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		n, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		if total += n; n > maxCached || total > maxCached || off > size || n > size-off {
			return errBadCache
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return err
		}
		parts = append(parts, part{off: int64(off), data: data})
	}
	if _, err := r.ReadByte(); err != io.EOF { // also checks the CRC
		return fmt.Errorf("%w: trailing bytes", errBadCache)
	}
	a.size, a.parts, a.bytes = int64(size), parts, int64(total)
	return nil
}

// Usage is how many archives' directories the cache holds, and their bytes.
func (c *Cache) Usage() (lru.Usage, error) {
	if c.dir == "" {
		return lru.Usage{}, nil
	}
	return lru.Look(c.dir, nil)
}

// Prune removes the least recently used archives' directories that are not within
// the limit, and says what it removed.
func (c *Cache) Prune(keep lru.Limit) (lru.Usage, error) {
	if c.dir == "" {
		return lru.Usage{}, nil
	}
	return lru.Prune(c.dir, nil, keep)
}
