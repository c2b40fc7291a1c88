package layer

import (
	"context"
	"io"
	"io/fs"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/zipdir"
)

// Version names the rules that turn a zip into bytes. It is part of the store's
// key and changes whenever the same zip would give other bytes.
const Version = 1

// Root is where an archive lands in the image, without slashes at the ends.
type Root string

// Lambda unpacks layers to /opt and code to /var/task
// (https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html).
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
	// empty means it is not known, and the conversion is not cached. Whoever
	// fills it in has verified it, or gives Verify.
	SHA256 string
	Root   Root
	// Image is the image, pinned by digest, that the archive's files were taken
	// from; "" for an archive of Lambda's own or the user's.
	Image string
	// Verify, which may be nil, is for an archive that is converted while it
	// arrives: it waits for the rest and fails unless the whole has SHA256. Nothing
	// of a source is kept or given out as finished before.
	Verify func(ctx context.Context) error
}

// Link is a symlink that is added to the image layer beside the archive's own
// entries, as the bootstrap of an OS-only base needs. Path is absolute in the
// image; Target is written as it is.
type Link struct{ Path, Target string }

// Options change the bytes of the result, and are part of the cache key.
type Options struct {
	// Time is given to every entry, in whole seconds; zero means the Unix epoch.
	Time time.Time
	// Links are added behind the directories, in this order.
	Links []Link
	// Executables are absolute paths, such as that of an exec wrapper, which are
	// made executable if this archive holds them and carries no Unix modes.
	// Paths it does not hold change nothing, the cache key included.
	Executables []string
}

// Repair is a deliberate difference from the archive.
type Repair struct {
	Path string      `json:"path"` // absolute in the image, "/opt/extensions/x"
	Was  fs.FileMode `json:"was"`  // permission bits as in a Unix mode, 0o7777
	Now  fs.FileMode `json:"now"`
	What string      `json:"what"` // "made readable by all", "made executable: the archive carries no modes"
}

// Result describes a converted layer.
type Result struct {
	Digest       v1.Hash  `json:"digest"`       // of the compressed bytes
	DiffID       v1.Hash  `json:"diffId"`       // of the tar
	Size         int64    `json:"size"`         // compressed bytes
	Uncompressed int64    `json:"uncompressed"` // bytes of the tar
	Files        int64    `json:"files"`        // bytes of the files in it, what counts against a disk
	Repairs      []Repair `json:"repairs,omitempty"`
}

// Convert writes src as one gzip-compressed tar to w. Memory is bounded
// whatever the archive's size. On any error, also on ctx's end, what was
// written is worthless.
//
// The archive is read once, in the order of its entries' data, through
// src.Dir's ReaderAt; only the targets of symlinks, if src.Dir does not know
// them yet, cost a read each. Verify is left to the caller. Errors name the archive and the entry; a refusal
// is a *zipdir.Error. Convert waits for a Write under way: a writer that may
// block has to end with ctx by itself.
func Convert(ctx context.Context, w io.Writer, src Source, opts Options) (Result, error) {
	l, err := newLayout(src, opts)
	if err != nil {
		return Result{}, err
	}
	return l.convert(ctx, w, nil)
}
