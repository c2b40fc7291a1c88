package layer

import (
	"context"
	"io"
	"io/fs"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/optlift/optlift/build/zipdir"
)

// Root is where an archive lands in the image, without slashes at the ends.
type Root string

// Lambda unpacks layers to /opt and code to /var/task.
const (
	Opt  Root = "opt"
	Task Root = "var/task"
)

// Source is one archive to convert.
type Source struct {
	// Name is what people know it by: an ARN or a path.
	Name string
	Dir  *zipdir.Directory
	// SHA256 is the hex SHA-256 of the whole zip. With it the result is cached;
	// empty means it is not known, and the conversion is not cached.
	SHA256 string
	Root   Root
}

// Link is a symlink that is added to the image layer beside the archive's own
// entries, as the bootstrap of an OS-only base needs.
type Link struct{ Path, Target string }

// Options change the bytes of the result, and are part of the cache key.
type Options struct {
	// Time is given to every entry; zero means the Unix epoch.
	Time  time.Time
	Links []Link
}

// Repair is a deliberate difference from the archive.
type Repair struct {
	Path string // absolute in the image, "/opt/extensions/x"
	Was  fs.FileMode
	Now  fs.FileMode
	What string // "made readable by all", "made executable: the archive carries no modes"
}

// Result describes a converted layer.
type Result struct {
	Digest       v1.Hash // of the compressed bytes
	DiffID       v1.Hash // of the tar
	Size         int64   // compressed bytes
	Uncompressed int64   // bytes of the tar
	Files        int64   // bytes of the files in it, what counts against a disk
	Repairs      []Repair
}

// Convert writes src as one gzip-compressed tar to w. Memory is bounded
// whatever the archive's size. On any error, also on ctx's end, what was
// written is worthless.
func Convert(ctx context.Context, w io.Writer, src Source, opts Options) (Result, error) {
	panic("not written yet")
}

// Layer is a finished image layer on disk. It implements v1.Layer.
type Layer struct {
	Result
	Source Source
	// contains filtered or unexported fields
}

// WithMediaType returns the same layer under another media type; the bytes do
// not change.
func (l *Layer) WithMediaType(t types.MediaType) v1.Layer { panic("not written yet") }

// Store is a content-addressed, size-capped directory of finished layers.
// Several processes may use one at once.
type Store struct{}

// OpenStore opens or makes the store in dir (0700). maxBytes caps it; the least
// recently used layers go first.
func OpenStore(dir string, maxBytes int64) (*Store, error) { panic("not written yet") }

// Convert returns the finished layer of src, from the store when it is there.
// progress, which may be nil, is called from the converting goroutine with the
// total of the zip's bytes done so far.
func (s *Store) Convert(ctx context.Context, src Source, opts Options, progress func(done int64)) (*Layer, error) {
	panic("not written yet")
}
