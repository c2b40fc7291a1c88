package layer

import (
	"compress/gzip"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Layer is a finished image layer on disk. It implements v1.Layer. It may be
// read by several goroutines, also after the store has been pruned: as long as
// it is open its bytes are there.
type Layer struct {
	Result
	Source Source

	file *os.File // open and locked against removal
}

// Close gives the layer's file free for eviction. A layer that is dropped
// without Close is let go when it is garbage collected.
func (l *Layer) Close() error { return l.file.Close() }

// Digest is the SHA-256 of the compressed bytes.
func (l *Layer) Digest() (v1.Hash, error) { return l.Result.Digest, nil }

// DiffID is the SHA-256 of the tar.
func (l *Layer) DiffID() (v1.Hash, error) { return l.Result.DiffID, nil }

// Size is the number of compressed bytes.
func (l *Layer) Size() (int64, error) { return l.Result.Size, nil }

// MediaType is Docker's; see WithMediaType.
func (l *Layer) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }

// Compressed reads the gzip file.
func (l *Layer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(l.file, 0, l.Result.Size)), nil
}

// Uncompressed reads the tar.
func (l *Layer) Uncompressed() (io.ReadCloser, error) {
	return gzip.NewReader(io.NewSectionReader(l.file, 0, l.Result.Size))
}

// WithMediaType returns the same layer under another media type; the bytes do
// not change.
func (l *Layer) WithMediaType(t types.MediaType) v1.Layer { return typed{l, t} }

type typed struct {
	*Layer
	mediaType types.MediaType
}

func (t typed) MediaType() (types.MediaType, error) { return t.mediaType, nil }
