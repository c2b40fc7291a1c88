package layer

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// Usage is what a store holds.
type Usage struct {
	Layers int
	Bytes  int64
	// Oldest and Newest are when the layers were last used; zero without layers.
	Oldest, Newest time.Time
}

func (u *Usage) add(l cached) {
	u.Layers++
	u.Bytes += l.size
	if u.Oldest.IsZero() || l.used.Before(u.Oldest) {
		u.Oldest = l.used
	}
	if l.used.After(u.Newest) {
		u.Newest = l.used
	}
}

// cached is one finished layer in the store.
type cached struct {
	key  string
	size int64
	used time.Time
}

// Usage counts the finished layers.
func (s *Store) Usage() (Usage, error) {
	layers, _, err := s.list()
	if err != nil {
		return Usage{}, fmt.Errorf("look through the store of image layers: %w", err)
	}
	var u Usage
	for _, l := range layers {
		u.add(l)
	}
	return u, nil
}

// Prune removes the least recently used layers until the rest take no more than
// keep bytes, and says what it removed. Layers in use stay.
func (s *Store) Prune(ctx context.Context, keep int64) (Usage, error) {
	return s.prune(ctx, keep, time.Time{})
}

// PruneUnused removes the layers that were not used since a time.
func (s *Store) PruneUnused(ctx context.Context, since time.Time) (Usage, error) {
	return s.prune(ctx, math.MaxInt64, since)
}

func (s *Store) prune(ctx context.Context, keep int64, since time.Time) (Usage, error) {
	lock, err := s.lock(ctx, "lock")
	if err != nil {
		return Usage{}, fmt.Errorf("prune the store of image layers: %w", err)
	}
	defer lock.Close()
	return s.sweep(keep, since), nil
}

// list returns the finished layers and the names of files that belong to none.
func (s *Store) list() (layers []cached, stray []string, err error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, nil, err
	}
	sizes := make(map[string]int64)
	for _, f := range files {
		if key, ok := strings.CutSuffix(f.Name(), blobSuffix); ok {
			if info, err := f.Info(); err == nil {
				sizes[key] = info.Size()
			}
		}
	}
	for _, f := range files {
		name := f.Name()
		if key, ok := strings.CutSuffix(name, metaSuffix); ok {
			size, ok := sizes[key]
			info, err := f.Info()
			if !ok || err != nil {
				stray = append(stray, name)
				continue
			}
			delete(sizes, key)
			layers = append(layers, cached{key: key, size: size, used: info.ModTime()})
		} else if strings.HasSuffix(name, partSuffix) || strings.HasSuffix(name, tempSuffix) {
			stray = append(stray, name)
		}
	}
	for key := range sizes {
		stray = append(stray, key+blobSuffix)
	}
	return layers, stray, nil
}

// sweep removes what killed runs left and then the least recently used layers
// until the rest take no more than keep bytes and were used since. The caller holds the store's
// lock. What cannot be removed now is for the next sweep.
func (s *Store) sweep(keep int64, since time.Time) (removed Usage) {
	layers, stray, err := s.list()
	if err != nil {
		return removed
	}
	for _, name := range stray {
		if s.idle(name) {
			os.Remove(s.path(name))
		}
	}
	var total int64
	for _, l := range layers {
		total += l.size
	}
	slices.SortFunc(layers, func(a, b cached) int { return a.used.Compare(b.used) })
	for _, l := range layers {
		if total <= keep && !l.used.Before(since) {
			break
		}
		if !s.idle(l.key + blobSuffix) {
			continue
		}
		os.Remove(s.path(l.key + metaSuffix))
		if os.Remove(s.path(l.key+blobSuffix)) == nil {
			total -= l.size
			removed.add(l)
		}
	}
	return removed
}

// idle says whether nobody has the file locked. Who opens it right after keeps
// its bytes, or finds that its name is gone and begins anew.
func (s *Store) idle(name string) bool {
	f, err := os.OpenFile(s.path(name), os.O_RDWR, 0) // some file systems lock only what is writable
	if err != nil {
		return false
	}
	defer f.Close()
	ok, err := tryLock(f)
	return ok && err == nil
}
