// Package lru looks after cache directories: each file in one stands for itself,
// and its modification time is when it was last of use. It imports the standard
// library only.
package lru

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Usage is what a directory holds, or what was removed from it.
type Usage struct {
	Files int
	Bytes int64
	// Oldest and Newest are when the files were last of use; zero without files.
	Oldest, Newest time.Time
}

// Add counts one file in.
func (u *Usage) Add(bytes int64, used time.Time) {
	u.Files++
	u.Bytes += bytes
	if u.Oldest.IsZero() || used.Before(u.Oldest) {
		u.Oldest = used
	}
	if used.After(u.Newest) {
		u.Newest = used
	}
}

// Limit is what may stay.
type Limit struct {
	Bytes int64     // at most so many
	Since time.Time // only what was of use since then; zero is any time
}

// Look counts the regular files of dir that are wanted; a nil wanted is all. A
// directory that does not exist is empty.
func Look(dir string, wanted func(name string) bool) (Usage, error) {
	var u Usage
	files, err := list(dir, wanted)
	for _, f := range files {
		u.Add(f.Size(), f.ModTime())
	}
	return u, err
}

// Prune removes the wanted files that are not within the limit, the least
// recently used first, and says what it removed.
func Prune(dir string, wanted func(name string) bool, keep Limit) (removed Usage, err error) {
	files, err := list(dir, wanted)
	if err != nil {
		return removed, err
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	total := int64(0)
	for _, f := range files {
		total += f.Size()
	}
	for _, f := range files {
		if total <= keep.Bytes && !f.ModTime().Before(keep.Since) {
			break
		}
		switch err := os.Remove(filepath.Join(dir, f.Name())); {
		case err == nil:
			removed.Add(f.Size(), f.ModTime())
		case !errors.Is(err, fs.ErrNotExist): // else somebody was faster
			return removed, err
		}
		total -= f.Size()
	}
	return removed, nil
}

func list(dir string, wanted func(name string) bool) ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || wanted != nil && !wanted(e.Name()) {
			continue // gone meanwhile, or none of the cache's
		}
		files = append(files, info)
	}
	return files, nil
}
